// Solutions with and without one planted error, to measure checks by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reasoning/verify/check.h"

namespace ergo::reasoning {

struct PlantedSolution {
  std::string text;
  bool chinese = false;
  bool prose = false;         ///< computations are stated in words, else as equations
  std::optional<Span> error;  ///< the sentence with the error, if one was planted
};

/// `count` solutions of three to six steps: English and Chinese, equations and prose, in equal
/// parts, about half of each with an error. Between the steps stand dates, times, ratios, variables
/// and story that is no arithmetic. The same seed gives the same solutions.
std::vector<PlantedSolution> MakePlantedSolutions(std::size_t count, std::uint64_t seed);

}  // namespace ergo::reasoning
