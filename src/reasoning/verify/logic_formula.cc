#include "reasoning/verify/logic_formula.h"

#include <fmt/format.h>

#include <array>
#include <initializer_list>
#include <utility>

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMaxBytes = 10000;
constexpr int kMaxDepth = 100;

using Op = LogicFormula::Op;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || IsDigit(c) ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<LogicFormula> Whole() {
    auto formula = Weakest();
    if (formula) Blank();
    if (formula && at_ < text_.size()) return Error("something is left over");
    return formula;
  }

 private:
  tl::unexpected<ergo::Error> Error(std::string_view what) const {
    return Fail(fmt::format("{} at byte {} of the formula", what, at_), "logic");
  }

  void Blank() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n'))
      ++at_;
  }

  /// Takes one of the signs or words, which must not run into a longer one.
  bool Take(std::initializer_list<std::string_view> signs) {
    Blank();
    for (const std::string_view sign : signs) {
      const std::string_view rest = text_.substr(at_);
      if (!rest.starts_with(sign)) continue;
      if (IsNameChar(sign[0]) && rest.size() > sign.size() && IsNameChar(rest[sign.size()]))
        continue;
      at_ += sign.size();
      return true;
    }
    return false;
  }

  static LogicFormula Make(Op op, std::vector<LogicFormula> parts) {
    return {op, {}, false, std::move(parts)};
  }

  /// Left-associative operators of one level.
  template <typename Next>
  Result<LogicFormula> Chain(Op op, std::initializer_list<std::string_view> signs, Next next) {
    auto left = next();
    while (left && Take(signs)) {
      auto right = next();
      if (!right) return right;
      // One node for a long row: depth is what nests, not what lines up.
      if (left->op == op && (op == Op::kAnd || op == Op::kOr || op == Op::kTimes)) {
        left->parts.push_back(std::move(*right));
      } else {
        std::vector<LogicFormula> parts;
        parts.push_back(std::move(*left));
        parts.push_back(std::move(*right));
        left = Make(op, std::move(parts));
        if (++chained_ > kMaxDepth) return Error("too many operators in a row");
      }
    }
    return left;
  }

  Result<LogicFormula> Weakest() {
    if (++depth_ > kMaxDepth) return Error("the nesting is too deep");
    auto formula = Chain(Op::kIff, {"<->", "<=>", "iff"}, [&] { return Implication(); });
    --depth_;
    return formula;
  }

  Result<LogicFormula> Implication() {
    if (++depth_ > kMaxDepth) return Error("the nesting is too deep");
    auto left = Chain(Op::kOr, {"||", "|", "or"}, [&] {
      return Chain(Op::kAnd, {"&&", "&", "and"}, [&] { return Unary(); });
    });
    if (left && Take({"->", "=>", "implies"})) {
      auto right = Implication();
      if (!right) return right;
      std::vector<LogicFormula> parts;
      parts.push_back(std::move(*left));
      parts.push_back(std::move(*right));
      left = Make(Op::kImplies, std::move(parts));
    }
    --depth_;
    return left;
  }

  Result<LogicFormula> Unary() {
    if (++depth_ > kMaxDepth) return Error("the nesting is too deep");
    auto formula = UnaryInner();
    --depth_;
    return formula;
  }

  Result<LogicFormula> UnaryInner() {
    Blank();
    if (!text_.substr(at_).starts_with("!=") && Take({"!", "~", "not"})) {
      auto inner = Unary();
      if (!inner) return inner;
      return Make(Op::kNot, {std::move(*inner)});
    }
    const bool all = Take({"forall", "all"});
    if (all || Take({"exists", "some"})) return Quantified(all ? Op::kForAll : Op::kExists);
    return Comparison();
  }

  Result<LogicFormula> Quantified(Op op) {
    LogicFormula variable{op, Name(), false, {}};
    if (variable.name.empty()) return Error("a variable is missing");
    if (Take({":"})) {
      if (!Take({"int"})) return Error("only the type int is known");
      variable.whole_number = true;
    }
    if (Take({","})) {
      if (++depth_ > kMaxDepth) return Error("the nesting is too deep");
      auto inner = Quantified(op);
      --depth_;
      if (!inner) return inner;
      variable.parts.push_back(std::move(*inner));
      return variable;
    }
    if (!Take({".", ":"})) return Error("a full stop is missing behind the variable");
    auto body = Weakest();
    if (!body) return body;
    variable.parts.push_back(std::move(*body));
    return variable;
  }

  std::string Name() {
    Blank();
    const std::size_t begin = at_;
    if (at_ < text_.size() && !IsDigit(text_[at_])) {
      while (at_ < text_.size() && IsNameChar(text_[at_])) ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  Result<LogicFormula> Comparison() {
    auto left = Sum();
    if (!left) return left;
    struct Sign {
      std::initializer_list<std::string_view> text;
      Op op;
      bool swapped;
      bool negated;
    };
    for (const Sign& sign :
         {Sign{{"!="}, Op::kEqual, false, true}, Sign{{"<="}, Op::kLessEqual, false, false},
          Sign{{">="}, Op::kLessEqual, true, false}, Sign{{"=="}, Op::kEqual, false, false},
          Sign{{"="}, Op::kEqual, false, false}, Sign{{"<"}, Op::kLess, false, false},
          Sign{{">"}, Op::kLess, true, false}}) {
      Blank();
      const std::string_view rest = text_.substr(at_);
      if (rest.starts_with("=>") || rest.starts_with("<->") || rest.starts_with("<=>")) break;
      if (!Take(sign.text)) continue;
      auto right = Sum();
      if (!right) return right;
      std::vector<LogicFormula> parts;
      parts.push_back(std::move(sign.swapped ? *right : *left));
      parts.push_back(std::move(sign.swapped ? *left : *right));
      LogicFormula compared = Make(sign.op, std::move(parts));
      return sign.negated ? Make(Op::kNot, {std::move(compared)}) : compared;
    }
    return left;
  }

  Result<LogicFormula> Sum() {
    const auto product = [&] { return Chain(Op::kTimes, {"*"}, [&] { return Factor(); }); };
    auto left = product();
    while (left) {
      Blank();
      const bool minus = text_.substr(at_).starts_with("-") && !text_.substr(at_).starts_with("->");
      if (!minus && !Take({"+"})) return left;
      if (minus) ++at_;
      auto right = product();
      if (!right) return right;
      std::vector<LogicFormula> parts;
      parts.push_back(std::move(*left));
      parts.push_back(std::move(*right));
      left = Make(minus ? Op::kMinus : Op::kPlus, std::move(parts));
      if (++chained_ > kMaxDepth) return Error("too many operators in a row");
    }
    return left;
  }

  Result<LogicFormula> Factor() {
    Blank();
    if (at_ == text_.size()) return Error("the end comes too early");
    if (Take({"("})) {
      auto inner = Weakest();
      if (inner && !Take({")"})) return Error("a parenthesis is not closed");
      return inner;
    }
    if (IsDigit(text_[at_])) {
      const std::size_t begin = at_;
      while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
      if (at_ - begin > 100) return Error("the number is too long");
      return LogicFormula{Op::kNumber, std::string(text_.substr(begin, at_ - begin)), false, {}};
    }
    if (text_[at_] == '-') {
      ++at_;
      if (++depth_ > kMaxDepth) return Error("the nesting is too deep");
      auto inner = Factor();
      --depth_;
      if (!inner) return inner;
      return Make(Op::kMinus, {LogicFormula{Op::kNumber, "0", false, {}}, std::move(*inner)});
    }
    LogicFormula symbol{Op::kName, Name(), false, {}};
    if (symbol.name.empty()) return Error("a name or number is missing");
    if (symbol.name == "true" || symbol.name == "false")
      return Make(symbol.name == "true" ? Op::kTrue : Op::kFalse, {});
    if (!Take({"("})) return symbol;
    do {
      auto argument = Weakest();
      if (!argument) return argument;
      symbol.parts.push_back(std::move(*argument));
    } while (Take({","}));
    if (!Take({")"})) return Error("a parenthesis is not closed");
    return symbol;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int chained_ = 0;
};

}  // namespace

Result<LogicFormula> ParseLogicFormula(std::string_view text) {
  if (text.size() > kMaxBytes)
    return Fail("the formula is too long", "logic", "at most 10,000 bytes");
  return Parser(text).Whole();
}

}  // namespace ergo::reasoning
