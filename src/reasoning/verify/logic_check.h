// Checks the sentences of a step against the rule theory that the question states.
#pragma once

#include <string_view>
#include <vector>

#include "reasoning/verify/check.h"

namespace ergo::reasoning {

/// Premises are the question's own sentences (see LogicReader for the forms); claims are the step's
/// sentences, taken apart at "since", "because", "so", "therefore" and their Chinese forms, and
/// what a step says of the asked statement ("the statement is true", "the answer is Unknown").
/// - verified: derived; refuted: the opposite is derived, or in the closed world nothing derives
/// it;
///   unsupported: neither, in the open world;
/// - unchecked: the premises contradict each other; the reason lists a minimal conflicting set;
/// - exact only if every premise was understood, and nothing in the step is an assumption.
/// No findings where less than half of the question's sentences can be read as a theory.
class LogicCheck : public Check {
 public:
  std::string_view name() const override { return "logic"; }
  std::vector<Finding> Run(const CheckInput& input) const override;
};

}  // namespace ergo::reasoning
