// Names that a derivation gives to what it computes: "\text{Sold} = 36 \times 5/6".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "reasoning/verify/check.h"

namespace ergo::reasoning {

/// The calculation that the text goes on from, when it ends in "<name> =" and the name was last
/// given to one, or when its last line is just "=": "36 \times 5/6". None otherwise.
std::optional<std::string> CalculationBefore(std::string_view text);

/// A name that was given to a calculation, and to another value in the next equation, is refuted.
class DefinitionCheck : public Check {
 public:
  std::string_view name() const override { return "definitions"; }
  std::vector<Finding> Run(const CheckInput& input) const override;
};

}  // namespace ergo::reasoning
