// The value that a text ends in, and when two of them are the same.
#pragma once

#include <string>
#include <string_view>

#include "reasoning/strategies/strategy.h"

namespace ergo::reasoning {

/// Question::kind, or what the question's words show it to be. Never kAuto.
AnswerKind KindOf(const Question& question);

/// What `text` gives as its answer, canonical, or empty if it gives none: what stands behind the
/// last "####", in the last \boxed{} or after the last "answer is"; for numbers else the last one
/// in the text, for options else the last one that is named.
std::string ValueIn(std::string_view text, AnswerKind kind, const Question& question);
/// Whether one of those marks is in the text, with an answer behind it.
bool Announces(std::string_view text);

/// A number without currency, separators and zeros that say nothing: "1,234.50" -> "1234.5". Empty
/// if `text` holds no number.
std::string CanonicalNumber(std::string_view text);

/// Whether two values of one kind are the same answer.
bool SameValue(std::string_view a, std::string_view b, AnswerKind kind);

}  // namespace ergo::reasoning
