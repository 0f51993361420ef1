// Exact numbers of answers: fractions, and the ways in which people write them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ergo::reasoning::eval {

/// A reduced fraction of 64-bit integers. Operations that do not fit give nothing.
class Fraction {
 public:
  constexpr Fraction() = default;
  constexpr Fraction(std::int64_t whole) : numerator_(whole) {}  // NOLINT: an integer is one
  /// Nothing if `denominator` is 0 or the reduced parts do not fit.
  static std::optional<Fraction> Make(__int128 numerator, __int128 denominator);

  std::int64_t numerator() const { return numerator_; }
  std::int64_t denominator() const { return denominator_; }  ///< at least 1
  bool whole() const { return denominator_ == 1; }
  std::string ToString() const;  ///< "7", "-3/4"

  friend bool operator==(const Fraction&, const Fraction&) = default;

 private:
  std::int64_t numerator_ = 0;
  std::int64_t denominator_ = 1;
};

std::optional<Fraction> Add(const Fraction& a, const Fraction& b);
std::optional<Fraction> Subtract(const Fraction& a, const Fraction& b);
std::optional<Fraction> Multiply(const Fraction& a, const Fraction& b);
/// Nothing for division by 0 as well.
std::optional<Fraction> Divide(const Fraction& a, const Fraction& b);

/// A number as people write it, and nothing else: "$1,234.50", "-7", "3/4", "1.5e3", "18.". Signs
/// may be U+2212; commas must group by three. Nothing if it is something else or does not fit.
std::optional<Fraction> ParseNumber(std::string_view text);

/// The same number: by value where both fit, else by their normalized digits. False if one of them
/// is no number.
bool SameNumber(std::string_view a, std::string_view b);

/// The value of an expression in whole numbers, + - * / (also × ÷ − · and \times \cdot \div) and
/// parentheses, and the numbers that it uses. Nothing if it is something else, is longer than 512
/// bytes, nests deeper than 32, divides by 0 or does not fit.
struct ExpressionValue {
  Fraction value;
  std::vector<std::int64_t> numbers;
};
std::optional<ExpressionValue> EvaluateExpression(std::string_view text);

}  // namespace ergo::reasoning::eval
