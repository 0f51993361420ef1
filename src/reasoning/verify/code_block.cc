#include "reasoning/verify/code_block.h"

#include <algorithm>

#include "base/text.h"

namespace ergo::reasoning {
namespace {

bool IsFence(std::string_view line) { return line.starts_with("```") || line.starts_with("~~~"); }

}  // namespace

std::vector<CodeBlock> FindCodeBlocks(std::string_view text) {
  std::vector<CodeBlock> blocks;
  bool inside = false;
  char fence = '`';
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::size_t next = std::min(end + 1, text.size());
    const std::string_view line = Trimmed(text.substr(begin, end - begin));
    if (!inside && IsFence(line)) {
      inside = true;
      fence = line.front();
      std::string language(Trimmed(line.substr(3)));
      for (char& c : language) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      blocks.push_back({std::move(language), {}, {begin, text.size()}});
    } else if (inside && IsFence(line) && line.front() == fence) {
      inside = false;
      blocks.back().span.end = end;
    } else if (inside) {
      blocks.back().code += text.substr(begin, next - begin);
    }
    begin = next;
  }
  return blocks;
}

bool IsPython(std::string_view language) {
  return language == "python" || language == "py" || language == "python3";
}

bool IsCpp(std::string_view language) {
  return language == "cpp" || language == "c++" || language == "cc" || language == "cxx";
}

}  // namespace ergo::reasoning
