// The files of src/reasoning/trace/page as they were when the program was built.
#pragma once

#include <span>

#include "base/embedded_file.h"

namespace ergo::reasoning {

/// Paths are like "trace.css".
std::span<const EmbeddedFile> TracePageFiles();

}  // namespace ergo::reasoning
