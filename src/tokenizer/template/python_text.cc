// str() and repr() of values, and HTML escaping.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "tokenizer/template/runtime.h"
#include "tokenizer/template/unicode.h"

namespace ergo::tokenizer::jinja {
namespace {

void AppendRepr(Runtime& runtime, const Value& value, TextBuilder* out);

void AppendItems(Runtime& runtime, const std::vector<Value>& items, TextBuilder* out) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out->Append(", ");
    AppendRepr(runtime, items[i], out);
  }
}

void AppendDict(Runtime& runtime, const Dict& dict, TextBuilder* out) {
  out->Append("{");
  bool first = true;
  for (const auto& [key, value] : dict.entries()) {
    if (!first) out->Append(", ");
    first = false;
    AppendRepr(runtime, key, out);
    out->Append(": ");
    AppendRepr(runtime, value, out);
  }
  out->Append("}");
}

void AppendRepr(Runtime& runtime, const Value& value, TextBuilder* out) {
  const Level level(&runtime.budget());
  switch (value.kind()) {
    case Kind::kUndefined:
      return out->Append("Undefined");
    case Kind::kNone:
      return out->Append("None");
    case Kind::kBool:
      return out->Append(value.boolean() ? "True" : "False");
    case Kind::kInt:
      return out->Append(IntText(value.whole()));
    case Kind::kFloat:
      return out->Append(FloatText(value.real()));
    case Kind::kString:
      return out->Append(value.text().markup ? fmt::format("Markup({})", ReprText(value.str()))
                                             : ReprText(value.str()));
    case Kind::kList:
      out->Append("[");
      AppendItems(runtime, value.items(), out);
      return out->Append("]");
    case Kind::kTuple:
      out->Append("(");
      AppendItems(runtime, value.items(), out);
      return out->Append(value.items().size() == 1 ? ",)" : ")");
    case Kind::kDict:
      return AppendDict(runtime, value.dict(), out);
    case Kind::kObject:
      return out->Append(value.object().Repr(runtime));
  }
}

// Digits and decimal exponent of the shortest text that reads back as `value`.
struct Shortest {
  std::string digits;
  int exponent;  // value = 0.d1d2d3… * 10^exponent
};

Shortest ShortestDigits(double value) {
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific)
                       .ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const std::size_t e = text.find('e');
  Shortest shortest;
  for (const char c : text.substr(0, e)) {
    if (c != '.') shortest.digits += c;
  }
  // from_chars takes no plus sign.
  const std::size_t digits_at = e + 1 + (text[e + 1] == '+' ? 1 : 0);
  int exponent = 0;
  std::from_chars(text.data() + digits_at, text.data() + text.size(), exponent);
  shortest.exponent = exponent + 1;
  return shortest;
}

}  // namespace

std::string FloatText(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  const std::string sign = std::signbit(value) ? "-" : "";
  if (value == 0) return sign + "0.0";
  auto [digits, point] = ShortestDigits(std::fabs(value));
  const int count = static_cast<int>(digits.size());
  // Python writes exponents from 1e16 upwards and from 1e-5 downwards.
  if (point > 16 || point < -3) {
    std::string mantissa = digits.substr(0, 1);
    if (count > 1) mantissa.append(1, '.').append(digits, 1);
    const int exponent = point - 1;
    return fmt::format("{}{}e{}{:02}", sign, mantissa, exponent < 0 ? '-' : '+',
                       std::abs(exponent));
  }
  if (point <= 0) return sign + "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  const auto whole = static_cast<std::size_t>(point);
  if (count <= point) return sign + digits + std::string(whole - digits.size(), '0') + ".0";
  return fmt::format("{}{}.{}", sign, digits.substr(0, whole), digits.substr(whole));
}

std::string IntText(Int value) { return fmt::format("{}", value); }

std::string ReprText(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const bool has_double = text.find('"') != std::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  std::string out(1, quote);
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8(text);
    if (c.code_point == '\\' || c.code_point == static_cast<std::uint32_t>(quote)) {
      out += '\\';
      out += static_cast<char>(c.code_point);
    } else if (c.code_point == '\n') {
      out += "\\n";
    } else if (c.code_point == '\r') {
      out += "\\r";
    } else if (c.code_point == '\t') {
      out += "\\t";
    } else if (IsPrintable(c.code_point)) {
      out += text.substr(0, c.bytes);
    } else if (c.code_point < 0x100) {
      out += fmt::format("\\x{:02x}", c.code_point);
    } else if (c.code_point < 0x10000) {
      out += fmt::format("\\u{:04x}", c.code_point);
    } else {
      out += fmt::format("\\U{:08x}", c.code_point);
    }
    text.remove_prefix(c.bytes);
  }
  out += quote;
  return out;
}

std::string ToText(Runtime& runtime, const Value& value) {
  if (value.IsUndefined()) return {};
  if (value.IsString()) {
    runtime.budget().SpendText(value.str().size());
    return std::string(value.str());
  }
  return Repr(runtime, value);
}

std::string Repr(Runtime& runtime, const Value& value) {
  TextBuilder out(&runtime.budget());
  AppendRepr(runtime, value, &out);
  return out.Take();
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Value EscapeValue(Runtime& runtime, const Value& value) {
  if (value.IsString() && value.text().markup) return value;
  return runtime.MakeText(EscapeHtml(ToText(runtime, value)), true);
}

}  // namespace ergo::tokenizer::jinja
