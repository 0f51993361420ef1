// Answers that need no model: questions that a parser understands to the last word.
#pragma once

#include <optional>

#include "reasoning/derive/derivation.h"

namespace ergo::reasoning {

/// Solves the question by logic, equations or exact search if all of it was parsed; writes the
/// derivation to the trace. Nothing if it was not.
std::optional<Derivation> SolveFormally(Work& work);

}  // namespace ergo::reasoning
