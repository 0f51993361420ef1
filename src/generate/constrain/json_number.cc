// Ranges of numbers as expressions over their digits.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "generate/constrain/automaton.h"
#include "generate/constrain/json_text.h"

namespace ergo::generate::constrain {
namespace {

constexpr int kMaxDigits = 30;
constexpr std::int64_t kMaxMultiple = 10'000;
constexpr std::size_t kMaxStates = 100'000;

/// A decimal number: digits before the point without leading zeros ("0" for none), digits behind
/// it without trailing ones.
struct Decimal {
  bool negative = false;
  std::string whole = "0";
  std::string fraction = {};

  bool zero() const { return whole == "0" && fraction.empty(); }
};

std::optional<Decimal> ToDecimal(const OrderedJson& number) {
  std::string text = number.dump();
  Decimal result;
  if (text.starts_with("-")) {
    result.negative = true;
    text.erase(0, 1);
  }
  int exponent = 0;
  const std::size_t e = text.find_first_of("eE");
  if (e != std::string::npos) {
    exponent = std::atoi(text.c_str() + e + 1);
    text.resize(e);
  }
  const std::size_t point = text.find('.');
  std::string digits = text;
  if (point != std::string::npos) {
    digits.erase(point, 1);
    exponent -= static_cast<int>(digits.size() - point);
  }
  if (exponent > kMaxDigits || exponent < -kMaxDigits - 20) return std::nullopt;
  if (exponent >= 0) {
    digits.append(static_cast<std::size_t>(exponent), '0');
  } else {
    const auto behind = static_cast<std::size_t>(-exponent);
    if (digits.size() <= behind) digits.insert(0, behind + 1 - digits.size(), '0');
    result.fraction = digits.substr(digits.size() - behind);
    digits.resize(digits.size() - behind);
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  result.whole = digits.empty() ? "0" : digits;
  while (result.fraction.ends_with("0")) result.fraction.pop_back();
  if (result.whole.size() + result.fraction.size() > kMaxDigits) return std::nullopt;
  if (result.zero()) result.negative = false;
  return result;
}

/// Adds one to a string of digits, or takes one away (not from "0").
std::string Plus(std::string digits, int step) {
  for (std::size_t i = digits.size(); i-- > 0;) {
    const char limit = step > 0 ? '9' : '0';
    if (digits[i] != limit) {
      digits[i] = static_cast<char>(digits[i] + step);
      break;
    }
    digits[i] = step > 0 ? '0' : '9';
    if (i == 0 && step > 0) digits.insert(0, "1");
  }
  if (digits.size() > 1 && digits[0] == '0') digits.erase(0, 1);
  return digits;
}

class Numbers {
 public:
  explicit Numbers(Expressions* expressions) : e_(*expressions) {}

  ExprId Digit(char first, char last) {
    return e_.Chars(
        CharSet::Of(static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last)));
  }
  ExprId Digits(std::size_t min, std::uint32_t max) {
    return e_.Repeat(Digit('0', '9'), static_cast<std::uint32_t>(min), max);
  }
  ExprId SomeDigits(std::size_t count) { return Digits(count, static_cast<std::uint32_t>(count)); }

  /// Strings of digits from `low` to `high`, of the same length.
  ExprId SameLength(std::string_view low, std::string_view high) {
    if (low.empty()) return Expressions::kEmptyExpr;
    const std::size_t rest = low.size() - 1;
    if (low[0] == high[0]) {
      return e_.Concat({Digit(low[0], low[0]), SameLength(low.substr(1), high.substr(1))});
    }
    std::vector<ExprId> choices;
    char first = low[0];
    char last = high[0];
    if (low.find_first_not_of('0', 1) != std::string_view::npos) {
      const std::string nines(rest, '9');
      choices.push_back(e_.Concat({Digit(first, first), SameLength(low.substr(1), nines)}));
      ++first;
    }
    if (high.find_first_not_of('9', 1) != std::string_view::npos) {
      const std::string zeros(rest, '0');
      choices.push_back(e_.Concat({Digit(last, last), SameLength(zeros, high.substr(1))}));
      --last;
    }
    if (first <= last) choices.push_back(e_.Concat({Digit(first, last), SomeDigits(rest)}));
    return e_.OneOf(std::move(choices));
  }

  static bool Less(std::string_view a, std::string_view b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  }

  /// Whole numbers from `low` up to `high`, if there is one.
  ExprId Whole(const std::string& low, const std::optional<std::string>& high) {
    if (high && Less(*high, low)) return Expressions::kNothingExpr;
    std::vector<ExprId> choices;
    std::string from = low;
    if (from == "0") {
      choices.push_back(e_.Bytes("0"));
      if (high && *high == "0") return choices[0];
      from = "1";
    }
    while (!high || from.size() < high->size()) {
      choices.push_back(SameLength(from, std::string(from.size(), '9')));
      const std::size_t length = from.size();
      from = "1" + std::string(length, '0');
      if (high) continue;
      choices.push_back(e_.Concat({Digit('1', '9'), Digits(length, kUnlimited)}));
      return e_.OneOf(std::move(choices));
    }
    choices.push_back(SameLength(from, *high));
    return e_.OneOf(std::move(choices));
  }

  ExprId AnyFraction() { return e_.Optional(e_.Concat({e_.Bytes("."), Digits(1, kUnlimited)})); }
  /// Digits of which one is not 0.
  ExprId NotZero() {
    return e_.Concat({Digits(0, kUnlimited), Digit('1', '9'), Digits(0, kUnlimited)});
  }

  ExprId FractionFrom(std::string_view digits, bool inclusive) {
    if (digits.empty()) {
      return inclusive ? AnyFraction() : e_.Concat({e_.Bytes("."), NotZero()});
    }
    ExprId rest = inclusive ? Digits(0, kUnlimited) : NotZero();
    for (std::size_t i = digits.size(); i-- > 0;) {
      std::vector<ExprId> choices = {e_.Concat({Digit(digits[i], digits[i]), rest})};
      if (digits[i] < '9') {
        choices.push_back(
            e_.Concat({Digit(static_cast<char>(digits[i] + 1), '9'), Digits(0, kUnlimited)}));
      }
      rest = e_.OneOf(std::move(choices));
    }
    return e_.Concat({e_.Bytes("."), rest});
  }

  ExprId FractionUpTo(std::string_view digits, bool inclusive) {
    const ExprId zeros = e_.Repeat(e_.Bytes("0"), 1, kUnlimited);
    if (digits.empty()) {
      if (!inclusive) return Expressions::kNothingExpr;
      return e_.Optional(e_.Concat({e_.Bytes("."), zeros}));
    }
    ExprId rest = Expressions::kNothingExpr;
    for (std::size_t i = digits.size(); i-- > 0;) {
      const bool last = i + 1 == digits.size();
      const ExprId after =
          last ? (inclusive ? e_.Optional(zeros) : Expressions::kNothingExpr) : e_.Optional(rest);
      std::vector<ExprId> choices = {e_.Concat({Digit(digits[i], digits[i]), after})};
      if (digits[i] > '0') {
        choices.push_back(
            e_.Concat({Digit('0', static_cast<char>(digits[i] - 1)), Digits(0, kUnlimited)}));
      }
      rest = e_.OneOf(std::move(choices));
    }
    return e_.Optional(e_.Concat({e_.Bytes("."), rest}));
  }

 private:
  Expressions& e_;
};

struct Limit {
  Decimal value;
  bool inclusive = true;
};

/// Ranges of numbers that are not negative, in whole numbers or with fractions.
class Magnitudes {
 public:
  Magnitudes(Expressions* expressions, bool integer)
      : e_(*expressions), numbers_(expressions), integer_(integer) {}

  ExprId From(const Limit& low) {
    const auto& [value, inclusive] = low;
    const std::string next = Plus(value.whole, 1);
    if (integer_) {
      const bool whole = value.fraction.empty() && inclusive;
      return numbers_.Whole(whole ? value.whole : next, std::nullopt);
    }
    return e_.OneOf(
        {e_.Concat({e_.Bytes(value.whole), numbers_.FractionFrom(value.fraction, inclusive)}),
         e_.Concat({numbers_.Whole(next, std::nullopt), numbers_.AnyFraction()})});
  }

  ExprId UpTo(const Limit& high) {
    const auto& [value, inclusive] = high;
    const bool at_zero = value.whole == "0";
    if (integer_) {
      const bool whole = !value.fraction.empty() || inclusive;
      if (!whole && at_zero) return Expressions::kNothingExpr;
      return numbers_.Whole("0", whole ? value.whole : Plus(value.whole, -1));
    }
    const ExprId edge =
        e_.Concat({e_.Bytes(value.whole), numbers_.FractionUpTo(value.fraction, inclusive)});
    if (at_zero) return edge;
    return e_.OneOf(
        {edge, e_.Concat({numbers_.Whole("0", Plus(value.whole, -1)), numbers_.AnyFraction()})});
  }

  ExprId All() {
    const ExprId whole = numbers_.Whole("0", std::nullopt);
    return integer_ ? whole : e_.Concat({whole, numbers_.AnyFraction()});
  }

 private:
  Expressions& e_;
  Numbers numbers_;
  bool integer_;
};

std::optional<Automaton> Build(const Expressions& expressions, ExprId expr) {
  auto automaton = BuildAutomaton(expressions, expr, {.max_states = kMaxStates});
  if (!automaton || !automaton->deterministic) return std::nullopt;
  return Minimize(*automaton);
}

/// Both conditions; either may be absent.
std::optional<ExprId> Both(std::optional<ExprId> a, std::optional<ExprId> b,
                           Expressions* expressions) {
  if (!a || !b) return a ? a : b;
  const auto left = Build(*expressions, *a);
  const auto right = Build(*expressions, *b);
  if (!left || !right) return std::nullopt;
  auto both = Intersect(*left, *right, kMaxStates);
  if (!both) return std::nullopt;
  return expressions->FromAutomaton(std::make_shared<const Automaton>(Minimize(*both)));
}

/// Whole numbers, with a sign or without, that `divisor` divides.
ExprId MultiplesOf(std::int64_t divisor, Expressions* expressions) {
  Expressions& e = *expressions;
  std::vector<GraphEdge> edges = {{2, 1, Expressions::kEmptyExpr}};
  // Node 2 + r: the digits so far leave the remainder r.
  for (std::int64_t remainder = 0; remainder < divisor; ++remainder) {
    for (std::int64_t digit = 0; digit < 10; ++digit) {
      const auto to = static_cast<std::uint32_t>(2 + (10 * remainder + digit) % divisor);
      const ExprId label = e.Bytes(std::string(1, static_cast<char>('0' + digit)));
      edges.push_back({static_cast<std::uint32_t>(2 + remainder), to, label});
      if (remainder == 0) edges.push_back({0, to, label});
    }
  }
  return e.Concat({e.Optional(e.Bytes("-")), e.Graph(std::move(edges))});
}

/// The condition of one multipleOf; `integer` is set if only whole numbers can satisfy it.
Result<ExprId> Multiple(const OrderedJson& value, bool* integer, const std::string& where,
                        Expressions* expressions) {
  const auto decimal = ToDecimal(value);
  const std::string remedy = "use a whole number up to 10000, or a power of ten";
  if (!decimal || decimal->negative || decimal->zero()) {
    return Fail("multipleOf must be a number above 0 that can be counted with", where, remedy);
  }
  const std::string digits =
      decimal->whole == "0" ? decimal->fraction : decimal->whole + decimal->fraction;
  const std::size_t behind = decimal->fraction.size();
  const std::string plain = digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
  if (plain.size() > 9 || behind > 9)
    return Fail("this multipleOf is not supported", where, remedy);
  const auto numerator = static_cast<std::int64_t>(std::stoll(plain));
  if (*integer || behind == 0) {
    // A whole number times 10^behind must be a multiple of the numerator.
    std::int64_t scale = 1;
    for (std::size_t i = 0; i < behind; ++i) scale *= 10;
    const std::int64_t divisor = numerator / std::gcd(numerator, scale);
    if (divisor > kMaxMultiple) return Fail("this multipleOf is too large", where, remedy);
    *integer = true;
    return MultiplesOf(divisor, expressions);
  }
  if (numerator != 1) return Fail("this multipleOf is not supported", where, remedy);
  Numbers numbers(expressions);
  Expressions& e = *expressions;
  return e.Concat({e.Optional(e.Bytes("-")), numbers.Whole("0", std::nullopt),
                   e.Optional(e.Concat(
                       {e.Bytes("."), numbers.Digits(1, static_cast<std::uint32_t>(behind))}))});
}

}  // namespace

Result<ExprId> NumbersIn(const NumberRange& range, const std::string& where,
                         Expressions* expressions) {
  Expressions& e = *expressions;
  const auto too_long = [&] {
    return Fail(fmt::format("the bound has more than {} digits", kMaxDigits), where);
  };
  bool integer = range.integer;
  std::optional<ExprId> multiples;
  for (const OrderedJson& multiple : range.multiples) {
    auto one = Multiple(multiple, &integer, where, expressions);
    if (!one) return one;
    multiples = Both(multiples, *one, expressions);
    if (!multiples) return Fail("multipleOf takes too many states", where);
  }
  std::optional<Limit> low;
  std::optional<Limit> high;
  if (range.low) {
    const auto value = ToDecimal(range.low->value);
    if (!value) return too_long();
    low = Limit{*value, range.low->inclusive};
  }
  if (range.high) {
    const auto value = ToDecimal(range.high->value);
    if (!value) return too_long();
    high = Limit{*value, range.high->inclusive};
  }
  Magnitudes magnitudes(expressions, integer);
  const auto part = [&](const std::optional<Limit>& from, const std::optional<Limit>& to) {
    std::optional<ExprId> a;
    std::optional<ExprId> b;
    if (from) a = magnitudes.From(*from);
    if (to) b = magnitudes.UpTo(*to);
    if (!a && !b) return std::optional<ExprId>(magnitudes.All());
    return Both(a, b, expressions);
  };
  std::vector<std::optional<ExprId>> parts;
  const auto negated = [](Limit limit) {
    limit.value.negative = !limit.value.negative && !limit.value.zero();
    return limit;
  };
  if (!high || !high->value.negative) {
    parts.push_back(part(low && !low->value.negative ? low : std::nullopt, high));
  }
  if (!low || low->value.negative) {
    // Below zero the order of the digits turns around. Zero itself is there already.
    std::optional<Limit> from = Limit{.value = {}, .inclusive = false};
    if (high && (high->value.negative || high->value.zero())) {
      from = high->value.zero() ? Limit{.value = {}, .inclusive = false} : negated(*high);
    }
    const auto mirrored = part(from, low ? std::optional(negated(*low)) : std::nullopt);
    parts.push_back(mirrored ? std::optional(e.Concat({e.Bytes("-"), *mirrored})) : mirrored);
  }
  std::vector<ExprId> choices;
  for (const auto& one : parts) {
    if (!one) return Fail("the range takes too many states", where);
    choices.push_back(*one);
  }
  const auto result = Both(e.OneOf(std::move(choices)), multiples, expressions);
  if (!result) return Fail("the range takes too many states", where);
  return *result;
}

}  // namespace ergo::generate::constrain
