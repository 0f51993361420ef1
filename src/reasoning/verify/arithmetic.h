// Arithmetic that is claimed in running text, English or Chinese, plain, LaTeX or in words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reasoning/verify/check.h"

namespace ergo::reasoning {

/// Finds equations ("$36 * 5/6 = $30", "12 加 5 等于 17", "a = b = c", \frac{}{}, <<48/2=24>>) and
/// statements of the same in words ("half of 48 is 24", 36的六分之五是30), and computes them in
/// exact rationals, with units of time, length, mass, volume and money converted. A result that is
/// rounded to the digits shown holds, and the reason says so.
///
/// A claim that has several readings (per cent, units left out, how far a phrase reaches) is
/// refuted only if it is false in all of them and nothing in it was left unread; otherwise it is
/// unchecked or, if its text may be no claim at all, not reported. Ratios, times, dates, code,
/// variables and modular arithmetic are not claims. Reads the first 64 KiB of a text.
class ArithmeticCheck : public Check {
 public:
  std::string_view name() const override { return "arithmetic"; }
  std::vector<Finding> Run(const CheckInput& input) const override;
};

/// When `text` ends in "<expression> =" (or "= $", 等于, a marker "<<48/2="): the exact value to go
/// on with, as the text writes numbers: "24", "$22.50", "1,250", or a fraction if the decimals do
/// not end. No leading space. None if the expression is not fully understood or ambiguous.
std::optional<std::string> ExactValueAfterEquals(std::string_view text);

}  // namespace ergo::reasoning
