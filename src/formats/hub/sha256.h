// SHA-256 of files.
#pragma once

#include <string>

#include "base/result.h"

namespace ergo::formats::hub {

/// 64 lower-case hexadecimal digits. Errors: the file can't be read.
Result<std::string> Sha256OfFile(const std::string& path);

}  // namespace ergo::formats::hub
