// What a parser and a solver answer alone, without a model: a floor for strategies that have both.
#pragma once

#include <optional>
#include <string_view>

#include "reasoning/strategies/strategy.h"

namespace ergo::reasoning::eval {

/// As a strategy's name; it is none of Strategies().
inline constexpr std::string_view kSolverName = "solver";

/// Nothing if no solver understands the whole of the question. What it does answer is verified.
std::optional<Answer> SolveWithoutModel(const Question& question);

}  // namespace ergo::reasoning::eval
