#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "reasoning/verify/formula_parser.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMaxBytes = 4000;
constexpr int kMaxDepth = 60;

constexpr std::array<std::string_view, 17> kFunctions = {
    "sin", "cos", "tan", "sec",  "csc",  "cot",  "arcsin", "arccos", "arctan",
    "log", "ln",  "exp", "sinh", "cosh", "tanh", "max",    "min"};
constexpr std::array<std::string_view, 10> kTexts = {
    "text",         "mathrm",     "textbf", "mbox",   "mathbf",
    "operatorname", "textnormal", "textit", "mathit", "rm"};
constexpr std::array<std::string_view, 9> kRelations = {"<=", ">=", "!=", "=", "<",
                                                        ">",  "≈",  "∈",  ":"};

}  // namespace

std::string FormulaParser::BraceText() {
  int depth = 0;
  const std::size_t begin = at_ + 1;
  for (; at_ < text_.size(); ++at_) {
    if (text_[at_] == '{') ++depth;
    if (text_[at_] == '}' && --depth == 0) {
      ++at_;
      return text_.substr(begin, at_ - 1 - begin);
    }
  }
  failed_ = true;
  return {};
}

bool FormulaParser::TextCommand(std::string* inside) {
  const std::string_view name = CommandName();
  if (std::find(kTexts.begin(), kTexts.end(), name) == kTexts.end()) return false;
  const std::size_t mark = at_;
  at_ += name.size() + 1;
  Space();
  if (Peek() != '{') {
    at_ = mark;
    return false;
  }
  *inside = BraceText();
  const std::size_t begin = inside->find_first_not_of(" ,;");
  const std::size_t end = inside->find_last_not_of(" ,;.");
  *inside = begin == inside->npos ? "" : inside->substr(begin, end - begin + 1);
  return true;
}

bool FormulaParser::TakeSeparator() {
  bool found = false;
  for (int i = 0; i < 4; ++i) {
    if (Take(",") || Take(";")) {
      found = true;
      continue;
    }
    const std::string_view word = PlainWord();
    if (word == "and" || word == "or") {
      at_ += word.size();
      found = true;
      continue;
    }
    const std::size_t mark = at_;
    std::string inside;
    if (TextCommand(&inside)) {
      if (inside == "and" || inside == "or" || inside.empty()) {
        found = found || !inside.empty();
        continue;
      }
      at_ = mark;
    }
    break;
  }
  return found;
}

FormulaPtr FormulaParser::List() {
  if (++depth_ > kMaxDepth) return Bad();
  Parts parts = {Relation()};
  while (!failed_ && TakeSeparator()) {
    Space();
    if (at_ >= text_.size()) break;
    parts.push_back(Relation());
  }
  --depth_;
  if (failed_) return nullptr;
  return parts.size() == 1 ? parts[0] : Make(FormulaKind::kList, std::move(parts));
}

FormulaPtr FormulaParser::Relation() {
  Parts parts = {Union()};
  std::string signs;
  while (!failed_) {
    std::string_view sign;
    for (const std::string_view candidate : kRelations) {
      if (At(candidate)) {
        sign = candidate;
        break;
      }
    }
    if (sign.empty()) break;
    Take(sign);
    if (sign == ":") {
      parts.back() = Make(FormulaKind::kQuotient, {parts.back(), Union()});
      continue;
    }
    signs += (signs.empty() ? "" : " ") + std::string(sign);
    parts.push_back(Union());
  }
  if (failed_) return nullptr;
  return parts.size() == 1 ? parts[0] : Make(FormulaKind::kRelation, std::move(parts), signs);
}

FormulaPtr FormulaParser::Union() {
  Parts parts = {Sum()};
  FormulaKind kind = FormulaKind::kUnion;
  while (!failed_ && (At("∪") || At("∩"))) {
    kind = At("∪") ? FormulaKind::kUnion : FormulaKind::kIntersection;
    Take(At("∪") ? "∪" : "∩");
    parts.push_back(Sum());
  }
  if (failed_) return nullptr;
  return parts.size() == 1 ? parts[0] : Make(kind, std::move(parts));
}

FormulaPtr FormulaParser::Sum() {
  if (++depth_ > kMaxDepth) return Bad();
  FormulaPtr sum = At("±") ? MakeNumber(0) : Product();
  while (!failed_) {
    if (Take("+")) {
      sum = Make(FormulaKind::kSum, {sum, Product()});
    } else if (At("-") && !At("->")) {
      Take("-");
      sum = Make(FormulaKind::kSum, {sum, Make(FormulaKind::kNegation, {Product()})});
    } else if (Take("±")) {
      sum = Make(FormulaKind::kPlusMinus, {sum, Product()});
    } else {
      break;
    }
  }
  --depth_;
  return failed_ ? nullptr : sum;
}

bool FormulaParser::StartsFactor() {
  Space();
  const char c = Peek();
  if (IsFormulaDigit(c) || (c == '.' && IsFormulaDigit(Peek(1))) || c == '(' || c == '{')
    return true;
  if (c == '|') return bars_ == 0;
  if (IsFormulaLetter(c)) {
    const std::string_view word = PlainWord();
    return word != "and" && word != "or";
  }
  if (At("∞")) return true;
  if (c != '\\') return false;
  if (Peek(1) == '{') return false;
  const std::string_view name = CommandName();
  return !name.empty() && name != "end" &&
         std::find(kTexts.begin(), kTexts.end(), name) == kTexts.end();
}

// Words and \text{} behind a value: "125\text{ miles}", "28 percent".
void FormulaParser::SkipUnits() {
  for (int i = 0; i < 6; ++i) {
    Space();
    const std::size_t mark = at_;
    std::string inside;
    if (TextCommand(&inside)) {
      if (inside == "and" || inside == "or") {
        at_ = mark;
        return;
      }
      if (Take("^")) Argument();
      continue;
    }
    const std::string_view word = PlainWord();
    const bool function = std::find(kFunctions.begin(), kFunctions.end(), word) != kFunctions.end();
    if (word.size() < 2 || word == "and" || word == "or" || word == "pi" || word == "sqrt" ||
        function) {
      return;
    }
    // A run of letters right behind a digit is a product; a unit stands apart.
    const bool apart =
        at_ > 0 && (text_[at_ - 1] == ' ' || text_[at_ - 1] == '}' || word.size() > 2);
    if (!apart) return;
    at_ += word.size();
    if (Take("^")) Argument();
  }
}

FormulaPtr FormulaParser::Product() {
  FormulaPtr product = Signed();
  while (!failed_) {
    if (Take("**")) return Bad();
    if (Take("*")) {
      product = Make(FormulaKind::kProduct, {product, Signed()});
    } else if (Take("/")) {
      product = Make(FormulaKind::kQuotient, {product, Signed()});
    } else {
      SkipUnits();
      if (failed_ || !StartsFactor()) break;
      product = Make(FormulaKind::kProduct, {product, Power()});
    }
  }
  return failed_ ? nullptr : product;
}

FormulaPtr FormulaParser::Signed() {
  if (++depth_ > kMaxDepth) return Bad();
  FormulaPtr result;
  if (Take("-")) {
    result = Make(FormulaKind::kNegation, {Signed()});
  } else {
    Take("+");
    result = Power();
  }
  --depth_;
  return result;
}

FormulaPtr FormulaParser::Power() {
  if (++depth_ > kMaxDepth) return Bad();
  FormulaPtr base = Postfix(Primary());
  if (!failed_ && Take("^")) {
    FormulaPtr exponent = Peek() == '-' || At("-") ? Signed() : Argument();
    base = Postfix(Make(FormulaKind::kPower, {base, exponent}));
  }
  --depth_;
  return failed_ ? nullptr : base;
}

FormulaPtr FormulaParser::Postfix(FormulaPtr base) {
  while (!failed_ && base) {
    if (At("!") && !At("!=")) {
      Take("!");
      base = Make(FormulaKind::kFunction, {base}, "!");
    } else if (Take("%")) {
      auto percent = std::make_shared<Formula>(*base);
      percent->percent = true;
      base = percent;
    } else if (Take("°") || Take("'")) {
      Take("C");
    } else {
      break;
    }
  }
  return base;
}

// What ^ and \frac take: one digit, one letter, a command or a group.
FormulaPtr FormulaParser::Argument() {
  Space();
  if (Peek() == '{') return Braced();
  if (IsFormulaDigit(Peek())) {
    std::size_t end = at_;
    while (end < text_.size() && IsFormulaDigit(text_[end])) ++end;
    const auto value = ParseDecimal(text_.substr(at_, end - at_));
    at_ = end;
    return value ? MakeNumber(*value) : Bad();
  }
  return Primary();
}

FormulaPtr FormulaParser::Number() {
  std::string digits;
  int decimals = 0;
  std::size_t since = 0;  // digits since the last separator
  bool grouped = false;
  while (IsFormulaDigit(Peek())) {
    digits += Peek();
    ++at_;
    ++since;
    const bool group = Peek() == ',' && IsFormulaDigit(Peek(1)) && IsFormulaDigit(Peek(2)) &&
                       IsFormulaDigit(Peek(3)) && !IsFormulaDigit(Peek(4)) && brackets_ == 0 &&
                       (grouped ? since == 3 : since <= 3);
    if (group) ++at_, since = 0, grouped = true;
  }
  if (Peek() == '.' && IsFormulaDigit(Peek(1))) {
    digits += '.';
    ++at_;
    while (IsFormulaDigit(Peek())) digits += Peek(), ++at_, ++decimals;
  }
  const auto value = ParseDecimal(digits);
  if (!value || ++nodes_ > kMaxNodes) return Bad();
  if (Peek() == '_') {
    ++at_;
    const FormulaPtr base = Argument();
    if (!base) return Bad();
    return Make(FormulaKind::kFunction, {MakeNumber(*value), base}, "base");
  }
  auto number = std::make_shared<Formula>();
  number->value = *value;
  number->decimals = decimals;
  // "2\frac{1}{2}" and "2 1/2" are mixed.
  const std::size_t mark = at_;
  if (decimals == 0 && CommandName() == "frac") {
    const FormulaPtr fraction = Command();
    const bool proper = fraction && fraction->kind == FormulaKind::kQuotient &&
                        fraction->parts[0]->kind == FormulaKind::kNumber &&
                        fraction->parts[1]->kind == FormulaKind::kNumber &&
                        fraction->parts[0]->value < fraction->parts[1]->value;
    if (proper) return Make(FormulaKind::kSum, {number, fraction});
    at_ = mark;
  }
  return number;
}

FormulaPtr FormulaParser::Symbol(std::string name) {
  if (Take("_")) {
    Space();
    if (Peek() == '{') {
      name += "_" + BraceText();
    } else if (at_ < text_.size()) {
      name += std::string("_") + text_[at_++];
    }
  }
  while (Peek() == '\'') name += '\'', ++at_;
  name.erase(std::remove(name.begin(), name.end(), ' '), name.end());
  if (name.size() == 1 && std::string_view("fghFGHWPqT").find(name[0]) != std::string_view::npos &&
      At("(")) {
    // f(x): a function of what is in the brackets.
    FormulaPtr inside = Primary();
    return Make(FormulaKind::kFunction, {inside}, name);
  }
  return Make(FormulaKind::kSymbol, {}, name);
}

FormulaPtr FormulaParser::Bracket(char open) {
  ++at_;
  const int bars = std::exchange(bars_, 0);
  ++brackets_;
  FormulaPtr inside = List();
  --brackets_;
  bars_ = bars;
  Space();
  const char close = Peek();
  if (failed_ || (close != ')' && close != ']')) return Bad();
  ++at_;
  const bool round = open == '(' && close == ')';
  if (inside->kind != FormulaKind::kList) {
    if (open == '(' ? close == ')' : close == ']') return inside;
    return Bad();
  }
  if (round) return Make(FormulaKind::kTuple, inside->parts);
  if (inside->parts.size() != 2) return Bad();
  return Make(FormulaKind::kInterval, inside->parts, std::string(1, open) + close);
}

FormulaPtr FormulaParser::Braced() {
  ++at_;
  const int bars = std::exchange(bars_, 0);
  FormulaPtr inside = List();
  bars_ = bars;
  if (failed_ || !Take("}")) return Bad();
  return inside;
}

FormulaPtr FormulaParser::SetBraces() {
  at_ += 2;
  if (Take("\\}")) return Make(FormulaKind::kSet, {});
  FormulaPtr inside = List();
  if (failed_ || !Take("\\}")) return Bad();
  if (inside->kind == FormulaKind::kList) return Make(FormulaKind::kSet, inside->parts);
  return Make(FormulaKind::kSet, {inside});
}

FormulaPtr FormulaParser::Absolute() {
  ++at_;
  ++bars_;
  FormulaPtr inside = Sum();
  --bars_;
  if (failed_ || !Take("|")) return Bad();
  return Make(FormulaKind::kFunction, {inside}, "abs");
}

FormulaPtr FormulaParser::Function(std::string name) {
  FormulaPtr power;
  FormulaPtr base;
  if (Take("_")) base = Argument();
  if (Take("^")) power = Argument();
  Space();
  FormulaPtr argument;
  if (Peek() == '(' || Peek() == '{' || Peek() == '|')
    argument = Primary();
  else
    argument = Power();
  if (failed_ || !argument) return Bad();
  FormulaPtr value = base ? Make(FormulaKind::kFunction, {argument, base}, name)
                          : Make(FormulaKind::kFunction, {argument}, name);
  return power ? Make(FormulaKind::kPower, {value, power}) : value;
}

FormulaPtr FormulaParser::Matrix() {
  at_ += 6;  // \begin
  Space();
  const std::string name = BraceText();
  if (name == "array") {
    Space();
    if (Peek() == '{') BraceText();
  } else if (name.find("matrix") == name.npos) {
    return Bad();
  }
  Parts rows;
  Parts row;
  while (!failed_) {
    if (At("\\end")) break;
    row.push_back(Relation());
    if (failed_) return nullptr;
    if (Take("&")) continue;
    const bool next = Take("\\\\");
    rows.push_back(Make(FormulaKind::kTuple, std::exchange(row, {})));
    if (!next) break;
  }
  if (!row.empty()) rows.push_back(Make(FormulaKind::kTuple, std::move(row)));
  if (failed_ || !Take("\\end")) return Bad();
  Space();
  BraceText();
  return Make(FormulaKind::kMatrix, std::move(rows));
}

FormulaPtr FormulaParser::Command() {
  const std::string name(CommandName());
  if (name == "begin") return Matrix();
  at_ += name.size() + 1;
  if (name == "frac") {
    Space();
    // "\frac12" takes one digit each.
    const auto part = [this]() -> FormulaPtr {
      Space();
      if (!IsFormulaDigit(Peek())) return Argument();
      return MakeNumber(Rational(text_[at_++] - '0'));
    };
    const FormulaPtr num = part();
    if (failed_) return nullptr;
    const FormulaPtr den = part();
    return Make(FormulaKind::kQuotient, {num, den});
  }
  if (name == "sqrt") {
    FormulaPtr degree;
    if (At("[")) {
      ++at_;
      degree = Sum();
      if (failed_ || !Take("]")) return Bad();
    }
    const FormulaPtr radicand = Argument();
    if (!degree) degree = MakeNumber(2);
    return Make(FormulaKind::kPower,
                {radicand, Make(FormulaKind::kQuotient, {MakeNumber(1), degree})});
  }
  if (name == "boxed") return Argument();
  if (name == "pi") return Make(FormulaKind::kSymbol, {}, "pi");
  const bool function = std::find(kFunctions.begin(), kFunctions.end(), name) != kFunctions.end();
  if (function) return Function(name);
  std::string inside;
  at_ -= name.size() + 1;
  if (TextCommand(&inside)) {
    if (inside == "e" || inside == "i") return Symbol(inside);
    return Make(FormulaKind::kText, {}, inside);
  }
  at_ += name.size() + 1;
  static constexpr std::array<std::string_view, 18> kGreek = {
      "alpha", "beta",  "gamma", "delta", "theta", "lambda", "mu",    "omega", "phi",
      "rho",   "sigma", "tau",   "psi",   "xi",    "eta",    "Delta", "Omega", "varphi"};
  if (std::find(kGreek.begin(), kGreek.end(), name) != kGreek.end()) return Symbol("\\" + name);
  return Bad();
}

FormulaPtr FormulaParser::Primary() {
  if (++depth_ > kMaxDepth || failed_) return Bad();
  Space();
  FormulaPtr result;
  const char c = Peek();
  if (IsFormulaDigit(c) || (c == '.' && IsFormulaDigit(Peek(1)))) {
    result = Number();
  } else if (c == '(' || c == '[') {
    result = Bracket(c);
  } else if (c == '{') {
    result = Braced();
  } else if (c == '|') {
    result = Absolute();
  } else if (c == '\\' && Peek(1) == '{') {
    result = SetBraces();
  } else if (c == '\\') {
    result = CommandName().empty() ? Bad() : Command();
  } else if (Take("∞")) {
    result = Make(FormulaKind::kSymbol, {}, "inf");
  } else if (IsFormulaLetter(c)) {
    const std::string word(PlainWord());
    const bool function = std::find(kFunctions.begin(), kFunctions.end(), word) != kFunctions.end();
    if (word == "pi") {
      at_ += 2;
      result = Make(FormulaKind::kSymbol, {}, "pi");
    } else if (word == "sqrt") {
      at_ += 4;
      const FormulaPtr inside = Primary();
      result = Make(FormulaKind::kPower,
                    {inside, Make(FormulaKind::kQuotient, {MakeNumber(1), MakeNumber(2)})});
    } else if (function) {
      at_ += word.size();
      result = Function(word);
    } else {
      ++at_;
      result = Symbol(word.substr(0, 1));
    }
  } else {
    result = Bad();
  }
  --depth_;
  return failed_ ? nullptr : result;
}

FormulaPtr ParseFormula(std::string_view text) {
  if (text.size() > kMaxBytes) return nullptr;
  return FormulaParser(NormalizeLatex(text)).Whole();
}

}  // namespace ergo::reasoning
