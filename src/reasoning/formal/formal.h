// Answers that need no model: questions that a parser understands to the last word.
#pragma once

#include <optional>

#include "reasoning/derive/derivation.h"

namespace ergo::reasoning {

/// Solves the question by logic, algebra, arithmetic or exact search if all of it was parsed;
/// writes the derivation to the trace. Where a proof was found although a part was not understood,
/// it is no kFormal and its `failure` says so. Nothing else.
std::optional<Derivation> SolveFormally(Work& work);

/// A rule theory of which the parser reads the larger part and the model restates the rest. Never
/// kFormal.
std::optional<Derivation> SolveRestated(Work& work);

// One kind of question each:
/// "What is 3 * (4 + 5)?", "计算 3 * 5"
std::optional<Derivation> SolveExpression(Work& work);
/// "Start with 5. Add 3. Multiply by 2. What is the result?"
std::optional<Derivation> SolveInstructions(Work& work);
/// Linear equations on lines of their own.
std::optional<Derivation> SolveEquations(Work& work);
/// "Make 24 from the numbers 3, 4, 5, 7."
std::optional<Derivation> SolveNumbersGame(Work& work);
/// Whether a statement follows from a rule theory.
std::optional<Derivation> SolveTheory(Work& work);
/// Knights and knaves.
std::optional<Derivation> SolveKnightsPuzzle(Work& work);

}  // namespace ergo::reasoning
