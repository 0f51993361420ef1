// The numbers that a question gives, and whether a derivation uses them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "reasoning/verify/number.h"

namespace ergo::reasoning {

/// One number of a question: the ways in which a derivation may write it. A share of 20% may come
/// as 20, 0.2, 80, 0.8 or 1.2.
using Given = std::vector<Rational>;

/// Numbers in digits and, as far as they are plain, in words ("dozen", "half", "twice", 打, 半).
/// Those of two equal values count once.
std::vector<Given> GivensOf(std::string_view question);

/// What counting words of a question come to, for a prompt: "3 dozen = 36". One line for each;
/// empty if there are none.
std::string CountsOf(std::string_view question);

/// How many of the givens a derivation's text or program does not mention.
std::size_t MissingGivens(const std::vector<Given>& givens, std::string_view derivation);

}  // namespace ergo::reasoning
