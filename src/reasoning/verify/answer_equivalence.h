// Whether two answers to a mathematics question say the same.
#pragma once

#include <string>
#include <string_view>

namespace ergo::reasoning {

enum class Equivalence { kYes, kNo, kUnknown };
/// "yes", "no" or "unknown".
std::string_view Name(Equivalence equivalence);

/// The answer in a text: the contents of its last \boxed{} (of several that stand together, all,
/// apart by commas), else what follows "the final answer is", "answer is" or "####", else its last
/// formula between dollar signs or \( \), \[ \], else its last number, else the text as it is.
std::string ExtractAnswer(std::string_view text);

/// Compares two answers, or texts that end in one: numbers (fractions, decimals rounded to the
/// digits shown, per cent, thousands separators, mixed), expressions, tuples, intervals, sets,
/// unions, matrices, lists in any order, equations up to a factor, inequalities, assignments by
/// their value ("x = 3" and "3"), ±, and words. Units are left out. kUnknown when an answer cannot
/// be read and the texts differ.
Equivalence Equivalent(std::string_view a, std::string_view b);

}  // namespace ergo::reasoning
