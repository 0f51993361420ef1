#include "reasoning/eval/number.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/text.h"

namespace ergo::reasoning::eval {

namespace {

constexpr std::size_t kLongestExpression = 512;
constexpr int kDeepest = 32;
constexpr std::size_t kLongestNumber = 64;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

__int128 Magnitude(__int128 value) { return value < 0 ? -value : value; }

__int128 CommonDivisor(__int128 a, __int128 b) {
  a = Magnitude(a);
  b = Magnitude(b);
  while (b != 0) a = std::exchange(b, a % b);
  return a;
}

/// Takes `prefix` off the front of `text`.
bool Take(std::string_view prefix, std::string_view* text) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

void SkipSpace(std::string_view* text) {
  while (!text->empty() && IsSpace(text->front())) text->remove_prefix(1);
}

struct Decimal {
  bool negative = false;
  std::string digits;  ///< of the whole part, then those behind the point
  int scale = 0;       ///< digits behind the point; negative: zeros that follow
};

/// Digits with commas between groups of three.
bool TakeWhole(std::string_view* text, std::string* digits) {
  std::size_t length = 0;
  bool commas = false;
  std::size_t group = 0;
  for (; length < text->size(); ++length) {
    const char c = (*text)[length];
    if (IsDigit(c)) {
      ++group;
      *digits += c;
    } else if (c == ',' && length > 0) {
      if (commas ? group != 3 : group > 3) return false;
      commas = true;
      group = 0;
    } else {
      break;
    }
  }
  if (commas && group != 3) return false;
  text->remove_prefix(length);
  return true;
}

bool TakeExponent(std::string_view* text, int* exponent) {
  if (text->empty() || (text->front() != 'e' && text->front() != 'E')) return true;
  text->remove_prefix(1);
  bool negative = false;
  if (Take("-", text)) {
    negative = true;
  } else {
    Take("+", text);
  }
  std::size_t digits = 0;
  int value = 0;
  while (!text->empty() && IsDigit(text->front())) {
    if (++digits > 3) return false;
    value = 10 * value + (text->front() - '0');
    text->remove_prefix(1);
  }
  *exponent = negative ? -value : value;
  return digits > 0;
}

bool TakeSign(std::string_view* text) {
  if (Take("-", text) || Take("\u2212", text)) return true;
  Take("+", text);
  return false;
}

void TakeCurrency(std::string_view* text) {
  constexpr std::array<std::string_view, 5> kSigns = {"\\$", "$", "\u20ac", "\u00a3", "\u00a5"};
  for (const std::string_view sign : kSigns) {
    if (Take(sign, text)) break;
  }
  SkipSpace(text);
}

/// A decimal at the front of `text`.
std::optional<Decimal> TakeDecimal(std::string_view* text) {
  Decimal decimal;
  decimal.negative = TakeSign(text);
  TakeCurrency(text);
  if (!decimal.negative) decimal.negative = TakeSign(text);
  std::string digits;
  if (!TakeWhole(text, &digits)) return std::nullopt;
  if (Take(".", text)) {
    while (!text->empty() && IsDigit(text->front())) {
      digits += text->front();
      ++decimal.scale;
      text->remove_prefix(1);
    }
  }
  if (digits.empty()) return std::nullopt;
  int exponent = 0;
  if (!TakeExponent(text, &exponent)) return std::nullopt;
  decimal.scale -= exponent;
  while (digits.size() > 1 && digits.back() == '0') {
    digits.pop_back();
    --decimal.scale;
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  if (digits == "0") return Decimal{false, "0", 0};
  decimal.digits = std::move(digits);
  return decimal;
}

std::optional<Decimal> ParseDecimal(std::string_view text) {
  text = Trimmed(text);
  if (text.size() > kLongestNumber) return std::nullopt;
  std::optional<Decimal> decimal = TakeDecimal(&text);
  return text.empty() ? decimal : std::nullopt;
}

std::optional<Fraction> ToFraction(const Decimal& decimal) {
  constexpr int kMostDigits = 18;
  if (static_cast<int>(decimal.digits.size()) + std::max(-decimal.scale, 0) > kMostDigits ||
      decimal.scale > kMostDigits) {
    return std::nullopt;
  }
  __int128 numerator = 0;
  for (const char digit : decimal.digits) numerator = 10 * numerator + (digit - '0');
  for (int i = decimal.scale; i < 0; ++i) numerator *= 10;
  __int128 denominator = 1;
  for (int i = 0; i < decimal.scale; ++i) denominator *= 10;
  return Fraction::Make(decimal.negative ? -numerator : numerator, denominator);
}

/// Recursive descent over + - * / and parentheses.
class ExpressionReader {
 public:
  explicit ExpressionReader(std::string_view text) : text_(text) {}

  std::optional<ExpressionValue> Read() {
    std::optional<Fraction> value = Sum(0);
    SkipSpace(&text_);
    if (!value || !text_.empty()) return std::nullopt;
    return ExpressionValue{*value, std::move(numbers_)};
  }

 private:
  /// '+', '-', '*', '/' or 0, taken off the text.
  char Operator(std::string_view wanted) {
    struct Spelling {
      std::string_view text;
      char meaning;
    };
    static constexpr Spelling kSpellings[] = {
        {"+", '+'},      {"-", '-'},      {"\u2212", '-'}, {"*", '*'},
        {"\u00d7", '*'}, {"\u00b7", '*'}, {"\u22c5", '*'}, {"\\times", '*'},
        {"\\cdot", '*'}, {"/", '/'},      {"\u00f7", '/'}, {"\\div", '/'},
    };
    SkipSpace(&text_);
    for (const Spelling& spelling : kSpellings) {
      if (wanted.find(spelling.meaning) != std::string_view::npos && Take(spelling.text, &text_)) {
        return spelling.meaning;
      }
    }
    return 0;
  }

  std::optional<Fraction> Sum(int depth) {
    std::optional<Fraction> value = Product(depth);
    while (value) {
      const char sign = Operator("+-");
      if (sign == 0) break;
      const std::optional<Fraction> right = Product(depth);
      if (!right) return std::nullopt;
      value = sign == '+' ? Add(*value, *right) : Subtract(*value, *right);
    }
    return value;
  }

  std::optional<Fraction> Product(int depth) {
    std::optional<Fraction> value = Factor(depth);
    while (value) {
      const char sign = Operator("*/");
      if (sign == 0) break;
      const std::optional<Fraction> right = Factor(depth);
      if (!right) return std::nullopt;
      value = sign == '*' ? Multiply(*value, *right) : Divide(*value, *right);
    }
    return value;
  }

  std::optional<Fraction> Factor(int depth) {
    if (depth > kDeepest) return std::nullopt;
    if (Operator("-") != 0) {
      const std::optional<Fraction> value = Factor(depth + 1);
      return value ? Subtract(0, *value) : std::nullopt;
    }
    if (Take("(", &text_) || Take("\\left(", &text_)) {
      const std::optional<Fraction> value = Sum(depth + 1);
      SkipSpace(&text_);
      const bool closed = Take(")", &text_) || Take("\\right)", &text_);
      return closed ? value : std::nullopt;
    }
    std::int64_t number = 0;
    std::size_t digits = 0;
    while (!text_.empty() && IsDigit(text_.front())) {
      if (++digits > 18) return std::nullopt;
      number = 10 * number + (text_.front() - '0');
      text_.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
    numbers_.push_back(number);
    return Fraction(number);
  }

  std::string_view text_;
  std::vector<std::int64_t> numbers_;
};

}  // namespace

std::optional<Fraction> Fraction::Make(__int128 numerator, __int128 denominator) {
  if (denominator == 0) return std::nullopt;
  const __int128 divisor = CommonDivisor(numerator, denominator);
  numerator /= divisor;
  denominator /= divisor;
  if (denominator < 0) {
    numerator = -numerator;
    denominator = -denominator;
  }
  constexpr __int128 kMost = std::numeric_limits<std::int64_t>::max();
  if (Magnitude(numerator) > kMost || denominator > kMost) return std::nullopt;
  Fraction fraction;
  fraction.numerator_ = static_cast<std::int64_t>(numerator);
  fraction.denominator_ = static_cast<std::int64_t>(denominator);
  return fraction;
}

std::string Fraction::ToString() const {
  return std::to_string(numerator_) + (whole() ? "" : "/" + std::to_string(denominator_));
}

std::optional<Fraction> Add(const Fraction& a, const Fraction& b) {
  // Each product is below 2^126, their sum below 2^127.
  return Fraction::Make(static_cast<__int128>(a.numerator()) * b.denominator() +
                            static_cast<__int128>(b.numerator()) * a.denominator(),
                        static_cast<__int128>(a.denominator()) * b.denominator());
}

std::optional<Fraction> Subtract(const Fraction& a, const Fraction& b) {
  return Fraction::Make(static_cast<__int128>(a.numerator()) * b.denominator() -
                            static_cast<__int128>(b.numerator()) * a.denominator(),
                        static_cast<__int128>(a.denominator()) * b.denominator());
}

std::optional<Fraction> Multiply(const Fraction& a, const Fraction& b) {
  return Fraction::Make(static_cast<__int128>(a.numerator()) * b.numerator(),
                        static_cast<__int128>(a.denominator()) * b.denominator());
}

std::optional<Fraction> Divide(const Fraction& a, const Fraction& b) {
  return Fraction::Make(static_cast<__int128>(a.numerator()) * b.denominator(),
                        static_cast<__int128>(a.denominator()) * b.numerator());
}

std::optional<Fraction> ParseNumber(std::string_view text) {
  text = Trimmed(text);
  if (text.size() > 2 * kLongestNumber) return std::nullopt;
  const std::size_t slash = text.find('/');
  const std::optional<Decimal> top = ParseDecimal(text.substr(0, slash));
  const std::optional<Fraction> value = top ? ToFraction(*top) : std::nullopt;
  if (!value || slash == std::string_view::npos) return value;
  const std::optional<Decimal> bottom = ParseDecimal(text.substr(slash + 1));
  const std::optional<Fraction> divisor = bottom ? ToFraction(*bottom) : std::nullopt;
  return divisor ? Divide(*value, *divisor) : std::nullopt;
}

bool SameNumber(std::string_view a, std::string_view b) {
  const std::optional<Fraction> left = ParseNumber(a);
  const std::optional<Fraction> right = ParseNumber(b);
  if (left && right) return *left == *right;
  const std::optional<Decimal> left_digits = ParseDecimal(a);
  const std::optional<Decimal> right_digits = ParseDecimal(b);
  return left_digits && right_digits && left_digits->negative == right_digits->negative &&
         left_digits->scale == right_digits->scale && left_digits->digits == right_digits->digits;
}

std::optional<ExpressionValue> EvaluateExpression(std::string_view text) {
  if (text.size() > kLongestExpression) return std::nullopt;
  return ExpressionReader(text).Read();
}

}  // namespace ergo::reasoning::eval
