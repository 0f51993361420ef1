// Checks steps that hold code by running it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reasoning/sandbox/sandbox.h"
#include "reasoning/verify/check.h"

namespace ergo::reasoning {

/// One finding for each fenced Python or C++ block, and one for each block of output behind it:
/// - an assertion of the block that fails refutes it exactly; assertions that were reached and held
///   verify it (exactly in Python, whose assertions are counted, unless chance or a clock is used);
/// - output that the step shows (a block of ```output or ```text right behind) is compared exactly;
/// - a crash, an error or a timeout refutes it, not exactly;
/// - an end without any of these claims nothing: unsupported;
/// - no sandbox, no module of that name, a wish for input: unchecked, with the reason.
/// Python that lacks a name is run again behind the Python of the earlier steps.
class CodeCheck : public Check {
 public:
  explicit CodeCheck(const SandboxLimits& limits = {}) : limits_(limits) {}
  std::string_view name() const override { return "code"; }
  std::vector<Finding> Run(const CheckInput& input) const override;

 private:
  SandboxLimits limits_;
};

/// Runs Python (bare or in a fence) and returns its answer as text: the variable `answer`, what
/// `solution()` returns, the last printed line, or the value of its last expression; 36.0 is "36".
/// Fails with the reason (error and line, timeout, nothing printed, no sandbox).
Result<std::string> RunPythonForAnswer(std::string_view code, const SandboxLimits& limits = {});

}  // namespace ergo::reasoning
