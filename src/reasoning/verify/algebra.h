// Computer algebra (GiNaC) on formulas: equality, linear systems, roots. Sizes are bounded before
// anything is expanded; a call takes milliseconds. Calls from several threads wait for each other,
// since GiNaC keeps global state.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reasoning/verify/formula.h"

namespace ergo::reasoning {

enum class Sameness {
  kSame,          ///< the difference is 0 as a rational function
  kProbablySame,  ///< equal to 30 digits at several random points (positive arguments)
  kDifferent,
  kUnknown,  ///< too large, or not defined where it was tried
};

/// Whether two expressions (no relations, sets or tuples) are equal for all values.
Sameness CompareExpressions(const Formula& a, const Formula& b);

/// A rational number within 1e-25 (relative) of a real constant expression.
std::optional<Rational> ApproximateValue(const Formula& formula);

/// a/b if that is a constant rational number other than 0; for equations that are multiples.
std::optional<Rational> ConstantRatio(const Formula& a, const Formula& b);

/// The coefficients of a polynomial in one symbol with rational coefficients, constant term first;
/// at most degree 16. None for anything else.
std::optional<std::vector<Rational>> Coefficients(const Formula& formula,
                                                  const std::string& symbol);

/// Roots of the polynomial: all rational ones, and the two of a quadratic rest as surds. None if
/// others remain. Real or complex; each once, in order of discovery.
std::optional<std::vector<FormulaPtr>> PolynomialRoots(const std::vector<Rational>& coefficients);

/// The solution of a linear system (each formula = 0) if there is exactly one. At most 8 unknowns.
std::optional<std::map<std::string, Rational>> SolveLinear(
    const std::vector<FormulaPtr>& zero, const std::vector<std::string>& unknowns);

}  // namespace ergo::reasoning
