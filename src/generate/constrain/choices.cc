#include <fmt/format.h>

#include <utility>

#include "base/utf8.h"
#include "generate/constrain/compile.h"

namespace ergo::generate::constrain {

Result<std::shared_ptr<const Grammar>> CompileChoices(const std::vector<std::string>& choices,
                                                      const std::string& where) {
  constexpr std::size_t kMaxBytes = 200'000;
  if (choices.empty()) return Fail("there is nothing to choose from", where);
  Expressions expressions;
  std::vector<ExprId> texts;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const std::string place = fmt::format("{}, number {}", where, i + 1);
    if (choices[i].empty()) return Fail("a choice must not be empty", place);
    if (FindInvalidUtf8(choices[i])) return Fail("a choice must be UTF-8", place);
    bytes += choices[i].size();
    if (bytes > kMaxBytes)
      return Fail(fmt::format("more than {} bytes of choices", kMaxBytes), place);
    texts.push_back(expressions.Bytes(choices[i]));
  }
  const RuleId root = expressions.AddRule("");
  expressions.Define(root, expressions.OneOf(std::move(texts)));
  return Grammar::Compile(expressions, root, where);
}

}  // namespace ergo::generate::constrain
