#include "reasoning/formal/formal.h"

#include <array>

namespace ergo::reasoning {

std::optional<Derivation> SolveFormally(Work& work) {
  constexpr std::array kSolvers = {SolveExpression,  SolveInstructions, SolveEquations,
                                   SolveNumbersGame, SolveTheory,       SolveKnightsPuzzle};
  for (const auto solve : kSolvers) {
    if (work.budget().Cancelled()) break;
    if (auto derivation = solve(work)) {
      // One that rests on a part of the question counts as a derivation, not as a solution.
      if (derivation->failure.empty()) derivation->kind = DerivationKind::kFormal;
      return derivation;
    }
  }
  return std::nullopt;
}

}  // namespace ergo::reasoning
