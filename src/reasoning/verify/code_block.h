// Fenced blocks of code in a text, as Markdown writes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reasoning/verify/check.h"

namespace ergo::reasoning {

struct CodeBlock {
  std::string language;  ///< what stands behind the fence, in lower case
  std::string code;
  Span span;  ///< of the text, fences included
};

/// Blocks between lines of ``` (or ~~~), in order; one that is never closed ends with the text.
std::vector<CodeBlock> FindCodeBlocks(std::string_view text);

bool IsPython(std::string_view language);
bool IsCpp(std::string_view language);

}  // namespace ergo::reasoning
