// English that says a fact or a rule in a roundabout way, put as a plain sentence.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "reasoning/verify/logic_words.h"

namespace ergo::reasoning {

/// "Being kind makes a person big", "You cannot be kind without being big", "There is no kind thing
/// that is not big" -> a conditional or a universal; "As for Anne, she turns out to be kind" ->
/// "Anne is kind". One step: the result may want another. Nothing if no form fits the whole
/// sentence, so that a word that hedges ("often", "may") is never lost. A colon is the word ":".
std::optional<std::vector<LogicWord>> Rephrased(std::span<const LogicWord> words);

}  // namespace ergo::reasoning
