// The files of src/reasoning/prompts as they were when the program was built.
#pragma once

#include <span>

#include "base/embedded_file.h"

namespace ergo::reasoning {

/// Paths are like "en/chain.txt".
std::span<const EmbeddedFile> PromptFiles();

}  // namespace ergo::reasoning
