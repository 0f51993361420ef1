// The % operator and str.format().
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/utf8.h"
#include "tokenizer/template/parameters.h"
#include "tokenizer/template/runtime.h"
#include "tokenizer/template/unicode.h"

namespace ergo::tokenizer::jinja {
namespace {

// A double has at most 309 digits before the point, and 1074 after it: more are all zeros.
constexpr long long kMaxPrecision = 1100;

/// What both kinds of formats say about one field.
struct FieldStyle {
  std::string fill = std::string(1, ' ');
  char align = 0;   ///< '<', '>', '^', '=' or 0 for the type's own.
  char sign = '-';  ///< '-', '+' or ' '.
  bool alternate = false;
  char grouping = 0;  ///< ',' or '_'.
  long long width = 0;
  long long precision = -1;
  char type = 0;
};

std::size_t CountCharacters(std::string_view text) { return IndexOf(text, text.size()); }

void AppendPadded(std::string_view text, char align, const FieldStyle& style, TextBuilder* out) {
  const auto length = static_cast<long long>(CountCharacters(text));
  const auto missing = static_cast<std::size_t>(std::max(style.width - length, 0LL));
  const std::size_t before = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  out->AppendRepeated(style.fill, before);
  out->Append(text);
  out->AppendRepeated(style.fill, missing - before);
}

std::string GroupDigits(const std::string& digits, char separator, std::size_t every) {
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % every == 0) out += separator;
    out += digits[i];
  }
  return out;
}

void AppendNumber(bool negative, const std::string& prefix, const std::string& digits,
                  const FieldStyle& style, TextBuilder* out) {
  std::string head = negative ? "-" : style.sign == '-' ? "" : std::string(1, style.sign);
  head += prefix;
  if (style.align != '=')
    return AppendPadded(head + digits, style.align ? style.align : '>', style, out);
  out->Append(head);
  FieldStyle rest = style;
  rest.width -= static_cast<long long>(head.size());
  AppendPadded(digits, '>', rest, out);
}

std::string Digits(Int value, char type) {
  unsigned __int128 magnitude =
      value < 0 ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  switch (type) {
    case 'x':
      return fmt::format("{:x}", magnitude);
    case 'X':
      return fmt::format("{:X}", magnitude);
    case 'o':
      return fmt::format("{:o}", magnitude);
    case 'b':
      return fmt::format("{:b}", magnitude);
    default:
      return fmt::format("{}", magnitude);
  }
}

void AppendWhole(Int value, const FieldStyle& style, TextBuilder* out) {
  std::string digits = Digits(value, style.type);
  if (style.precision > 0) {
    const auto wanted = static_cast<std::size_t>(std::min(style.precision, kMaxPrecision));
    if (digits.size() < wanted) digits.insert(0, wanted - digits.size(), '0');
  }
  const bool decimal = style.type == 'd' || style.type == 0 || style.type == 'n';
  if (style.grouping != 0) digits = GroupDigits(digits, style.grouping, decimal ? 3 : 4);
  const std::string prefix =
      style.alternate && !decimal ? std::string("0") + style.type : std::string();
  AppendNumber(value < 0, prefix, digits, style, out);
}

std::string RealDigits(double magnitude, const FieldStyle& style, char type) {
  if (std::isnan(magnitude)) return type >= 'a' ? "nan" : "NAN";
  if (std::isinf(magnitude)) return type >= 'a' ? "inf" : "INF";
  const auto precision =
      static_cast<int>(std::min(style.precision < 0 ? 6 : style.precision, kMaxPrecision));
  const std::string spec = std::string("%") + (style.alternate ? "#" : "") + ".*" + type;
  char buffer[2048];
  const int size = std::snprintf(buffer, sizeof(buffer), spec.c_str(), precision, magnitude);
  return std::string(buffer, static_cast<std::size_t>(std::max(size, 0)));
}

void AppendReal(double value, const FieldStyle& style, TextBuilder* out) {
  const double magnitude = std::fabs(value);
  std::string digits;
  if (style.type == '%') {
    digits = RealDigits(magnitude * 100, style, 'f') + "%";
  } else if (style.type == 0 && style.precision < 0) {
    digits = FloatText(magnitude);
  } else if (style.type == 0 || style.type == 'n') {
    digits = RealDigits(magnitude, style, 'g');
    const bool plain = digits.find_first_of(".en") == std::string::npos;
    if (style.type == 0 && plain) digits += ".0";
  } else {
    digits = RealDigits(magnitude, style, style.type);
  }
  if (style.grouping != 0) {
    const std::size_t end = std::min(digits.find_first_not_of("0123456789"), digits.size());
    digits = GroupDigits(digits.substr(0, end), style.grouping, 3) + digits.substr(end);
  }
  AppendNumber(std::signbit(value) && !std::isnan(value), "", digits, style, out);
}

void AppendString(std::string_view text, const FieldStyle& style, TextBuilder* out) {
  if (style.precision >= 0) {
    text = text.substr(0, OffsetOf(text, static_cast<std::size_t>(style.precision)));
  }
  AppendPadded(text, style.align ? style.align : '<', style, out);
}

/// Reads a number at the front of `text`; -1 if there is none.
long long ReadNumber(std::string_view* text) {
  if (text->empty() || text->front() < '0' || text->front() > '9') return -1;
  long long value = 0;
  while (!text->empty() && text->front() >= '0' && text->front() <= '9') {
    value = std::min(value * 10 + (text->front() - '0'), 1LL << 40);
    text->remove_prefix(1);
  }
  return value;
}

bool Skip(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

// --- % ---

class PercentFormatter {
 public:
  PercentFormatter(Runtime& runtime, const Text& format, const Value& arguments)
      : runtime_(runtime), format_(format), arguments_(arguments), out_(&runtime.budget()) {}
  Value Run();

 private:
  void Field(std::string_view* rest);
  void Convert(char conversion, const Value& value, FieldStyle style);
  Value NextArgument();
  long long Star(std::string_view* rest);
  static Int WholeOf(const Value& value, char conversion);

  Runtime& runtime_;
  const Text& format_;
  const Value& arguments_;
  TextBuilder out_;
  std::size_t used_ = 0;
  bool by_name_ = false;
};

Value PercentFormatter::NextArgument() {
  if (arguments_.IsTuple()) {
    if (used_ >= arguments_.items().size()) Raise("not enough arguments for format string");
    return arguments_.items()[used_++];
  }
  if (used_++ > 0) Raise("not enough arguments for format string");
  return arguments_;
}

long long PercentFormatter::Star(std::string_view* rest) {
  if (!Skip(rest, '*')) return ReadNumber(rest);
  return SmallWhole(NextArgument(), "the argument of *");
}

Int PercentFormatter::WholeOf(const Value& value, char conversion) {
  if (value.IsWhole()) return value.whole();
  if (value.IsFloat() && (conversion == 'd' || conversion == 'i' || conversion == 'u') &&
      std::fabs(value.real()) < 0x1p126) {
    return static_cast<Int>(value.real());
  }
  if (value.IsUndefined()) RaiseUndefined(value);
  Raise(fmt::format("%{} format: a number is required, not {}", conversion, value.TypeName()));
}

void PercentFormatter::Convert(char conversion, const Value& value, FieldStyle style) {
  style.type = conversion;
  switch (conversion) {
    case 's':
    case 'r':
    case 'a': {
      const std::string text = conversion == 's' ? ToText(runtime_, value) : Repr(runtime_, value);
      const bool escape = format_.markup && !(value.IsString() && value.text().markup);
      style.fill.assign(1, ' ');
      return AppendString(
          escape ? EscapeHtml(text) : text,
          [&] {
            FieldStyle aligned = style;
            aligned.align = style.align == '<' ? '<' : '>';
            return aligned;
          }(),
          &out_);
    }
    case 'c': {
      std::string text;
      if (value.IsString() && value.text().length == 1) {
        text = std::string(value.str());
      } else {
        AppendUtf8(static_cast<std::uint32_t>(std::clamp<Int>(WholeOf(value, 'c'), 0, 0x110000)),
                   &text);
      }
      style.precision = -1;
      if (style.align != '<') style.align = '>';
      return AppendString(text, style, &out_);
    }
    case 'd':
    case 'i':
    case 'u':
      style.type = 'd';
      return AppendWhole(WholeOf(value, conversion), style, &out_);
    case 'x':
    case 'X':
    case 'o':
      return AppendWhole(WholeOf(value, conversion), style, &out_);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
      if (value.IsUndefined()) RaiseUndefined(value);
      if (!value.IsNumber()) Raise(fmt::format("must be real number, not {}", value.TypeName()));
      return AppendReal(value.number(), style, &out_);
    default:
      Raise(fmt::format("unsupported format character '{}'", conversion));
  }
}

void PercentFormatter::Field(std::string_view* rest) {
  std::optional<Value> named;
  if (Skip(rest, '(')) {
    const std::size_t end = rest->find(')');
    if (end == std::string_view::npos) Raise("incomplete format key");
    if (!arguments_.IsDict()) Raise("format requires a mapping");
    const Value* found = arguments_.dict().Find(rest->substr(0, end));
    if (found == nullptr) Raise(fmt::format("no argument '{}'", rest->substr(0, end)));
    named = *found;
    by_name_ = true;
    rest->remove_prefix(end + 1);
  }
  FieldStyle style;
  bool zero = false;
  for (bool flag = true; flag;) {
    flag = false;
    if (Skip(rest, '-')) flag = true, style.align = '<';
    if (Skip(rest, '+')) flag = true, style.sign = '+';
    if (Skip(rest, ' ')) flag = true, style.sign = style.sign == '+' ? '+' : ' ';
    if (Skip(rest, '#')) flag = true, style.alternate = true;
    if (Skip(rest, '0')) flag = true, zero = true;
  }
  style.width = Star(rest);
  if (style.width < 0 && style.width != -1) {
    style.align = '<';
    style.width = style.width < -(1LL << 40) ? 1LL << 40 : -style.width;
  }
  if (Skip(rest, '.')) style.precision = std::max(Star(rest), 0LL);
  if (zero && style.align == 0) {
    style.align = '=';
    style.fill.assign(1, '0');
  }
  while (!rest->empty() && std::string_view("hlL").find(rest->front()) != std::string_view::npos) {
    rest->remove_prefix(1);
  }
  if (rest->empty()) Raise("incomplete format");
  const char conversion = rest->front();
  rest->remove_prefix(1);
  if (conversion == '%') return out_.Append("%");
  Convert(conversion, named ? *named : NextArgument(), style);
}

Value PercentFormatter::Run() {
  std::string_view rest = format_.bytes;
  while (!rest.empty()) {
    const std::size_t percent = std::min(rest.find('%'), rest.size());
    out_.Append(rest.substr(0, percent));
    rest.remove_prefix(percent);
    if (Skip(&rest, '%')) Field(&rest);
  }
  const bool left_over = arguments_.IsTuple()
                             ? used_ < arguments_.items().size()
                             : used_ == 0 && !by_name_ && !arguments_.IsDict() &&
                                   !arguments_.IsUndefined() && !arguments_.IsList();
  if (left_over) Raise("not all arguments converted during string formatting");
  return runtime_.MakeText(out_.Take(), format_.markup);
}

// --- str.format ---

class BraceFormatter {
 public:
  BraceFormatter(Runtime& runtime, const Text& format, const Arguments& arguments)
      : runtime_(runtime), format_(format), arguments_(arguments) {}
  Value Run() {
    TextBuilder out(&runtime_.budget());
    Expand(format_.bytes, 2, &out);
    return runtime_.MakeText(out.Take(), format_.markup);
  }

 private:
  void Expand(std::string_view rest, int nesting, TextBuilder* out);
  void Field(std::string_view field, int nesting, TextBuilder* out);
  Value Lookup(std::string_view name);
  Value Start(std::string_view name);

  Runtime& runtime_;
  const Text& format_;
  const Arguments& arguments_;
  std::size_t automatic_ = 0;
};

void BraceFormatter::Expand(std::string_view rest, int nesting, TextBuilder* out) {
  while (!rest.empty()) {
    const std::size_t brace = std::min(rest.find_first_of("{}"), rest.size());
    out->Append(rest.substr(0, brace));
    rest.remove_prefix(brace);
    if (rest.empty()) break;
    if (rest.size() > 1 && rest[0] == rest[1]) {
      out->Append(rest.substr(0, 1));
      rest.remove_prefix(2);
      continue;
    }
    if (rest[0] == '}') Raise("single '}' in format string");
    std::size_t end = 1;
    for (int open = 1; end < rest.size(); ++end) {
      if (rest[end] == '{') ++open;
      if (rest[end] == '}' && --open == 0) break;
    }
    if (end >= rest.size()) Raise("single '{' in format string");
    if (nesting == 0) Raise("max string recursion exceeded");
    Field(rest.substr(1, end - 1), nesting, out);
    rest.remove_prefix(end + 1);
  }
}

Value BraceFormatter::Start(std::string_view name) {
  std::string_view digits = name;
  const long long index = name.empty() ? static_cast<long long>(automatic_++) : ReadNumber(&digits);
  if (name.empty() || (index >= 0 && digits.empty())) {
    if (static_cast<std::size_t>(index) >= arguments_.positional.size()) {
      Raise("replacement index out of range for positional arguments");
    }
    return arguments_.positional[static_cast<std::size_t>(index)];
  }
  for (const auto& [key, value] : arguments_.named) {
    if (key == name) return value;
  }
  Raise(fmt::format("format(): no argument '{}'", name));
}

Value BraceFormatter::Lookup(std::string_view name) {
  const std::size_t first = std::min(name.find_first_of(".["), name.size());
  Value value = Start(name.substr(0, first));
  name.remove_prefix(first);
  while (!name.empty()) {
    runtime_.budget().Spend(1);
    const bool bracket = name.front() == '[';
    name.remove_prefix(1);
    const std::size_t end = std::min(name.find_first_of(bracket ? "]" : ".["), name.size());
    const std::string_view part = name.substr(0, end);
    if (part.empty() || (bracket && end == name.size())) Raise("bad field name in format string");
    name.remove_prefix(bracket ? end + 1 : end);
    if (!bracket) {
      value = GetAttribute(runtime_, value, part);
      continue;
    }
    std::string_view digits = part;
    const long long index = ReadNumber(&digits);
    value = GetItem(runtime_, value,
                    index >= 0 && digits.empty() ? Value(static_cast<Int>(index))
                                                 : runtime_.MakeText(std::string(part)));
  }
  return value;
}

FieldStyle ParseSpec(std::string_view spec) {
  FieldStyle style;
  const auto is_align = [](char c) { return c == '<' || c == '>' || c == '^' || c == '='; };
  const std::size_t fill = spec.empty() ? 0 : DecodeUtf8(spec).bytes;
  if (fill > 0 && spec.size() > fill && is_align(spec[fill])) {
    style.fill = std::string(spec.substr(0, fill));
    style.align = spec[fill];
    spec.remove_prefix(fill + 1);
  } else if (!spec.empty() && is_align(spec[0])) {
    style.align = spec[0];
    spec.remove_prefix(1);
  }
  if (!spec.empty() && (spec[0] == '+' || spec[0] == '-' || spec[0] == ' ')) {
    style.sign = spec[0];
    spec.remove_prefix(1);
  }
  style.alternate = Skip(&spec, '#');
  if (Skip(&spec, '0') && style.align == 0) {
    style.align = '=';
    style.fill.assign(1, '0');
  }
  style.width = std::max(ReadNumber(&spec), 0LL);
  if (!spec.empty() && (spec[0] == ',' || spec[0] == '_')) {
    style.grouping = spec[0];
    spec.remove_prefix(1);
  }
  if (Skip(&spec, '.')) {
    style.precision = ReadNumber(&spec);
    if (style.precision < 0) Raise("format specifier misses the precision");
  }
  if (!spec.empty()) {
    style.type = spec[0];
    spec.remove_prefix(1);
  }
  if (!spec.empty()) Raise("invalid format specifier");
  return style;
}

void AppendSpecified(const Value& value, std::string_view spec, TextBuilder* out) {
  const FieldStyle style = ParseSpec(spec);
  const auto one_of = [&](std::string_view types) {
    return style.type == 0 || types.find(style.type) != std::string_view::npos;
  };
  if (value.IsString() && one_of("s") && style.align != '=') {
    return AppendString(value.str(), style, out);
  }
  if (value.IsWhole() && one_of("bdnoxX")) return AppendWhole(value.whole(), style, out);
  if (value.IsNumber() && one_of("eEfFgGn%")) return AppendReal(value.number(), style, out);
  Raise(fmt::format("format specifier '{}' does not fit a value of type {}", ReprText(spec),
                    value.TypeName()));
}

void BraceFormatter::Field(std::string_view field, int nesting, TextBuilder* out) {
  // A '!' or ':' inside brackets belongs to the name.
  std::size_t name_end = 0;
  for (bool bracket = false; name_end < field.size(); ++name_end) {
    if (field[name_end] == '[') bracket = true;
    if (field[name_end] == ']') bracket = false;
    if (!bracket && (field[name_end] == '!' || field[name_end] == ':')) break;
  }
  Value value = Lookup(field.substr(0, name_end));
  std::string_view rest = field.substr(name_end);
  if (Skip(&rest, '!')) {
    if (rest.empty()) Raise("format string ends in a conversion");
    const char conversion = rest[0];
    rest.remove_prefix(1);
    if (conversion != 's' && conversion != 'r') Raise("unknown conversion in format string");
    value = runtime_.MakeText(conversion == 's' ? ToText(runtime_, value) : Repr(runtime_, value));
    if (!rest.empty() && rest[0] != ':') Raise("expected ':' after conversion specifier");
  }
  TextBuilder spec(&runtime_.budget());
  if (Skip(&rest, ':')) Expand(rest, nesting - 1, &spec);
  TextBuilder plain(&runtime_.budget());
  if (spec.size() == 0) {
    plain.Append(ToText(runtime_, value));
  } else {
    AppendSpecified(value, spec.text(), &plain);
  }
  const bool escape = format_.markup && !(value.IsString() && value.text().markup);
  out->Append(escape ? EscapeHtml(plain.text()) : plain.text());
}

}  // namespace

Value FormatPercent(Runtime& runtime, const Text& format, const Value& arguments) {
  return PercentFormatter(runtime, format, arguments).Run();
}

Value FormatBraces(Runtime& runtime, const Text& format, const Arguments& arguments) {
  return BraceFormatter(runtime, format, arguments).Run();
}

}  // namespace ergo::tokenizer::jinja
