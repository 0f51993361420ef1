// A plan's goals, solved from the leaves up.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "reasoning/decompose/goals.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/stage/work.h"

namespace ergo::reasoning {

/// Draws a plan for a question under a grammar; samples of another form are thrown away. Error:
/// none had the right form, or the model failed.
Result<std::vector<Goal>> DrawPlan(Work& work, std::string_view question);

/// Solves goals in the order of their needs, those that need nothing of each other in one batch,
/// each with the values that it needs and no others. Samples are drawn for a goal until one value
/// is two votes ahead (as MAKER, Meyerson et al. 2025, does) or six are drawn; those that give no
/// value, are cut off or contain a refuted step are thrown away. A goal without a step that a check
/// could settle is split into goals of its own, three levels deep at most. The value is the last
/// goal's.
Derivation SolveGoals(Work& work, const std::vector<Goal>& goals);

}  // namespace ergo::reasoning
