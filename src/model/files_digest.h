// What tells the files of one model from those of another.
#pragma once

#include <string>

#include "formats/model_files.h"

namespace ergo::model {

/// A hash of all weights, the configuration and the tokenizer, as the files have them: 32
/// hexadecimal digits. Every byte is read, since models may differ in a few values alone: about a
/// tenth of a second for each gigabyte that is in memory already, else the time to read the files.
std::string FilesDigest(const formats::ModelFiles& files);

}  // namespace ergo::model
