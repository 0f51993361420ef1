// Single steps and whole completions from places within a derivation.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "reasoning/stage/work.h"

namespace ergo::reasoning {

/// A place within a derivation.
struct Place {
  BranchPtr branch;
  std::string text;                     ///< of the derivation so far
  std::vector<DrawnToken> tokens = {};  ///< that were drawn on the way
  bool ended = false;                   ///< the model has ended its answer
};

struct StepDraw {
  std::size_t width = 1;  ///< ways to go on from each place
  float temperature = 0.8f;
  std::size_t max_tokens = 96;  ///< of a step
};

/// One line more, in `width` ways from each place, all in one batch: the ways from places[i] are at
/// i * width and after. Those for which the budget had no room are left out (their branch is
/// empty).
std::vector<Place> DrawSteps(Work& work, std::span<const Place> places, const StepDraw& draw);

/// To the end of the answer, `width` ways each, in the same order.
std::vector<Place> DrawCompletions(Work& work, std::span<const Place> places, const StepDraw& draw);

}  // namespace ergo::reasoning
