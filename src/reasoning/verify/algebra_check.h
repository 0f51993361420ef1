// Claims of algebra in a step.
#pragma once

#include <vector>

#include "reasoning/verify/check.h"

namespace ergo::reasoning {

/// Finds in a step
///  - solutions: "2x + 3 = 11, so x = 4" (the equation before it in the step, in that symbol
///  alone):
///    verified if the value satisfies it, refuted if not;
///  - identities: "(a+b)^2 = a^2 + 2ab + b^2": verified if both sides are equal for all values.
///  Sides
///    that differ are an equation, not a claim; they are refuted only right behind "expand",
///    "simplify", "factor" or "identity", when a product of sums stands against a sum.
/// Equations without symbols are ArithmeticCheck's. Reads 16 KiB and 64 equations at most.
class AlgebraCheck : public Check {
 public:
  std::string_view name() const override { return "algebra"; }
  std::vector<Finding> Run(const CheckInput& input) const override;
};

}  // namespace ergo::reasoning
