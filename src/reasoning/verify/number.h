// Exact rational numbers whose size is bounded: no text can make them slow or large.
#pragma once

#include <gmpxx.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ergo::reasoning {

using Rational = mpq_class;

/// Bits of a numerator or denominator; what would be larger is refused (about 1,200 digits).
inline constexpr std::size_t kMaxNumberBits = 4096;

/// Both parts are within kMaxNumberBits.
bool Fits(const Rational& value);

/// "12", "0.25", ".5": at most 400 digits, no sign, no separators. None for anything else.
std::optional<Rational> ParseDecimal(std::string_view digits);

/// base^exponent for an integer exponent, or for 1/n if the root is exact. None if it is not
/// defined, not rational or too large; large results are refused before they are computed.
std::optional<Rational> Power(const Rational& base, const Rational& exponent);

/// The rational root of a rational number, if there is one. 1 <= degree <= 64.
std::optional<Rational> ExactRoot(const Rational& value, unsigned long degree);

/// n! for 0 <= n <= 200.
std::optional<Rational> Factorial(const Rational& value);

/// a/b; none for b = 0.
std::optional<Rational> Divide(const Rational& a, const Rational& b);

Rational PowerOfTen(int exponent);  ///< -400 <= exponent <= 400

/// To the nearest multiple of 10^-decimals, halves away from zero. -400 <= decimals <= 400.
Rational RoundTo(const Rational& value, int decimals);

/// "12", "0.25" if the decimal form ends within `max_decimals`.
std::optional<std::string> DecimalText(const Rational& value, int max_decimals = 12);

/// DecimalText if there is one, else "a/b".
std::string Text(const Rational& value);

bool IsInteger(const Rational& value);

}  // namespace ergo::reasoning
