// Regular expressions as expressions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "generate/constrain/expression.h"

namespace ergo::generate::constrain {

enum class RegexMatch : std::uint8_t {
  kWhole,     ///< the text from its start to its end
  kAnywhere,  ///< some part of it, unless ^ and $ say otherwise
};

/// The texts that `pattern` matches, spelled as `spelling` says (compile.h has the syntax). Errors
/// name `where` and the byte of the pattern.
Result<ExprId> ParseRegex(std::string_view pattern, Spelling spelling, RegexMatch match,
                          const std::string& where, Expressions* expressions);

/// The characters of a general category ("L", "Lu"); empty if there is no such category.
CharSet CharsOfCategory(std::string_view category);

}  // namespace ergo::generate::constrain
