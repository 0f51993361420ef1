#include "reasoning/verify/phrase_token.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"
#include "reasoning/verify/phrase_words.h"
#include "reasoning/verify/units.h"

namespace ergo::reasoning {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsHan(std::uint32_t c) { return (c >= 0x4E00 && c <= 0x9FFF) || c == 0x3007; }

bool EndsOperand(TokenKind kind) {
  return kind == TokenKind::kNumber || kind == TokenKind::kClose || kind == TokenKind::kPercent ||
         kind == TokenKind::kFactorial;
}

class Lexer {
 public:
  Lexer(std::string_view text, Span part)
      : text_(text.substr(0, std::min(part.end, text.size()))), at_(part.begin) {}

  std::vector<Token> Run() {
    while (at_ < text_.size()) Next();
    return std::move(tokens_);
  }

 private:
  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool Starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  char Before() const { return at_ > 0 ? text_[at_ - 1] : '\n'; }
  char NextVisible(std::size_t from) const {
    while (from < text_.size() && (text_[from] == ' ' || text_[from] == '\t')) ++from;
    return from < text_.size() ? text_[from] : '\0';
  }
  bool After(TokenKind kind) const { return !tokens_.empty() && tokens_.back().kind == kind; }
  bool Attached() const { return !tokens_.empty() && tokens_.back().span.end == at_ && !space_; }

  Token& Emit(TokenKind kind, std::size_t bytes) {
    Token& token = tokens_.emplace_back();
    token.kind = kind;
    token.span = {at_, at_ + bytes};
    token.space_before = std::exchange(space_, false);
    at_ += bytes;
    return token;
  }
  void Skip(std::size_t bytes) { at_ += bytes; }

  void Next();
  void Newline(std::size_t bytes);
  void Number();
  std::size_t GroupedEnd(std::size_t end) const;
  void AfterNumber();
  void Word();
  void WordAfterNumber(std::size_t end);
  bool Times(std::size_t end);
  void Command();
  void Dash(std::size_t bytes);
  void Star();
  void Equals();
  void Bang();
  void Brace(bool open);
  void Wide();
  void Han();
  void Ascii(char c);

  std::string_view text_;
  std::size_t at_;
  bool space_ = false;
  std::vector<Token> tokens_;
  std::vector<bool> braces_;  ///< true: of a command such as \text, not shown
  bool hide_brace_ = false;
};

void Lexer::Next() {
  const char c = Peek();
  if (c == ' ' || c == '\t' || c == '\r') {
    space_ = true;
    return Skip(1);
  }
  if (c == '\n') return Newline(1);
  if (Starts("```")) {
    const std::size_t close = text_.find("```", at_ + 3);
    Emit(TokenKind::kStop, close == text_.npos ? text_.size() - at_ : close + 3 - at_);
    return;
  }
  if (Starts("<<")) {
    const std::size_t close = text_.find(">>", at_);
    if (close != text_.npos && close - at_ <= 400) {
      Skip(close + 2 - at_);
      return;
    }
  }
  if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Number();
  if (IsLetter(c)) return Word();
  if (c == '\\') return Command();
  if (static_cast<unsigned char>(c) >= 0x80) return Wide();
  Ascii(c);
}

// A line that starts with "=" goes on with the equation of the line before.
void Lexer::Newline(std::size_t bytes) {
  std::size_t next = at_ + bytes;
  while (next < text_.size() && (text_[next] == ' ' || text_[next] == '\t' || text_[next] == '&')) {
    ++next;
  }
  if (next < text_.size() && text_[next] == '=') {
    space_ = true;
    return Skip(next - at_);
  }
  Emit(TokenKind::kStop, bytes);
}

// Past thousands groups after the first one to three digits, or `end` if there are none.
std::size_t Lexer::GroupedEnd(std::size_t end) const {
  static constexpr std::array<std::string_view, 5> kSeparators = {",", " ", "{,}", ",\\!", "\\,"};
  const auto three = [&](std::size_t p) {
    return p + 3 <= text_.size() && IsDigit(text_[p]) && IsDigit(text_[p + 1]) &&
           IsDigit(text_[p + 2]) && (p + 3 == text_.size() || !IsDigit(text_[p + 3]));
  };
  for (const std::string_view separator : kSeparators) {
    std::size_t p = end;
    while (text_.substr(p).starts_with(separator)) {
      std::size_t digits = p + separator.size();
      while (separator == ",\\!" && digits < text_.size() && text_[digits] == ' ') ++digits;
      if (!three(digits)) break;
      p = digits + 3;
    }
    if (p != end) return p;
  }
  return end;
}

void Lexer::Number() {
  const std::size_t begin = at_;
  std::size_t end = begin;
  while (end < text_.size() && IsDigit(text_[end])) ++end;
  const std::size_t first = end - begin;
  bool grouped = false;
  if (first >= 1 && first <= 3 && text_[begin] != '0') {
    const std::size_t past = GroupedEnd(end);
    grouped = past != end;
    end = past;
  }
  int decimals = 0;
  if (end + 1 < text_.size() && text_[end] == '.' && IsDigit(text_[end + 1])) {
    ++end;
    while (end < text_.size() && IsDigit(text_[end])) ++end, ++decimals;
  }
  std::string digits;
  for (std::size_t p = begin; p < end; ++p) {
    if (IsDigit(text_[p]) || (text_[p] == '.')) digits += text_[p];
  }
  const auto value = ParseDecimal(digits);
  Token& token = Emit(value ? TokenKind::kNumber : TokenKind::kOpaque, end - begin);
  if (value) token.value = *value;
  token.decimals = decimals;
  token.digits = true;
  token.grouped = grouped;
  AfterNumber();
}

// "12:30", "1.2.3" and "204_5" are no numbers.
void Lexer::AfterNumber() {
  const bool first = tokens_.size() == 1 || tokens_[tokens_.size() - 2].kind == TokenKind::kStop;
  if (first && Peek() == ')') {
    tokens_.back().kind = TokenKind::kStop;  // "2) …" numbers a list
    return Skip(1);
  }
  const bool joined = (Peek() == ':' || Peek() == '.') && IsDigit(Peek(1));
  if (!joined && Peek() != '_') return;
  Token& token = tokens_.back();
  token.kind = TokenKind::kOpaque;
  while (at_ < text_.size() && (IsDigit(Peek()) || Peek() == '_' ||
                                ((Peek() == ':' || Peek() == '.') && IsDigit(Peek(1))))) {
    ++at_;
  }
  token.span.end = at_;
}

// An x between two operands multiplies.
bool Lexer::Times(std::size_t end) {
  if (end - at_ != 1 || (Peek() != 'x' && Peek() != 'X') || tokens_.empty()) return false;
  bool operand = EndsOperand(tokens_.back().kind);
  if (!operand && tokens_.size() >= 2 && tokens_.back().kind == TokenKind::kWord) {
    operand = tokens_[tokens_.size() - 2].kind == TokenKind::kNumber;
  }
  const char next = NextVisible(end);
  const bool starts = IsDigit(next) || next == '(' || next == '$' || next == '.' || next == '\\';
  if (!operand || !starts) return false;
  Emit(TokenKind::kTimes, 1);
  return true;
}

void Lexer::Word() {
  std::size_t end = at_;
  while (end < text_.size() &&
         (IsLetter(text_[end]) || (text_[end] == '\'' && end > at_ && end + 1 < text_.size() &&
                                   IsLetter(text_[end + 1])))) {
    ++end;
  }
  if (Times(end)) return;
  const bool glued = end < text_.size() && (IsDigit(text_[end]) || text_[end] == '_');
  if (glued) {
    while (end < text_.size() &&
           (IsLetter(text_[end]) || IsDigit(text_[end]) || text_[end] == '_')) {
      ++end;
    }
    if (Attached() && After(TokenKind::kNumber)) tokens_.back().kind = TokenKind::kOpaque;
    Emit(TokenKind::kOpaque, end - at_);
    return;
  }
  if (Attached() && After(TokenKind::kNumber)) return WordAfterNumber(end);
  std::string word(text_.substr(at_, end - at_));
  std::transform(word.begin(), word.end(), word.begin(), Lower);
  const bool call = end < text_.size() && (text_[end] == '(' || text_[end] == '[');
  if (word == "sqrt" && call) {
    Emit(TokenKind::kRoot, end - at_);
    return;
  }
  Token& token = Emit(call && word.size() <= 4 ? TokenKind::kOpaque : TokenKind::kWord, end - at_);
  token.text = std::move(word);
  // "twenty-five" and "two-thirds" are two words.
  if (Peek() == '-' && IsLetter(Peek(1))) {
    space_ = true;
    Skip(1);
  }
}

// "5kg" has a unit, "3rd" is no number, "1/5th" is one, "2x" has a variable.
void Lexer::WordAfterNumber(std::size_t end) {
  std::string word(text_.substr(at_, end - at_));
  std::transform(word.begin(), word.end(), word.begin(), Lower);
  const bool ordinal =
      word == "st" || word == "nd" || word == "rd" || word == "th" || word == "ths";
  if (ordinal) {
    const bool fraction =
        tokens_.size() >= 2 && tokens_[tokens_.size() - 2].kind == TokenKind::kOver;
    if (!fraction) tokens_.back().kind = TokenKind::kOpaque;
    return Skip(end - at_);
  }
  if (FindUnit(word) == nullptr && word.size() <= 3) {
    tokens_.back().kind = TokenKind::kOpaque;
    Emit(TokenKind::kOpaque, end - at_);
    return;
  }
  Emit(TokenKind::kWord, end - at_).text = std::move(word);
}

void Lexer::Command() {
  static constexpr std::pair<std::string_view, TokenKind> kCommands[] = {
      {"frac", TokenKind::kFraction},  {"dfrac", TokenKind::kFraction},
      {"tfrac", TokenKind::kFraction}, {"cfrac", TokenKind::kFraction},
      {"times", TokenKind::kTimes},    {"cdot", TokenKind::kTimes},
      {"ast", TokenKind::kTimes},      {"div", TokenKind::kOver},
      {"sqrt", TokenKind::kRoot},      {"approx", TokenKind::kApprox},
      {"implies", TokenKind::kStop},   {"Rightarrow", TokenKind::kStop},
  };
  static constexpr std::string_view kLayout[] = {"left",  "right", "displaystyle", "quad", "qquad",
                                                 "space", "big",   "Big",          "bigl", "bigr"};
  static constexpr std::string_view kBoxes[] = {"text",   "mathrm", "textbf", "mbox",
                                                "mathbf", "boxed",  "textit"};
  std::size_t end = at_ + 1;
  while (end < text_.size() && IsLetter(text_[end])) ++end;
  const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
  if (name.empty()) {
    const char c = Peek(1);
    if (c == '\\') return Newline(2);
    if (c == '%') return static_cast<void>(Emit(TokenKind::kPercent, 2));
    if (c == '$') return static_cast<void>(Emit(TokenKind::kCurrency, 2));
    if (c == ']') return static_cast<void>(Emit(TokenKind::kStop, 2));
    space_ = true;
    return Skip(2);
  }
  if (name == "begin" || name == "end") {
    const std::size_t close = text_.find('}', end);
    Emit(TokenKind::kStop, (close == text_.npos ? end : close + 1) - at_);
    return;
  }
  for (const auto& [command, kind] : kCommands) {
    if (name == command) return static_cast<void>(Emit(kind, end - at_));
  }
  if (std::find(std::begin(kLayout), std::end(kLayout), name) != std::end(kLayout)) {
    space_ = true;
    return Skip(end - at_);
  }
  if (std::find(std::begin(kBoxes), std::end(kBoxes), name) != std::end(kBoxes)) {
    space_ = true;
    hide_brace_ = true;
    return Skip(end - at_);
  }
  if (name == "circ") {
    Emit(TokenKind::kWord, end - at_).text = "degrees";
    return;
  }
  Emit(TokenKind::kOpaque, end - at_);
}

void Lexer::Brace(bool open) {
  if (open) {
    braces_.push_back(std::exchange(hide_brace_, false));
    if (!braces_.back())
      Emit(TokenKind::kOpen, 1).text = "{";
    else
      Skip(1);
    return;
  }
  const bool hidden = !braces_.empty() && braces_.back();
  if (!braces_.empty()) braces_.pop_back();
  space_ = space_ || hidden;
  if (hidden)
    Skip(1);
  else
    Emit(TokenKind::kClose, 1).text = "{";
}

// Between letters a dash is a hyphen, as it is in "4-packs".
void Lexer::Dash(std::size_t bytes) {
  const char next = Peek(bytes);
  if (bytes == 1 && (next == '>' || next == '-')) {
    Emit(TokenKind::kStop, 2);
    return;
  }
  if (bytes == 1 && IsDigit(Before()) && IsLetter(next) && IsLetter(Peek(2)) && !tokens_.empty()) {
    tokens_.back().kind = TokenKind::kWord;
    return Skip(1);
  }
  const bool bullet = tokens_.empty() || After(TokenKind::kStop);
  if (bullet && (next == ' ')) {
    return Skip(bytes);
  }
  Emit(TokenKind::kMinus, bytes);
}

void Lexer::Star() {
  const std::size_t bytes = Starts("**") ? 2 : 1;
  const char next = NextVisible(at_ + bytes);
  const bool operand = !tokens_.empty() && tokens_.back().kind != TokenKind::kStop &&
                       tokens_.back().kind != TokenKind::kComma;
  const bool starts = IsDigit(next) || next == '(' || next == '$' || next == '-' || next == '.' ||
                      next == '\\' || next == '<';
  if (bytes == 2) {
    if (operand && EndsOperand(tokens_.back().kind) && (IsDigit(next) || next == '(') &&
        (!space_ || Peek(2) == ' ')) {
      Emit(TokenKind::kPower, 2);
      return;
    }
    return Skip(2);
  }
  if (operand && (starts || IsLetter(next))) {
    Emit(TokenKind::kTimes, 1);
    return;
  }
  Skip(1);
}

void Lexer::Equals() {
  const char before = Before();
  if (Peek(1) == '=' || Peek(1) == '~') {
    Emit(TokenKind::kOpaque, 2);
  } else if (Peek(1) == '>') {
    Emit(TokenKind::kStop, 2);
  } else if (std::string_view("<>!:+*/").find(before) != std::string_view::npos) {
    Emit(TokenKind::kOpaque, 1);
  } else {
    Emit(TokenKind::kEquals, 1);
  }
}

void Lexer::Bang() {
  const char next = NextVisible(at_ + 1);
  const bool goes_on =
      std::string_view("=+-*/)^\\").find(next) != std::string_view::npos && next != '\0';
  const bool factorial =
      Attached() && EndsOperand(tokens_.back().kind) && goes_on && Peek(1) != '=';
  Emit(factorial ? TokenKind::kFactorial : TokenKind::kStop, 1);
}

void Lexer::Ascii(char c) {
  switch (c) {
    case '+':
      return static_cast<void>(Emit(Peek(1) == '+' ? TokenKind::kOpaque : TokenKind::kPlus, 1));
    case '-':
      return Dash(1);
    case '*':
      return Star();
    case '/':
      return static_cast<void>(Peek(1) == '/' ? Emit(TokenKind::kOpaque, 2)
                                              : Emit(TokenKind::kOver, 1));
    case '^':
      if (Starts("^\\circ") || Starts("^{\\circ}")) {
        Emit(TokenKind::kWord, Starts("^{") ? 8 : 6).text = "degrees";
        return;
      }
      return static_cast<void>(Emit(TokenKind::kPower, 1));
    case '(':
      return static_cast<void>(Emit(TokenKind::kOpen, 1).text = "(");
    case '[':
    case ']':
      return static_cast<void>(Emit(c == '[' ? TokenKind::kOpen : TokenKind::kClose, 1).text = "[");
    case ')':
      return static_cast<void>(Emit(TokenKind::kClose, 1).text = "(");
    case '{':
    case '}':
      return Brace(c == '{');
    case '=':
      return Equals();
    case '!':
      return Bang();
    case '%':
      return static_cast<void>(
          Emit(IsDigit(Peek(1)) ? TokenKind::kOpaque : TokenKind::kPercent, 1));
    case '$': {
      if (Peek(1) == '$') return static_cast<void>(Emit(TokenKind::kStop, 2));
      const char next = NextVisible(at_ + 1);
      const bool number = IsDigit(next) || (Peek(1) == '.' && IsDigit(Peek(2))) || next == '<';
      if (number) return static_cast<void>(Emit(TokenKind::kCurrency, 1));
      // The end of a formula, or the sign whose number is still to come.
      if (next == '\0' && After(TokenKind::kEquals)) {
        return static_cast<void>(Emit(TokenKind::kCurrency, 1));
      }
      space_ = true;
      return Skip(1);
    }
    case ',':
    case ':':
      return static_cast<void>(Emit(TokenKind::kComma, 1));
    case '.':
      if (Starts("..")) {
        std::size_t end = at_;
        while (end < text_.size() && text_[end] == '.') ++end;
        return static_cast<void>(Emit(TokenKind::kOpaque, end - at_));
      }
      return static_cast<void>(Emit(TokenKind::kStop, 1));
    case ';':
    case '?':
    case '#':
      return static_cast<void>(Emit(TokenKind::kStop, 1));
    case '~':
      return static_cast<void>(Emit(TokenKind::kAbout, 1));
    case '<':
    case '>':
    case '|':
    case '@':
    case '_':
      return static_cast<void>(Emit(TokenKind::kOpaque, 1));
    default:
      space_ = true;
      return Skip(1);  // quotes, &, control characters
  }
}

struct WideSign {
  std::uint32_t code;
  TokenKind kind;
};

constexpr WideSign kWideSigns[] = {
    {0xD7, TokenKind::kTimes},       {0xB7, TokenKind::kTimes},    {0x22C5, TokenKind::kTimes},
    {0x2219, TokenKind::kTimes},     {0x2715, TokenKind::kTimes},  {0xFF0A, TokenKind::kTimes},
    {0xF7, TokenKind::kOver},        {0x2215, TokenKind::kOver},   {0x2044, TokenKind::kOver},
    {0xFF0F, TokenKind::kOver},      {0xFF0B, TokenKind::kPlus},   {0x2212, TokenKind::kMinus},
    {0xFF0D, TokenKind::kMinus},     {0x2013, TokenKind::kMinus},  {0x20AC, TokenKind::kCurrency},
    {0xA3, TokenKind::kCurrency},    {0xA5, TokenKind::kCurrency}, {0xFFE5, TokenKind::kCurrency},
    {0xFF05, TokenKind::kPercent},   {0xFF1D, TokenKind::kEquals}, {0x2248, TokenKind::kApprox},
    {0x2243, TokenKind::kApprox},    {0x221A, TokenKind::kRoot},   {0xFF08, TokenKind::kOpen},
    {0xFF09, TokenKind::kClose},     {0xFF0C, TokenKind::kComma},  {0xFF1A, TokenKind::kComma},
    {0x3001, TokenKind::kListComma}, {0x3002, TokenKind::kStop},   {0xFF1B, TokenKind::kStop},
    {0xFF01, TokenKind::kStop},      {0xFF1F, TokenKind::kStop},   {0x2014, TokenKind::kStop},
    {0x2022, TokenKind::kStop},      {0x21D2, TokenKind::kStop},   {0x2192, TokenKind::kStop},
};

struct WideFraction {
  std::uint32_t code;
  int num;
  int den;
};
constexpr WideFraction kWideFractions[] = {{0xBD, 1, 2},   {0xBC, 1, 4},   {0xBE, 3, 4},
                                           {0x2153, 1, 3}, {0x2154, 2, 3}, {0x215B, 1, 8}};

void Lexer::Wide() {
  const Utf8Char c = DecodeUtf8(text_.substr(at_));
  if (IsHan(c.code_point)) return Han();
  for (const WideSign& sign : kWideSigns) {
    if (sign.code != c.code_point) continue;
    Token& token = Emit(sign.kind, c.bytes);
    if (sign.kind == TokenKind::kOpen || sign.kind == TokenKind::kClose) token.text = "(";
    return;
  }
  for (const WideFraction& fraction : kWideFractions) {
    if (fraction.code != c.code_point) continue;
    Token& token = Emit(TokenKind::kNumber, c.bytes);
    token.value = Rational(fraction.num, fraction.den);
    token.fraction = true;
    return;
  }
  if (c.code_point == 0xB2 || c.code_point == 0xB3) {
    const bool square = c.code_point == 0xB2;
    if (!Attached()) return static_cast<void>(Emit(TokenKind::kOpaque, c.bytes));
    if (EndsOperand(tokens_.back().kind)) {
      Emit(square ? TokenKind::kSquared : TokenKind::kCubed, c.bytes);
    } else {
      tokens_.back().text += square ? "²" : "³";
      Skip(c.bytes);
    }
    return;
  }
  if (c.code_point == 0xB0) {
    Emit(TokenKind::kWord, c.bytes).text = "degrees";
    return;
  }
  const bool quote = c.code_point >= 0x2018 && c.code_point <= 0x201F;
  if (quote || c.code_point == 0xA0 || c.code_point == 0x3000 || c.code_point == 0x200B) {
    // An apostrophe belongs to the word before it.
    space_ = true;
    return Skip(c.bytes);
  }
  Emit(TokenKind::kOpaque, c.bytes);
}

void Lexer::Han() {
  const std::string_view rest = text_.substr(at_);
  if (const auto entry = LongestChineseWord(rest)) {
    Token& token = Emit(entry->kind, entry->bytes);
    token.text = std::string(rest.substr(0, entry->bytes));
    token.worded = true;
    return;
  }
  if (const auto numeral = ChineseNumberAt(rest)) {
    Token& token = Emit(TokenKind::kNumber, numeral->bytes);
    token.value = numeral->value;
    token.text = std::string(rest.substr(0, numeral->bytes));
    return;
  }
  const std::size_t bytes = DecodeUtf8(rest).bytes;
  Emit(TokenKind::kWord, bytes).text = std::string(rest.substr(0, bytes));
}

}  // namespace

std::vector<Token> Tokenize(std::string_view text, Span part) {
  part.end = std::min({part.end, text.size(), part.begin + kMaxPhraseText});
  std::vector<Token> tokens = Lexer(text, part).Run();
  MergePhrases(&tokens);
  return tokens;
}

std::vector<Span> FindMarkers(std::string_view text) {
  std::vector<Span> markers;
  text = text.substr(0, kMaxPhraseText);
  std::size_t at = 0;
  while ((at = text.find("<<", at)) != text.npos) {
    const std::size_t close = text.find(">>", at);
    if (close == text.npos) break;
    if (close - at <= 400) markers.push_back({at + 2, close});
    at = close + 2;
  }
  return markers;
}

}  // namespace ergo::reasoning
