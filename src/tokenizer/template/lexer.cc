#include "tokenizer/template/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/utf8.h"
#include "tokenizer/template/runtime.h"
#include "tokenizer/template/string_literal.h"
#include "tokenizer/template/unicode.h"

namespace ergo::tokenizer::jinja {
namespace {

bool IsDecimalDigit(char c) { return c >= '0' && c <= '9'; }

/// Line ends as \n alone, and without the last one.
std::string NormalizeLines(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      out += source[i];
    } else {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    }
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(NormalizeLines(source)) {}
  std::vector<Token> Run();

 private:
  std::string_view Rest() const { return std::string_view(source_).substr(at_); }
  bool StartsWith(std::string_view text) const { return Rest().starts_with(text); }
  [[noreturn]] void Fail(std::string message) const {
    throw TemplateError{std::move(message), line_, false};
  }

  void Advance(std::size_t bytes);
  void SkipSpace();
  void Emit(TokenKind kind, std::string text = {});
  void EmitData(std::string_view text);
  std::string_view StripData(std::string_view text, char sign, bool is_variable) const;

  bool Root();
  void Comment();
  bool Raw(char sign);
  bool TagEnd(bool is_variable);
  void Tag(bool is_variable);
  void TagToken();
  bool Number();
  void Name();
  void Quoted();
  void Operator();

  std::string source_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  bool line_starting_ = true;
  std::vector<char> open_;  // closing brackets that are due
  std::vector<Token> tokens_;
};

void Lexer::Advance(std::size_t bytes) {
  line_ += static_cast<std::uint32_t>(
      std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                 source_.begin() + static_cast<std::ptrdiff_t>(at_ + bytes), '\n'));
  if (bytes > 0) line_starting_ = source_[at_ + bytes - 1] == '\n';
  at_ += bytes;
}

void Lexer::SkipSpace() {
  const std::string_view rest = Rest();
  Advance(rest.size() - Strip(rest, Side::kLeft).size());
}

void Lexer::Emit(TokenKind kind, std::string text) {
  Token token;
  token.kind = kind;
  token.line = line_;
  token.text = std::move(text);
  tokens_.push_back(std::move(token));
}

void Lexer::EmitData(std::string_view text) {
  if (!text.empty()) Emit(TokenKind::kData, std::string(text));
}

// `sign` is what follows the opening of the tag after `text`: -, + or 0.
std::string_view Lexer::StripData(std::string_view text, char sign, bool is_variable) const {
  if (sign == '-') return Strip(text, Side::kRight);
  if (sign == '+' || is_variable) return text;
  const std::size_t newline = text.rfind('\n');
  const std::size_t line = newline == std::string_view::npos ? 0 : newline + 1;
  if (line == 0 && !line_starting_) return text;
  return Strip(text.substr(line), Side::kBoth).empty() ? text.substr(0, line) : text;
}

std::vector<Token> Lexer::Run() {
  while (Root()) {
  }
  Emit(TokenKind::kEnd);
  return std::move(tokens_);
}

bool Lexer::Root() {
  std::size_t begin = 0;
  const std::string_view rest = Rest();
  while (true) {
    begin = rest.find('{', begin);
    if (begin == std::string_view::npos || begin + 1 >= rest.size()) {
      EmitData(rest);
      return false;
    }
    const char kind = rest[begin + 1];
    if (kind == '%' || kind == '{' || kind == '#') break;
    ++begin;
  }
  const char kind = rest[begin + 1];
  const char after = begin + 2 < rest.size() ? rest[begin + 2] : '\0';
  const char sign = after == '-' || after == '+' ? after : '\0';
  EmitData(StripData(rest.substr(0, begin), sign, kind == '{'));
  Advance(begin);
  if (kind == '%' && Raw(sign)) return true;
  Advance(sign == '\0' ? 2 : 3);
  if (kind == '#') {
    Comment();
  } else {
    Emit(kind == '{' ? TokenKind::kVariableBegin : TokenKind::kBlockBegin);
    Tag(kind == '{');
  }
  return true;
}

void Lexer::Comment() {
  const std::size_t end = Rest().find("#}");
  if (end == std::string_view::npos) Fail("Missing end of comment tag");
  const char sign = end > 0 ? Rest()[end - 1] : '\0';
  Advance(end + 2);
  if (sign == '-') {
    SkipSpace();
  } else if (sign != '+' && StartsWith("\n")) {
    Advance(1);
  }
}

// {% raw %}…{% endraw %} at the current place, if it is one.
bool Lexer::Raw(char sign) {
  const auto skip_word = [](std::string_view text, std::string_view word) -> std::string_view {
    text = Strip(text, Side::kLeft);
    if (!text.starts_with(word)) return {};
    return Strip(text.substr(word.size()), Side::kLeft);
  };
  std::string_view tail = skip_word(Rest().substr(sign == '\0' ? 2 : 3), "raw");
  const bool strip_after = tail.starts_with("-%}");
  if (!strip_after && !tail.starts_with("%}")) return false;
  Advance(Rest().size() - tail.size() + (strip_after ? 3 : 2));
  if (strip_after) SkipSpace();
  for (std::size_t from = 0;; from += 2) {
    from = Rest().find("{%", from);
    if (from == std::string_view::npos) Fail("Missing end of raw directive");
    tail = Rest().substr(from + 2);
    const char end_sign = !tail.empty() && (tail[0] == '-' || tail[0] == '+') ? tail[0] : '\0';
    if (end_sign != '\0') tail.remove_prefix(1);
    tail = skip_word(tail, "endraw");
    const bool plus = tail.starts_with("+%}"), minus = tail.starts_with("-%}");
    if (!plus && !minus && !tail.starts_with("%}")) continue;
    EmitData(StripData(Rest().substr(0, from), end_sign, false));
    Advance(Rest().size() - tail.size() + (plus || minus ? 3 : 2));
    if (minus) SkipSpace();
    if (!plus && !minus && StartsWith("\n")) Advance(1);
    return true;
  }
}

// Consumes the end of the tag, if it stands here.
bool Lexer::TagEnd(bool is_variable) {
  const std::string_view end = is_variable ? "}}" : "%}";
  const bool minus = Rest().starts_with('-') && Rest().substr(1).starts_with(end);
  const bool plus = !is_variable && Rest().starts_with('+') && Rest().substr(1).starts_with(end);
  if (!minus && !plus && !StartsWith(end)) return false;
  Emit(is_variable ? TokenKind::kVariableEnd : TokenKind::kBlockEnd);
  Advance(minus || plus ? 3 : 2);
  if (minus) SkipSpace();
  if (!minus && !plus && !is_variable && StartsWith("\n")) Advance(1);
  return true;
}

void Lexer::Tag(bool is_variable) {
  open_.clear();
  while (true) {
    if (open_.empty() && TagEnd(is_variable)) return;
    if (Rest().empty()) {
      Fail(is_variable ? "unexpected end of template, expected '}}'"
                       : "unexpected end of template, expected '%}'");
    }
    TagToken();
  }
}

void Lexer::TagToken() {
  const Utf8Char first = DecodeUtf8(Rest());
  if (IsSpace(first.code_point)) return SkipSpace();
  if (first.code_point < 0x80 && IsDecimalDigit(static_cast<char>(first.code_point)) && Number()) {
    return;
  }
  if (IsWord(first.code_point)) return Name();
  if (first.code_point == '\'' || first.code_point == '"') return Quoted();
  Operator();
}

/// Length of digits in `text`, underscores allowed between them.
std::size_t DigitRun(std::string_view text, bool (*is_digit)(char)) {
  std::size_t size = 0;
  while (size < text.size()) {
    if (is_digit(text[size])) {
      ++size;
    } else if (size > 0 && text[size] == '_' && size + 1 < text.size() &&
               is_digit(text[size + 1])) {
      size += 2;
    } else {
      break;
    }
  }
  return size;
}

/// Length of a float at the front of `text`, 0 if there is none.
std::size_t FloatLength(std::string_view text) {
  const std::size_t whole = DigitRun(text, IsDecimalDigit);
  std::size_t size = whole;
  if (size < text.size() && text[size] == '.') {
    const std::size_t fraction = DigitRun(text.substr(size + 1), IsDecimalDigit);
    if (fraction > 0) size += 1 + fraction;
  }
  if (size < text.size() && (text[size] | 0x20) == 'e') {
    std::size_t digits = size + 1;
    if (digits < text.size() && (text[digits] == '+' || text[digits] == '-')) ++digits;
    const std::size_t exponent = DigitRun(text.substr(digits), IsDecimalDigit);
    if (exponent > 0) return digits + exponent;
  }
  return size > whole ? size : 0;
}

std::string WithoutUnderscores(std::string_view text) {
  std::string out(text);
  out.erase(std::remove(out.begin(), out.end(), '_'), out.end());
  return out;
}

struct IntegerSpan {
  std::size_t prefix;
  std::size_t size;
  unsigned base;
};

IntegerSpan FindInteger(std::string_view text) {
  const auto binary = [](char c) { return c == '0' || c == '1'; };
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  const auto hex = [](char c) {
    return IsDecimalDigit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
  };
  const auto zero = [](char c) { return c == '0'; };
  if (text[0] != '0') return {0, DigitRun(text, IsDecimalDigit), 10};
  const char letter = text.size() > 2 ? static_cast<char>(text[1] | 0x20) : '\0';
  // An underscore may follow the prefix.
  const std::size_t prefix = text.size() > 3 && text[2] == '_' ? 3 : 2;
  std::size_t digits = 0;
  unsigned base = 0;
  if (letter == 'b') digits = DigitRun(text.substr(prefix), binary), base = 2;
  if (letter == 'o') digits = DigitRun(text.substr(prefix), octal), base = 8;
  if (letter == 'x') digits = DigitRun(text.substr(prefix), hex), base = 16;
  if (digits > 0) return {prefix, prefix + digits, base};
  return {0, DigitRun(text, zero), 10};
}

bool Lexer::Number() {
  const std::string_view text = Rest();
  const bool after_dot = at_ > 0 && source_[at_ - 1] == '.';
  if (const std::size_t size = after_dot ? 0 : FloatLength(text)) {
    Emit(TokenKind::kFloat);
    tokens_.back().real = std::strtod(WithoutUnderscores(text.substr(0, size)).c_str(), nullptr);
    Advance(size);
    return true;
  }
  const IntegerSpan span = FindInteger(text);
  Int value = 0;
  for (const char c : WithoutUnderscores(text.substr(span.prefix, span.size - span.prefix))) {
    const int digit = IsDecimalDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
    if (__builtin_mul_overflow(value, static_cast<Int>(span.base), &value) ||
        __builtin_add_overflow(value, static_cast<Int>(digit), &value)) {
      Fail("whole number too large (limit: 127 bits)");
    }
  }
  Emit(TokenKind::kInteger);
  tokens_.back().whole = value;
  Advance(span.size);
  return true;
}

void Lexer::Name() {
  std::size_t size = 0;
  while (size < Rest().size()) {
    const Utf8Char c = DecodeUtf8(Rest().substr(size));
    if (!IsWord(c.code_point)) break;
    size += c.bytes;
  }
  Emit(TokenKind::kName, std::string(Rest().substr(0, size)));
  Advance(size);
}

void Lexer::Quoted() {
  const std::string_view text = Rest();
  std::size_t end = 1;
  while (end < text.size() && text[end] != text[0]) end += text[end] == '\\' ? 2 : 1;
  if (end >= text.size()) Fail("string is not closed");
  std::string value;
  if (const char* problem = DecodeStringLiteral(text.substr(1, end - 1), &value)) Fail(problem);
  Emit(TokenKind::kString, std::move(value));
  Advance(end + 1);
}

void Lexer::Operator() {
  static constexpr std::array<std::string_view, 26> kOperators = {
      "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
      "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};
  const auto found = std::find_if(kOperators.begin(), kOperators.end(),
                                  [&](std::string_view op) { return StartsWith(op); });
  if (found == kOperators.end()) {
    Fail(fmt::format("unexpected character {}",
                     ReprText(Rest().substr(0, DecodeUtf8(Rest()).bytes))));
  }
  const char c = (*found)[0];
  if (c == '(' || c == '[' || c == '{') {
    open_.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
  } else if (c == ')' || c == ']' || c == '}') {
    if (open_.empty()) Fail(fmt::format("unexpected '{}'", c));
    if (open_.back() != c) Fail(fmt::format("unexpected '{}', expected '{}'", c, open_.back()));
    open_.pop_back();
  }
  Emit(TokenKind::kOperator, std::string(*found));
  Advance(found->size());
}

}  // namespace

std::vector<Token> Tokenize(std::string_view source) { return Lexer(source).Run(); }

}  // namespace ergo::tokenizer::jinja
