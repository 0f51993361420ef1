#include "generate/constrain/regex_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "generate/constrain/compile.h"
#include "tokenizer/unicode_class.h"

namespace ergo::generate::constrain {
namespace {

constexpr int kMaxDepth = 200;
constexpr std::uint32_t kMaxCount = 1'000'000;
constexpr std::size_t kMaxPattern = 1 << 16;

CharSet Digits() { return CharSet::Of('0', '9'); }

CharSet WordChars() {
  CharSet set = Digits();
  set.Add('A', 'Z');
  set.Add('a', 'z');
  set.Add('_');
  return set;
}

/// White space and line ends of ECMAScript.
CharSet Spaces() {
  CharSet set = CharSet::Of('\t', '\r');
  for (const std::uint32_t c :
       {0x20U, 0xA0U, 0x1680U, 0x2028U, 0x2029U, 0x202FU, 0x205FU, 0x3000U, 0xFEFFU}) {
    set.Add(c);
  }
  set.Add(0x2000, 0x200A);
  return set;
}

CharSet LineEnds() {
  CharSet set = CharSet::Of('\n', '\n');
  set.Add('\r');
  set.Add(0x2028, 0x2029);
  return set;
}

std::optional<std::uint32_t> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

/// Texts with the conditions that hold for where they may stand.
struct Piece {
  std::vector<ExprId> parts = {};
  bool at_start = false;
  bool at_end = false;
};
using Pieces = std::vector<Piece>;

class Parser {
 public:
  Parser(std::string_view pattern, Spelling spelling, const std::string& where,
         Expressions* expressions)
      : pattern_(pattern), spelling_(spelling), where_(where), expressions_(*expressions) {}

  Result<ExprId> Run(RegexMatch match) {
    if (pattern_.size() > kMaxPattern) return Wrong("the pattern is too long");
    if (const auto bad = FindInvalidUtf8(pattern_)) {
      at_ = *bad;
      return Wrong("the pattern is not UTF-8");
    }
    auto pieces = Alternatives();
    if (!pieces) return Fail(std::move(pieces));
    if (at_ < pattern_.size()) return Wrong("this ) closes nothing");
    const ExprId any =
        expressions_.Repeat(expressions_.Chars(CharSet::All(), spelling_), 0, kUnlimited);
    std::vector<ExprId> choices;
    for (const Piece& piece : *pieces) {
      ExprId text = expressions_.Concat(piece.parts);
      if (match == RegexMatch::kAnywhere) {
        text = expressions_.Concat({piece.at_start ? Expressions::kEmptyExpr : any, text,
                                    piece.at_end ? Expressions::kEmptyExpr : any});
      }
      choices.push_back(text);
    }
    return expressions_.OneOf(std::move(choices));
  }

 private:
  tl::unexpected<Error> Wrong(const std::string& what, std::optional<std::size_t> at = {}) const {
    return Fail(what, fmt::format("{}, byte {}", where_, at.value_or(at_) + 1));
  }

  bool More() const { return at_ < pattern_.size(); }
  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : '\0';
  }
  bool Take(std::string_view text) {
    if (!pattern_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }
  std::uint32_t TakeChar() {
    const Utf8Char c = DecodeUtf8(pattern_.substr(at_));
    at_ += c.bytes;
    return c.code_point;
  }

  Result<Pieces> Alternatives() {
    if (++depth_ > kMaxDepth) return Wrong("groups are nested too deeply");
    Pieces all;
    // Texts without conditions join into one piece.
    std::vector<ExprId> plain;
    do {
      auto pieces = Sequence();
      if (!pieces) return pieces;
      for (Piece& piece : *pieces) {
        if (piece.at_start || piece.at_end) {
          all.push_back(std::move(piece));
        } else {
          plain.push_back(expressions_.Concat(std::move(piece.parts)));
        }
      }
    } while (Take("|"));
    if (!plain.empty()) all.push_back({.parts = {expressions_.OneOf(std::move(plain))}});
    --depth_;
    return all;
  }

  Result<Pieces> Sequence() {
    Pieces all(1);
    while (More() && Peek() != '|' && Peek() != ')') {
      const std::size_t start = at_;
      auto next = Quantified();
      if (!next) return next;
      if (auto joined = Join(&all, *next, start); !joined) return Fail(std::move(joined));
    }
    return all;
  }

  Status Join(Pieces* all, const Pieces& next, std::size_t start) const {
    constexpr std::size_t kMaxPieces = 64;
    if (next.size() == 1 && !next[0].at_start && !next[0].at_end) {
      for (Piece& piece : *all) {
        if (piece.at_end && !Empty(next[0])) return Wrong("text after $ can match nothing", start);
        piece.parts.insert(piece.parts.end(), next[0].parts.begin(), next[0].parts.end());
      }
      return {};
    }
    Pieces joined;
    for (const Piece& a : *all) {
      for (const Piece& b : next) {
        if ((b.at_start && !Empty(a)) || (a.at_end && !Empty(b))) {
          return Wrong("^ and $ are possible only where the text must begin or end", start);
        }
        Piece piece = a;
        piece.parts.insert(piece.parts.end(), b.parts.begin(), b.parts.end());
        piece.at_start = a.at_start || b.at_start;
        piece.at_end = a.at_end || b.at_end;
        joined.push_back(std::move(piece));
      }
    }
    if (joined.size() > kMaxPieces) return Wrong("too many combinations of ^ and $", start);
    *all = std::move(joined);
    return {};
  }

  static bool Empty(const Piece& piece) {
    return std::all_of(piece.parts.begin(), piece.parts.end(),
                       [](ExprId part) { return part == Expressions::kEmptyExpr; });
  }

  Result<Pieces> Quantified() {
    const std::size_t start = at_;
    auto atom = Atom();
    if (!atom) return atom;
    bool quantified = false;
    while (More()) {
      const std::size_t place = at_;
      std::uint32_t min = 0;
      std::uint32_t max = kUnlimited;
      if (Take("+")) {
        min = 1;
      } else if (Take("?")) {
        max = 1;
      } else if (!Take("*")) {
        auto found = Braces(&min, &max);
        if (!found) return Fail(std::move(found));
        if (!*found) break;
      }
      if (quantified) return Wrong("two quantifiers in a row", place);
      if (atom->size() != 1 || (*atom)[0].at_start || (*atom)[0].at_end) {
        return Wrong("^ and $ can't be repeated", start);
      }
      if (Peek() == '+') return Wrong("possessive quantifiers are not supported", place);
      (void)Take("?");  // lazy: the same texts match
      quantified = true;
      const ExprId part = expressions_.Concat((*atom)[0].parts);
      (*atom)[0].parts = {expressions_.Repeat(part, min, max)};
    }
    return atom;
  }

  std::optional<std::uint32_t> Number() {
    if (std::isdigit(static_cast<unsigned char>(Peek())) == 0) return std::nullopt;
    std::uint32_t value = 0;
    while (std::isdigit(static_cast<unsigned char>(Peek())) != 0) {
      value = std::min<std::uint32_t>(10 * value + static_cast<std::uint32_t>(Peek() - '0'),
                                      10 * kMaxCount);
      ++at_;
    }
    return value;
  }

  /// {m}, {m,} or {m,n}; anything else stands for itself.
  Result<bool> Braces(std::uint32_t* min, std::uint32_t* max) {
    const std::size_t start = at_;
    if (!Take("{")) return false;
    const auto low = Number();
    const bool comma = low && Take(",");
    const auto high = comma ? Number() : low;
    if (!low || !Take("}")) {
      at_ = start;
      return false;
    }
    *min = *low;
    *max = high.value_or(kUnlimited);
    if (*low > kMaxCount || (high && *high > kMaxCount)) {
      return Wrong(fmt::format("repeat counts go up to {}", kMaxCount), start);
    }
    if (*min > *max) return Wrong("the repeat's minimum is above its maximum", start);
    return true;
  }

  Pieces One(ExprId part) { return {{.parts = {part}}}; }
  Pieces One(CharSet set) { return One(expressions_.Chars(std::move(set), spelling_)); }

  Result<Pieces> Atom() {
    const std::size_t start = at_;
    switch (Peek()) {
      case '(':
        return Group();
      case '[': {
        auto set = Class();
        if (!set) return Fail(std::move(set));
        return One(std::move(*set));
      }
      case '.':
        ++at_;
        return One(LineEnds().Complement());
      case '^':
        ++at_;
        return Pieces{{.at_start = true}};
      case '$':
        ++at_;
        return Pieces{{.at_end = true}};
      case '*':
      case '+':
      case '?':
        return Wrong("there is nothing to repeat");
      case '\\': {
        ++at_;
        auto set = Escape(start, false);
        if (!set) return Fail(std::move(set));
        return One(std::move(*set));
      }
      case '{': {
        std::uint32_t min = 0;
        std::uint32_t max = 0;
        const auto repeat = Braces(&min, &max);
        if (!repeat || *repeat) return Wrong("there is nothing to repeat", start);
        break;
      }
      default:
        break;
    }
    const std::uint32_t c = TakeChar();
    return One(CharSet::Of(c, c));
  }

  Result<Pieces> Group() {
    const std::size_t start = at_;
    ++at_;
    if (Peek() == '*') return Wrong("verbs are not supported", start);
    if (Take("?")) {
      const bool named = !Take(":");
      if (named) {
        (void)Take("P");
        const bool look_behind = Peek(1) == '=' || Peek(1) == '!';
        if (Peek() != '<' || look_behind) {
          return Wrong("look-around, flags and other special groups are not supported", start);
        }
        while (More() && Peek() != '>') ++at_;
        if (!Take(">")) return Wrong("the group's name is not closed", start);
      }
    }
    auto inner = Alternatives();
    if (!inner) return inner;
    if (!Take(")")) return Wrong("this ( is not closed", start);
    return inner;
  }

  /// The value of `digits` hexadecimal digits, or of those before a } (digits 0).
  std::optional<std::uint32_t> Hex(std::size_t digits) {
    std::uint32_t value = 0;
    std::size_t count = 0;
    while (digits == 0 ? Peek() != '}' : count < digits) {
      const auto digit = HexDigit(Peek());
      if (!digit || !More() || value > kMaxCodePoint) return std::nullopt;
      value = 16 * value + *digit;
      ++at_;
      ++count;
    }
    if (digits == 0 && (count == 0 || !Take("}"))) return std::nullopt;
    if (value > kMaxCodePoint) return std::nullopt;
    return value;
  }

  Result<CharSet> CodePoint(char kind, std::size_t start) {
    const bool braces = Take("{");
    auto value = Hex(braces ? 0 : (kind == 'x' ? 2 : 4));
    if (!value) return Wrong("bad hexadecimal escape", start);
    const auto is_surrogate = [](std::uint32_t c, std::uint32_t first) {
      return c >= first && c < first + 0x400;
    };
    if (is_surrogate(*value, 0xD800) && Take("\\u")) {
      const auto low = Hex(4);
      if (low && is_surrogate(*low, 0xDC00)) {
        value = 0x10000 + ((*value - 0xD800) << 10) + (*low - 0xDC00);
      }
    }
    CharSet set = CharSet::Of(*value, *value);
    if (set.empty()) return Wrong("half of a surrogate pair is no character", start);
    return set;
  }

  Result<CharSet> Category(bool negated, std::size_t start) {
    std::string name;
    if (Take("{")) {
      while (More() && Peek() != '}') name.push_back(pattern_[at_++]);
      if (!Take("}")) return Wrong("this category is not closed", start);
    } else if (More()) {
      name.push_back(pattern_[at_++]);
    }
    if (name.starts_with("^")) {
      negated = !negated;
      name.erase(0, 1);
    }
    CharSet set = CharsOfCategory(name);
    if (set.empty()) return Wrong("only general categories are supported in \\p", start);
    return negated ? set.Complement() : set;
  }

  /// After the backslash.
  Result<CharSet> Escape(std::size_t start, bool in_class) {
    if (!More()) return Wrong("the pattern ends with a backslash", start);
    const std::uint32_t c = TakeChar();
    const auto is = [](std::uint32_t one) { return CharSet::Of(one, one); };
    switch (c) {
      case 'd':
        return Digits();
      case 'D':
        return Digits().Complement();
      case 'w':
        return WordChars();
      case 'W':
        return WordChars().Complement();
      case 's':
        return Spaces();
      case 'S':
        return Spaces().Complement();
      case 't':
        return is('\t');
      case 'n':
        return is('\n');
      case 'r':
        return is('\r');
      case 'f':
        return is('\f');
      case 'v':
        return is('\v');
      case 'p':
        return Category(false, start);
      case 'P':
        return Category(true, start);
      case 'x':
      case 'u':
        return CodePoint(static_cast<char>(c), start);
      case '0':
        if (std::isdigit(static_cast<unsigned char>(Peek())) != 0) {
          return Wrong("octal escapes are not supported", start);
        }
        return is(0);
      case 'c': {
        const char letter = Peek();
        if (std::isalpha(static_cast<unsigned char>(letter)) == 0) {
          return Wrong("\\c needs a letter", start);
        }
        ++at_;
        return is(static_cast<std::uint32_t>(letter) & 31U);
      }
      case 'b':
        if (in_class) return is('\b');
        return Wrong("word boundaries are not supported", start);
      default:
        break;
    }
    if (c >= '1' && c <= '9') return Wrong("back-references are not supported", start);
    if (c < 0x80 && std::isalnum(static_cast<int>(c)) != 0) {
      return Wrong(fmt::format("\\{} is not supported", static_cast<char>(c)), start);
    }
    return is(c);
  }

  /// One character or a class like \d in brackets.
  Result<CharSet> ClassItem() {
    const std::size_t start = at_;
    if (Peek() == '[' && (Peek(1) == ':' || Peek(1) == '.' || Peek(1) == '=')) {
      return Wrong("classes like [:alpha:] are not supported");
    }
    if (Take("\\")) return Escape(start, true);
    const std::uint32_t c = TakeChar();
    return CharSet::Of(c, c);
  }

  Result<CharSet> Class() {
    const std::size_t start = at_;
    ++at_;
    const bool negated = Take("^");
    CharSet set;
    while (More() && Peek() != ']') {
      const std::size_t place = at_;
      auto item = ClassItem();
      if (!item) return item;
      if (Peek() != '-' || Peek(1) == ']' || at_ + 1 >= pattern_.size()) {
        set.Add(*item);
        continue;
      }
      ++at_;
      auto last = ClassItem();
      if (!last) return last;
      if (item->count() != 1 || last->count() != 1) {
        return Wrong("a range goes from one character to another", place);
      }
      const std::uint32_t from = item->ranges()[0].first;
      const std::uint32_t to = last->ranges()[0].first;
      if (from > to) return Wrong("this range goes backwards", place);
      set.Add(from, to);
    }
    if (!Take("]")) return Wrong("this [ is not closed", start);
    if (set.empty()) return Wrong("this class is empty", start);
    return negated ? set.Complement() : set;
  }

  std::string_view pattern_;
  Spelling spelling_;
  const std::string& where_;
  Expressions& expressions_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

CharSet CharsOfCategory(std::string_view category) {
  // In the order of utf8proc_category_t.
  constexpr std::array<std::string_view, 30> kNames = {
      "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps",
      "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co"};
  CharSet set;
  if (category.empty() || category.size() > 2) return set;
  std::array<bool, 30> wanted{};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    wanted[i] = kNames[i] == category || (category.size() == 1 && kNames[i][0] == category[0]);
  }
  if (std::find(wanted.begin(), wanted.end(), true) == wanted.end()) return set;
  std::uint32_t first = 0;
  bool open = false;
  for (std::uint32_t c = 0; c <= kMaxCodePoint + 1; ++c) {
    const bool in =
        c <= kMaxCodePoint && wanted[static_cast<std::size_t>(tokenizer::CategoryOf(c)) % 30];
    if (in && !open) first = c;
    if (!in && open) set.Add(first, c - 1);
    open = in;
  }
  return set;
}

Result<ExprId> ParseRegex(std::string_view pattern, Spelling spelling, RegexMatch match,
                          const std::string& where, Expressions* expressions) {
  return Parser(pattern, spelling, where, expressions).Run(match);
}

Result<std::shared_ptr<const Grammar>> CompileRegex(std::string_view pattern,
                                                    const std::string& where) {
  Expressions expressions;
  auto body = ParseRegex(pattern, Spelling::kUtf8, RegexMatch::kWhole, where, &expressions);
  if (!body) return Fail(std::move(body));
  const RuleId root = expressions.AddRule("");
  expressions.Define(root, *body);
  return Grammar::Compile(expressions, root, where);
}

}  // namespace ergo::generate::constrain
