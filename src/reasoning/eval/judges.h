// Judges that several families share.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "reasoning/eval/family.h"

namespace ergo::reasoning::eval {

/// Right is the same number as `expected`, however it is written.
Judge JudgeNumber(std::string expected);

/// Right is an equivalent expression.
Judge JudgeMath(std::string expected);

/// Right is the option with index `right`: its text in any case, or its letter.
Judge JudgeOption(std::vector<std::string> options, std::size_t right);

/// What a text says of each of `names`, in their order: the word of `values` that comes first
/// after the name and before the next name. Empty for a name of which it says nothing, and for one
/// of which it says different things.
std::vector<std::string> SaidOf(std::string_view text, const std::vector<std::string>& names,
                                const std::vector<std::string>& values);

}  // namespace ergo::reasoning::eval
