// What steers one answer, put together.
#pragma once

#include <memory>
#include <optional>

#include "generate/think/think_budget.h"
#include "generate/think/think_tags.h"
#include "runtime/logit_hook.h"

namespace ergo::generate {

struct Steering {
  std::shared_ptr<const ThinkTags> tags = {};  ///< nullptr: the model does not think
  ThoughtStart start = ThoughtStart::kUnopened;
  std::optional<ThinkBudgetOptions> budget = {};  ///< absent: as long, and as empty, as it likes
  StopThinking stop = {};                         ///< without effect if there is no budget
  std::unique_ptr<runtime::LogitHook> constraint = {};  ///< on the answer; nullptr: none
};

/// One hook for all of it, the constraint first, so that the budget sees what is still possible;
/// nullptr if there is nothing to steer.
std::unique_ptr<runtime::LogitHook> Steer(const tokenizer::Tokenizer& tokenizer, Steering steering);

}  // namespace ergo::generate
