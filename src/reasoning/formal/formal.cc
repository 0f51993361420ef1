#include "reasoning/formal/formal.h"

#include <array>

namespace ergo::reasoning {

std::optional<Derivation> SolveFormally(Work& work) {
  constexpr std::array kSolvers = {SolveExpression,  SolveInstructions, SolveEquations,
                                   SolveNumbersGame, SolveTheory,       SolveKnightsPuzzle};
  for (const auto solve : kSolvers) {
    if (work.budget().Cancelled()) break;
    if (auto derivation = solve(work)) {
      derivation->kind = DerivationKind::kFormal;
      return derivation;
    }
  }
  return std::nullopt;
}

}  // namespace ergo::reasoning
