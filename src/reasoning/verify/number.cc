#include "reasoning/verify/number.h"

#include <algorithm>

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMaxDigits = 400;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::size_t Bits(const mpz_class& value) { return mpz_sizeinbase(value.get_mpz_t(), 2); }

}  // namespace

bool Fits(const Rational& value) {
  return Bits(value.get_num()) <= kMaxNumberBits && Bits(value.get_den()) <= kMaxNumberBits;
}

bool IsInteger(const Rational& value) { return value.get_den() == 1; }

Rational PowerOfTen(int exponent) {
  mpz_class power;
  mpz_ui_pow_ui(power.get_mpz_t(), 10, static_cast<unsigned long>(std::abs(exponent)));
  return exponent >= 0 ? Rational(power) : Rational(mpz_class(1), power);
}

std::optional<Rational> ParseDecimal(std::string_view digits) {
  const std::size_t point = digits.find('.');
  std::string all(digits.substr(0, point));
  std::size_t decimals = 0;
  if (point != std::string_view::npos) {
    all += digits.substr(point + 1);
    decimals = digits.size() - point - 1;
  }
  if (all.empty() || all.size() > kMaxDigits || !std::all_of(all.begin(), all.end(), IsDigit)) {
    return std::nullopt;
  }
  Rational value(mpz_class(all, 10));
  return Rational(value * PowerOfTen(-static_cast<int>(decimals)));
}

std::optional<Rational> ExactRoot(const Rational& value, unsigned long degree) {
  if (degree == 0 || degree > 64 || (value < 0 && degree % 2 == 0)) return std::nullopt;
  mpz_class num;
  mpz_class den;
  if (mpz_root(num.get_mpz_t(), value.get_num_mpz_t(), degree) == 0) return std::nullopt;
  if (mpz_root(den.get_mpz_t(), value.get_den_mpz_t(), degree) == 0) return std::nullopt;
  return Rational(num, den);
}

std::optional<Rational> Power(const Rational& base, const Rational& exponent) {
  if (!exponent.get_den().fits_ulong_p() || !exponent.get_num().fits_slong_p()) {
    // Only 0 and ±1 have powers that stay small.
    if (base == 1) return base;
    return std::nullopt;
  }
  const unsigned long degree = exponent.get_den().get_ui();
  const long power = exponent.get_num().get_si();
  if (base == 0) return power > 0 ? std::optional<Rational>(0) : std::nullopt;
  const auto root = degree == 1 ? std::optional<Rational>(base) : ExactRoot(base, degree);
  if (!root) return std::nullopt;
  const unsigned long times =
      power < 0 ? 0UL - static_cast<unsigned long>(power) : static_cast<unsigned long>(power);
  const std::size_t bits = std::max(Bits(root->get_num()), Bits(root->get_den()));
  const bool unit = abs(root->get_num()) == 1 && root->get_den() == 1;
  if (unit) return Rational(*root < 0 && times % 2 == 1 ? -1 : 1);
  if (times > kMaxNumberBits || bits * times > 2 * kMaxNumberBits) return std::nullopt;
  mpz_class num;
  mpz_class den;
  mpz_pow_ui(num.get_mpz_t(), root->get_num_mpz_t(), times);
  mpz_pow_ui(den.get_mpz_t(), root->get_den_mpz_t(), times);
  Rational result = power < 0 ? Rational(den, num) : Rational(num, den);
  result.canonicalize();
  if (!Fits(result)) return std::nullopt;
  return result;
}

std::optional<Rational> Factorial(const Rational& value) {
  if (!IsInteger(value) || value < 0 || value > 200) return std::nullopt;
  mpz_class result;
  mpz_fac_ui(result.get_mpz_t(), value.get_num().get_ui());
  return Rational(result);
}

std::optional<Rational> Divide(const Rational& a, const Rational& b) {
  if (b == 0) return std::nullopt;
  return Rational(a / b);
}

Rational RoundTo(const Rational& value, int decimals) {
  const Rational scaled = abs(value) * PowerOfTen(decimals) + Rational(1, 2);
  mpz_class whole;
  mpz_fdiv_q(whole.get_mpz_t(), scaled.get_num_mpz_t(), scaled.get_den_mpz_t());
  const Rational rounded = Rational(whole) * PowerOfTen(-decimals);
  return value < 0 ? Rational(-rounded) : rounded;
}

std::optional<std::string> DecimalText(const Rational& value, int max_decimals) {
  for (int decimals = 0; decimals <= max_decimals; ++decimals) {
    const Rational scaled = abs(value) * PowerOfTen(decimals);
    if (!IsInteger(scaled)) continue;
    std::string digits = scaled.get_num().get_str();
    const auto places = static_cast<std::size_t>(decimals);
    if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
    if (places > 0) digits.insert(digits.size() - places, ".");
    return (value < 0 ? "-" : "") + digits;
  }
  return std::nullopt;
}

std::string Text(const Rational& value) {
  if (auto decimal = DecimalText(value)) return *decimal;
  return value.get_str();
}

}  // namespace ergo::reasoning
