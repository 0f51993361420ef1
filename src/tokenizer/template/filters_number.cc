// Filters that give numbers.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

#include "tokenizer/template/filters.h"
#include "tokenizer/template/parameters.h"
#include "tokenizer/template/unicode.h"

namespace ergo::tokenizer::jinja {
namespace {

// No double has more digits after the point that matter to rounding.
constexpr long long kMaxDigits = 400;

bool IsAlnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Takes out the underscores that Python allows between digits; nothing if one stands elsewhere.
std::optional<std::string> DropUnderscores(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
    } else if (i == 0 || i + 1 == text.size() || !IsAlnum(text[i - 1]) || !IsAlnum(text[i + 1])) {
      return std::nullopt;
    }
  }
  return out;
}

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
}

/// Python's int(text, base); nothing for bad syntax.
std::optional<Int> ParseWhole(std::string_view text, long long base) {
  text = Strip(text, Side::kBoth);
  const bool negative = text.starts_with("-");
  if (negative || text.starts_with("+")) text.remove_prefix(1);
  if (base != 0 && (base < 2 || base > 36)) return std::nullopt;
  if (text.size() > 1 && text[0] == '0') {
    const char letter = static_cast<char>(text[1] | 0x20);
    const long long named = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    if (named != 0 && (base == named || base == 0)) {
      text.remove_prefix(2);
      if (text.starts_with("_")) text.remove_prefix(1);
      base = named;
    }
  }
  if (base == 0) base = 10;
  const auto digits = DropUnderscores(text);
  if (!digits || digits->empty()) return std::nullopt;
  Int value = 0;
  for (const char c : *digits) {
    if (DigitOf(c) >= base) return std::nullopt;
    if (__builtin_mul_overflow(value, static_cast<Int>(base), &value) ||
        __builtin_add_overflow(value, static_cast<Int>(DigitOf(c)), &value)) {
      Raise("whole number too large (limit: 127 bits)");
    }
  }
  return negative ? -value : value;
}

/// Python's float(text); nothing for bad syntax.
std::optional<double> ParseReal(std::string_view text) {
  const auto clean = DropUnderscores(Strip(text, Side::kBoth));
  if (!clean || clean->empty()) return std::nullopt;
  std::string_view rest = *clean;
  if (rest[0] == '+') rest.remove_prefix(1);
  if (rest.empty() || rest[0] == '+') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (end != rest.data() + rest.size() || rest.find('(') != std::string_view::npos) {
    return std::nullopt;
  }
  if (error == std::errc::result_out_of_range) {
    // Too large is infinite and too small is zero; from_chars leaves the choice to us.
    return std::strtod(std::string(rest).c_str(), nullptr);
  }
  if (error != std::errc()) return std::nullopt;
  return value;
}

Int Truncated(double value) {
  if (std::fabs(value) >= 0x1p126) Raise("whole number too large (limit: 127 bits)");
  return static_cast<Int>(value);
}

Value ToInt(Runtime&, const Value& input, Arguments& arguments) {
  const Parameters p("int", arguments, {"default", "base"});
  if (input.IsUndefined()) RaiseUndefined(input);
  if (input.IsWhole()) return Value(input.whole());
  std::optional<double> real;
  if (input.IsFloat()) real = input.real();
  if (input.IsString()) {
    if (const auto whole = ParseWhole(input.str(), p.Whole(1, 10))) return Value(*whole);
    real = ParseReal(input.str());
  }
  if (input.IsFloat() && std::isinf(*real)) Raise("cannot convert float infinity to integer");
  if (real && std::isfinite(*real)) return Value(Truncated(*real));
  return p.Has(0) ? *p[0] : Value(static_cast<Int>(0));
}

Value ToFloat(Runtime&, const Value& input, Arguments& arguments) {
  const Parameters p("float", arguments, {"default"});
  if (input.IsUndefined()) RaiseUndefined(input);
  if (input.IsNumber()) return Value(input.number());
  if (input.IsString()) {
    if (const auto real = ParseReal(input.str())) return Value(*real);
  }
  return p.Has(0) ? *p[0] : Value(0.0);
}

Value Absolute(Runtime&, const Value& input, Arguments& arguments) {
  const Parameters p("abs", arguments, {});
  if (input.IsWhole()) return input.whole() < 0 ? Negate(input) : Value(input.whole());
  if (input.IsFloat()) return Value(std::fabs(input.real()));
  if (input.IsUndefined()) RaiseUndefined(input);
  Raise(fmt::format("bad operand type for abs(): '{}'", input.TypeName()));
}

/// round() to `digits` after the point, half to even on the exact value.
double RoundReal(double value, long long digits) {
  if (!std::isfinite(value) || digits > kMaxDigits) return value;
  if (digits < 0) {
    if (digits < -330) return std::copysign(0.0, value);
    const double unit = std::pow(10.0, static_cast<double>(-digits));
    return std::nearbyint(value / unit) * unit;
  }
  char buffer[1024];
  std::snprintf(buffer, sizeof(buffer), "%.*f", static_cast<int>(digits), value);
  return std::strtod(buffer, nullptr);
}

Value RoundWhole(Int value, long long digits) {
  if (digits >= 0) return Value(value);
  Int unit = 1;
  for (long long i = digits; i < 0; ++i) {
    if (__builtin_mul_overflow(unit, static_cast<Int>(10), &unit)) {
      return Value(static_cast<Int>(0));
    }
  }
  Int rest = value % unit;
  if (rest < 0) rest += unit;
  const Int floor = value - rest;
  const bool up = rest > unit - rest || (rest == unit - rest && floor / unit % 2 != 0);
  return Value(up ? floor + unit : floor);
}

Value Round(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("round", arguments, {"precision", "method"});
  const std::string_view method = p.String(1, "common");
  const long long digits = p.Whole(0, 0);
  if (method != "common" && method != "ceil" && method != "floor") {
    Raise("method must be common, ceil or floor");
  }
  if (input.IsUndefined()) RaiseUndefined(input);
  if (!input.IsNumber()) Raise(fmt::format("round() takes a number, not {}", input.TypeName()));
  if (method == "common") {
    return input.IsFloat() ? Value(RoundReal(input.real(), digits))
                           : RoundWhole(input.whole(), digits);
  }
  const Value unit = Operate(runtime, BinaryOp::kPower, Value(static_cast<Int>(10)),
                             Value(static_cast<Int>(digits)));
  const double scaled = Operate(runtime, BinaryOp::kMultiply, input, unit).number();
  if (!std::isfinite(scaled)) Raise("cannot convert float infinity or NaN to integer");
  return Value((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / unit.number());
}

Value FileSize(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("filesizeformat", arguments, {"binary"});
  std::optional<double> bytes;
  if (input.IsNumber()) bytes = input.number();
  if (input.IsString()) bytes = ParseReal(input.str());
  if (!bytes || !std::isfinite(*bytes)) Raise("filesizeformat() takes a number");
  const double base = p.Flag(0, false) ? 1024 : 1000;
  if (*bytes == 1) return runtime.MakeText("1 Byte");
  if (*bytes < base) return runtime.MakeText(IntText(Truncated(*bytes)) + " Bytes");
  constexpr std::string_view kPrefixes = "kMGTPEZY";
  double unit = base * base;
  std::size_t i = 0;
  for (; i + 1 < kPrefixes.size() && *bytes >= unit; ++i) unit *= base;
  const std::string prefix = base == 1024
                                 ? std::string(1, static_cast<char>(kPrefixes[i] & ~0x20)) + "i"
                                 : std::string(1, kPrefixes[i]);
  return runtime.MakeText(fmt::format("{:.1f} {}B", base * *bytes / unit, prefix));
}

constexpr std::array<NamedFilter, 5> kFilters = {{
    {"abs", Absolute},
    {"filesizeformat", FileSize},
    {"float", ToFloat},
    {"int", ToInt},
    {"round", Round},
}};

}  // namespace

FilterFunction FindNumberFilter(std::string_view name) { return SearchFilters(kFilters, name); }

FilterFunction FindFilter(std::string_view name) {
  for (const auto find : {FindTextFilter, FindSequenceFilter, FindSelectFilter, FindNumberFilter}) {
    if (const FilterFunction found = find(name)) return found;
  }
  return nullptr;
}

}  // namespace ergo::tokenizer::jinja
