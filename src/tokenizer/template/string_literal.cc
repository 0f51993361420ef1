#include "tokenizer/template/string_literal.h"

#include <fmt/format.h>

#include "base/utf8.h"

namespace ergo::tokenizer::jinja {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Reads `count` hexadecimal digits; false if there are fewer.
bool ReadHex(std::string_view* body, std::size_t count, std::uint32_t* value) {
  if (body->size() < count) return false;
  *value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int digit = HexDigit((*body)[i]);
    if (digit < 0) return false;
    *value = *value * 16 + static_cast<std::uint32_t>(digit);
  }
  body->remove_prefix(count);
  return true;
}

std::uint32_t ReadOctal(std::string_view* body) {
  std::uint32_t value = 0;
  for (int i = 0; i < 3 && !body->empty() && body->front() >= '0' && body->front() <= '7'; ++i) {
    value = value * 8 + static_cast<std::uint32_t>(body->front() - '0');
    body->remove_prefix(1);
  }
  return value;
}

/// The character of a one-letter escape, or 0.
char SimpleEscape(char c) {
  switch (c) {
    case '\\':
      return '\\';
    case '\'':
      return '\'';
    case '"':
      return '"';
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return '\0';
  }
}

/// A backslash before a character beyond ASCII: Jinja rewrites the character as an escape first,
/// whose backslash then pairs with this one.
void AppendBackslashed(std::uint32_t code_point, std::string* out) {
  if (code_point < 0x100) {
    *out += fmt::format("\\x{:02x}", code_point);
  } else if (code_point < 0x10000) {
    *out += fmt::format("\\u{:04x}", code_point);
  } else {
    *out += fmt::format("\\U{:08x}", code_point);
  }
}

const char* DecodeEscape(std::string_view* body, std::string* out) {
  const Utf8Char c = DecodeUtf8(*body);
  if (c.code_point >= '0' && c.code_point <= '7') {
    AppendUtf8(ReadOctal(body), out);
    return nullptr;
  }
  body->remove_prefix(c.bytes);
  if (c.code_point >= 0x80) {
    AppendBackslashed(c.code_point, out);
    return nullptr;
  }
  const char letter = static_cast<char>(c.code_point);
  if (letter == '\n') return nullptr;
  if (const char simple = SimpleEscape(letter)) {
    *out += simple;
    return nullptr;
  }
  const std::size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
  if (digits > 0) {
    std::uint32_t value = 0;
    if (!ReadHex(body, digits, &value)) return "truncated escape in a string";
    if (value > 0x10FFFF) return "illegal Unicode character in a string";
    AppendUtf8(value, out);
    return nullptr;
  }
  if (letter == 'N') return "character names in strings are not supported";
  *out += '\\';
  *out += letter;
  return nullptr;
}

}  // namespace

const char* DecodeStringLiteral(std::string_view body, std::string* out) {
  while (!body.empty()) {
    const std::size_t plain = std::min(body.find('\\'), body.size());
    *out += body.substr(0, plain);
    body.remove_prefix(plain);
    if (body.empty()) break;
    body.remove_prefix(1);
    if (body.empty()) return "\\ at the end of a string";
    if (const char* problem = DecodeEscape(&body, out)) return problem;
  }
  return nullptr;
}

}  // namespace ergo::tokenizer::jinja
