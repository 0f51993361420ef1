#include "reasoning/verify/checks.h"

#include <array>

#include "reasoning/verify/algebra_check.h"
#include "reasoning/verify/arithmetic.h"
#include "reasoning/verify/code_check.h"
#include "reasoning/verify/definitions.h"
#include "reasoning/verify/logic_check.h"

namespace ergo::reasoning {

std::span<const std::unique_ptr<const Check>> Checks() {
  static const std::array<std::unique_ptr<const Check>, 5> kChecks = {
      std::make_unique<const ArithmeticCheck>(), std::make_unique<const DefinitionCheck>(),
      std::make_unique<const AlgebraCheck>(),    std::make_unique<const LogicCheck>(),
      std::make_unique<const CodeCheck>(),
  };
  return kChecks;
}

}  // namespace ergo::reasoning
