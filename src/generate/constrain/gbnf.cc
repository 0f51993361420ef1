// Grammars in GBNF (compile.h has the syntax).
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "generate/constrain/compile.h"

namespace ergo::generate::constrain {
namespace {

constexpr std::size_t kMaxBytes = 512 << 10;
constexpr int kMaxDepth = 200;
constexpr std::uint32_t kMaxCount = 1'000'000;

bool IsNameChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

class GbnfParser {
 public:
  GbnfParser(std::string_view text, const std::string& where, Expressions* expressions)
      : text_(text), where_(where), expressions_(*expressions) {}

  /// The rule "root".
  Result<RuleId> Run() {
    if (text_.size() > kMaxBytes) return Wrong("the grammar is too long");
    if (const auto bad = FindInvalidUtf8(text_)) {
      at_ = *bad;
      return Wrong("the grammar is not UTF-8");
    }
    SkipSpace(true);
    while (More()) {
      if (auto rule = Rule(); !rule) return Fail(std::move(rule));
      SkipSpace(true);
    }
    for (const Use& use : uses_) {
      if (rules_.at(use.name).defined) continue;
      at_ = use.at;
      return Wrong(fmt::format("there is no rule {}", use.name));
    }
    const auto root = rules_.find("root");
    if (root == rules_.end() || !root->second.defined) {
      return Fail("there is no rule root, which a grammar begins with", where_);
    }
    return RuleId{root->second.id};
  }

 private:
  struct Named {
    RuleId id = 0;
    bool defined = false;
  };
  struct Use {
    std::string name;
    std::size_t at = 0;
  };

  tl::unexpected<Error> Wrong(const std::string& what, std::optional<std::size_t> at = {}) const {
    const std::string_view before = text_.substr(0, at.value_or(at_));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t start = before.rfind('\n');
    const std::size_t column =
        before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
    return Fail(what, fmt::format("{}, line {}, column {}", where_, line, column));
  }

  bool More() const { return at_ < text_.size(); }
  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool Take(std::string_view text) {
    if (!text_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }

  void SkipSpace(bool lines) {
    while (More()) {
      const char c = Peek();
      if (c == '#') {
        while (More() && Peek() != '\n' && Peek() != '\r') ++at_;
      } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string Name() {
    std::string name;
    while (More() && IsNameChar(Peek())) name.push_back(text_[at_++]);
    return name;
  }

  Named& RuleOf(const std::string& name) {
    const auto [place, fresh] = rules_.try_emplace(name);
    if (fresh) place->second.id = expressions_.AddRule("rule " + name);
    return place->second;
  }

  Status Rule() {
    const std::size_t start = at_;
    const std::string name = Name();
    if (name.empty()) return Wrong("the name of a rule must stand here");
    SkipSpace(false);
    if (!Take("::=")) return Wrong("::= must stand here");
    SkipSpace(true);
    Named& rule = RuleOf(name);
    if (rule.defined) return Wrong(fmt::format("the rule {} is there already", name), start);
    rule.defined = true;
    const RuleId id = rule.id;
    auto body = Alternatives(false);
    if (!body) return Fail(std::move(body));
    expressions_.Define(id, *body);
    SkipSpace(false);
    if (More() && Peek() != '\n' && Peek() != '\r') return Wrong("a rule can't go on like this");
    return {};
  }

  Result<ExprId> Alternatives(bool nested) {
    if (++depth_ > kMaxDepth) return Wrong("groups are nested too deeply");
    std::vector<ExprId> choices;
    do {
      SkipSpace(true);
      auto one = Sequence(nested);
      if (!one) return one;
      choices.push_back(*one);
      if (AlternativeFollows()) SkipSpace(true);
    } while (Take("|"));
    --depth_;
    return expressions_.OneOf(std::move(choices));
  }

  /// Whether a | comes next, perhaps at the start of a later line.
  bool AlternativeFollows() {
    const std::size_t start = at_;
    SkipSpace(true);
    const bool follows = Peek() == '|';
    at_ = start;
    return follows;
  }

  /// A rule that begins on this line would otherwise be read as part of the one before.
  bool StartsRule() {
    const std::size_t start = at_;
    const bool named = !Name().empty();
    SkipSpace(false);
    const bool starts = named && text_.substr(at_).starts_with("::=");
    at_ = start;
    return starts;
  }

  Result<ExprId> Sequence(bool nested) {
    std::vector<ExprId> parts;
    while (More()) {
      const char c = Peek();
      if (c == '|' || c == ')' || c == '\n' || c == '\r') break;
      if (IsNameChar(c) && StartsRule()) break;
      auto item = Repeated();
      if (!item) return item;
      parts.push_back(*item);
      SkipSpace(nested);
    }
    return expressions_.Concat(std::move(parts));
  }

  Result<ExprId> Repeated() {
    auto item = Item();
    while (item && More()) {
      if (Take("*")) {
        item = expressions_.Repeat(*item, 0, kUnlimited);
      } else if (Take("+")) {
        item = expressions_.Repeat(*item, 1, kUnlimited);
      } else if (Take("?")) {
        item = expressions_.Optional(*item);
      } else if (Peek() == '{') {
        item = Counted(*item);
      } else {
        break;
      }
    }
    return item;
  }

  std::optional<std::uint32_t> Number() {
    std::optional<std::uint32_t> value;
    while (std::isdigit(static_cast<unsigned char>(Peek())) != 0) {
      const std::uint32_t digit = static_cast<std::uint32_t>(text_[at_++] - '0');
      value = std::min(10 * value.value_or(0) + digit, 10 * kMaxCount);
    }
    return value;
  }

  Result<ExprId> Counted(ExprId item) {
    const std::size_t start = at_;
    ++at_;
    SkipSpace(false);
    const auto low = Number();
    SkipSpace(false);
    const bool comma = Take(",");
    SkipSpace(false);
    const auto high = comma ? Number() : low;
    SkipSpace(false);
    if (!Take("}") || (!low && !high))
      return Wrong("a repetition is {m}, {m,}, {,n} or {m,n}", start);
    const std::uint32_t min = low.value_or(0);
    if (min > kMaxCount || (high && *high > kMaxCount)) {
      return Wrong(fmt::format("repeat counts go up to {}", kMaxCount), start);
    }
    if (high && min > *high) return Wrong("the repeat's minimum is above its maximum", start);
    return expressions_.Repeat(item, min, high.value_or(kUnlimited));
  }

  Result<ExprId> Item() {
    const std::size_t start = at_;
    const char c = Peek();
    if (c == '"') return Literal();
    if (c == '[') return Class();
    if (c == '.') {
      ++at_;
      return expressions_.Chars(CharSet::All());
    }
    if (c == '(') {
      ++at_;
      auto inner = Alternatives(true);
      if (!inner) return inner;
      SkipSpace(true);
      if (!Take(")")) return Wrong("this ( is not closed", start);
      return inner;
    }
    const std::string name = Name();
    if (name.empty()) return Wrong("a literal, a class, a group or a rule's name must stand here");
    uses_.push_back({name, start});
    return expressions_.Call(RuleOf(name).id);
  }

  std::optional<std::uint32_t> Hex(std::size_t digits) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const char c = Peek();
      if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
      const int digit = c <= '9' ? c - '0' : std::tolower(static_cast<unsigned char>(c)) - 'a' + 10;
      value = 16 * value + static_cast<std::uint32_t>(digit);
      ++at_;
    }
    return value;
  }

  /// One character of a literal or a class, escaped or not.
  Result<std::uint32_t> Char() {
    const std::size_t start = at_;
    if (!Take("\\")) {
      const Utf8Char c = DecodeUtf8(text_.substr(at_));
      at_ += c.bytes;
      return c.code_point;
    }
    const char kind = Peek();
    ++at_;
    std::optional<std::uint32_t> code;
    switch (kind) {
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case '\\':
      case '"':
      case '[':
      case ']':
      case '-':
      case '^':
      case '/':
        return static_cast<std::uint32_t>(kind);
      case 'x':
        code = Hex(2);
        break;
      case 'u':
        code = Hex(4);
        break;
      case 'U':
        code = Hex(8);
        break;
      default:
        break;
    }
    if (!code || CharSet::Of(*code, *code).empty()) return Wrong("this is no escape", start);
    return *code;
  }

  Result<ExprId> Literal() {
    const std::size_t start = at_;
    ++at_;
    std::string bytes;
    while (More() && Peek() != '"' && Peek() != '\n') {
      auto c = Char();
      if (!c) return Fail(std::move(c));
      AppendUtf8(*c, &bytes);
    }
    if (!Take("\"")) return Wrong("this literal is not closed", start);
    return expressions_.Bytes(bytes);
  }

  Result<ExprId> Class() {
    const std::size_t start = at_;
    ++at_;
    const bool negated = Take("^");
    CharSet set;
    while (More() && Peek() != ']' && Peek() != '\n') {
      const std::size_t place = at_;
      auto first = Char();
      if (!first) return Fail(std::move(first));
      std::uint32_t last = *first;
      if (Peek() == '-' && Peek(1) != ']') {
        ++at_;
        auto second = Char();
        if (!second) return Fail(std::move(second));
        last = *second;
      }
      if (*first > last) return Wrong("this range goes backwards", place);
      set.Add(*first, last);
    }
    if (!Take("]")) return Wrong("this [ is not closed", start);
    if (set.empty() && !negated) return Wrong("this class is empty", start);
    return expressions_.Chars(negated ? set.Complement() : set);
  }

  std::string_view text_;
  const std::string& where_;
  Expressions& expressions_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::unordered_map<std::string, Named> rules_;
  std::vector<Use> uses_;
};

}  // namespace

Result<std::shared_ptr<const Grammar>> CompileGbnf(std::string_view text,
                                                   const std::string& where) {
  Expressions expressions;
  auto root = GbnfParser(text, where, &expressions).Run();
  if (!root) return Fail(std::move(root));
  return Grammar::Compile(expressions, *root, where);
}

}  // namespace ergo::generate::constrain
