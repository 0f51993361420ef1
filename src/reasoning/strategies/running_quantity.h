// Stories of one quantity: one calculation for each sentence, with nothing else in sight.
#pragma once

#include <optional>

#include "reasoning/derive/derivation.h"
#include "reasoning/stage/work.h"

namespace ergo::reasoning {

/// Nothing if the question is no such story (AsRunningQuantity), or the budget ends before it does.
/// The result of each calculation is computed exactly; what is drawn is which calculation it is.
std::optional<Derivation> SolveRunningQuantity(Work& work);

}  // namespace ergo::reasoning
