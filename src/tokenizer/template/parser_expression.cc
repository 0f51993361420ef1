// Expressions, in the order of their precedence.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "tokenizer/template/parser.h"

namespace ergo::tokenizer::jinja {
namespace {

// A chain like a + b + c is as high as it is long; evaluation takes a level for each.
constexpr std::size_t kHeightPerDepth = 4;

/// The height of the highest child of a node.
class ChildHeight {
 public:
  std::uint32_t value() const { return height_; }

  void operator()(const Literal&) {}
  void operator()(const NameUse&) {}
  void operator()(const ListDisplay& n) { Add(n.items); }
  void operator()(const TupleDisplay& n) { Add(n.items); }
  void operator()(const DictDisplay& n) {
    for (const auto& [key, value] : n.entries) Add(key, value);
  }
  void operator()(const Conditional& n) { Add(n.test, n.then, n.otherwise); }
  void operator()(const Logical& n) { Add(n.left, n.right); }
  void operator()(const Not& n) { Add(n.operand); }
  void operator()(const Sign& n) { Add(n.operand); }
  void operator()(const Binary& n) { Add(n.left, n.right); }
  void operator()(const Concat& n) { Add(n.parts); }
  void operator()(const Comparison& n) {
    Add(n.first);
    for (const auto& [op, operand] : n.rest) Add(operand);
  }
  void operator()(const Attribute& n) { Add(n.object); }
  void operator()(const Subscript& n) { Add(n.object, n.key); }
  void operator()(const SliceOf& n) { Add(n.object, n.start, n.stop, n.step); }
  void operator()(const Call& n) { Add(n.callee, n.arguments); }
  void operator()(const FilterUse& n) { Add(n.input, n.arguments); }
  void operator()(const TestUse& n) { Add(n.input, n.arguments); }

 private:
  void Add(const ExpressionPtr& child) {
    if (child != nullptr) height_ = std::max(height_, child->height);
  }
  void Add(const std::vector<ExpressionPtr>& children) {
    for (const ExpressionPtr& child : children) Add(child);
  }
  void Add(const CallArguments& arguments) {
    Add(arguments.positional);
    for (const auto& [name, value] : arguments.named) Add(value);
    Add(arguments.star, arguments.double_star);
  }
  template <typename First, typename... Rest>
    requires(sizeof...(Rest) > 0)
  void Add(const First& first, const Rest&... rest) {
    Add(first);
    Add(rest...);
  }

  std::uint32_t height_ = 0;
};

std::optional<CompareOp> CompareOpOf(const Token& token) {
  if (token.kind != TokenKind::kOperator) return std::nullopt;
  if (token.text == "==") return CompareOp::kEqual;
  if (token.text == "!=") return CompareOp::kNotEqual;
  if (token.text == "<") return CompareOp::kLess;
  if (token.text == "<=") return CompareOp::kLessEqual;
  if (token.text == ">") return CompareOp::kGreater;
  if (token.text == ">=") return CompareOp::kGreaterEqual;
  return std::nullopt;
}

std::optional<BinaryOp> ProductOpOf(const Token& token) {
  if (token.kind != TokenKind::kOperator) return std::nullopt;
  if (token.text == "*") return BinaryOp::kMultiply;
  if (token.text == "/") return BinaryOp::kDivide;
  if (token.text == "//") return BinaryOp::kFloorDivide;
  if (token.text == "%") return BinaryOp::kModulo;
  return std::nullopt;
}

}  // namespace

template <typename Node>
ExpressionPtr Parser::Make(std::uint32_t line, Node node) {
  ChildHeight children;
  children(node);
  if (children.value() >= limits_.max_depth * kHeightPerDepth) {
    FailAt(line, fmt::format("expression with more than {} levels of operators",
                             limits_.max_depth * kHeightPerDepth));
  }
  auto made = std::make_unique<Expression>();
  made->line = line;
  made->height = children.value() + 1;
  made->node = std::move(node);
  return made;
}

ExpressionPtr Parser::ParseTuple(const TupleRules& rules) {
  const std::uint32_t line = Now().line;
  std::vector<ExpressionPtr> items;
  bool is_tuple = false;
  while (true) {
    const bool ended = Now().kind == TokenKind::kVariableEnd ||
                       Now().kind == TokenKind::kBlockEnd || Now().IsOperator(")") ||
                       (!rules.end_name.empty() && Now().IsName(rules.end_name));
    if (ended) break;
    items.push_back(rules.conditional ? ParseConditional() : ParseOr());
    if (!SkipOperator(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && items.size() == 1) return std::move(items[0]);
  if (items.empty() && !rules.parenthesized) {
    Fail(fmt::format("expected an expression, got {}", Describe(Now())));
  }
  return Make(line, TupleDisplay{std::move(items)});
}

ExpressionPtr Parser::ParseConditional() {
  std::uint32_t line = Now().line;
  ExpressionPtr value = ParseOr();
  while (SkipName("if")) {
    Conditional node;
    node.test = ParseOr();
    node.then = std::move(value);
    if (SkipName("else")) {
      const Nested nested(this);
      node.otherwise = ParseConditional();
    }
    value = Make(line, std::move(node));
    line = Now().line;
  }
  return value;
}

ExpressionPtr Parser::ParseOr() {
  const std::uint32_t line = Now().line;
  ExpressionPtr left = ParseAnd();
  while (SkipName("or")) left = Make(line, Logical{false, std::move(left), ParseAnd()});
  return left;
}

ExpressionPtr Parser::ParseAnd() {
  const std::uint32_t line = Now().line;
  ExpressionPtr left = ParseNot();
  while (SkipName("and")) left = Make(line, Logical{true, std::move(left), ParseNot()});
  return left;
}

ExpressionPtr Parser::ParseNot() {
  const std::uint32_t line = Now().line;
  if (!SkipName("not")) return ParseComparison();
  const Nested nested(this);
  return Make(line, Not{ParseNot()});
}

ExpressionPtr Parser::ParseComparison() {
  const std::uint32_t line = Now().line;
  Comparison node;
  node.first = ParseSum();
  while (true) {
    CompareOp op = CompareOp::kIn;
    if (const auto symbol = CompareOpOf(Now())) {
      op = *symbol;
      Next();
    } else if (Now().IsName("not") && Ahead().IsName("in")) {
      op = CompareOp::kNotIn;
      Next();
      Next();
    } else if (!SkipName("in")) {
      break;
    }
    node.rest.emplace_back(op, ParseSum());
  }
  if (node.rest.empty()) return std::move(node.first);
  return Make(line, std::move(node));
}

ExpressionPtr Parser::ParseSum() {
  const std::uint32_t line = Now().line;
  ExpressionPtr left = ParseConcat();
  while (Now().IsOperator("+") || Now().IsOperator("-")) {
    const BinaryOp op = Next().text == "+" ? BinaryOp::kAdd : BinaryOp::kSubtract;
    left = Make(line, Binary{op, std::move(left), ParseConcat()});
  }
  return left;
}

ExpressionPtr Parser::ParseConcat() {
  const std::uint32_t line = Now().line;
  Concat node;
  node.parts.push_back(ParseProduct());
  while (SkipOperator("~")) node.parts.push_back(ParseProduct());
  if (node.parts.size() == 1) return std::move(node.parts[0]);
  return Make(line, std::move(node));
}

ExpressionPtr Parser::ParseProduct() {
  const std::uint32_t line = Now().line;
  ExpressionPtr left = ParsePower();
  while (const auto op = ProductOpOf(Now())) {
    Next();
    left = Make(line, Binary{*op, std::move(left), ParsePower()});
  }
  return left;
}

ExpressionPtr Parser::ParsePower() {
  const std::uint32_t line = Now().line;
  ExpressionPtr left = ParseUnary(true);
  // To the left, unlike Python, as in Jinja.
  while (SkipOperator("**")) {
    left = Make(line, Binary{BinaryOp::kPower, std::move(left), ParseUnary(true)});
  }
  return left;
}

ExpressionPtr Parser::ParseUnary(bool with_filters) {
  const Nested nested(this);
  const std::uint32_t line = Now().line;
  ExpressionPtr operand;
  if (Now().IsOperator("-") || Now().IsOperator("+")) {
    const bool negative = Next().text == "-";
    operand = Make(line, Sign{negative, ParseUnary(false)});
  } else {
    operand = ParsePrimary();
  }
  operand = ParsePostfix(std::move(operand));
  return with_filters ? ParseFilters(std::move(operand)) : std::move(operand);
}

ExpressionPtr Parser::ParseName() {
  const Token token = Next();
  const std::string& name = token.text;
  if (name == "true" || name == "True") return Make(token.line, Literal{Value(true)});
  if (name == "false" || name == "False") return Make(token.line, Literal{Value(false)});
  if (name == "none" || name == "None") return Make(token.line, Literal{Value()});
  const NameId id = Intern(name);
  for (MacroDefinition* macro : macros_) {
    macro->uses_caller |= id == kCallerName;
    macro->uses_kwargs |= id == kKwargsName;
    macro->uses_varargs |= id == kVarargsName;
  }
  return Make(token.line, NameUse{id});
}

ExpressionPtr Parser::ParsePrimary() {
  const std::uint32_t line = Now().line;
  switch (Now().kind) {
    case TokenKind::kName:
      return ParseName();
    case TokenKind::kString: {
      std::string text;
      while (Now().kind == TokenKind::kString) text += Next().text;
      return Make(line, Literal{Value::Constant(std::move(text))});
    }
    case TokenKind::kInteger:
      return Make(line, Literal{Value(Next().whole)});
    case TokenKind::kFloat:
      return Make(line, Literal{Value(Next().real)});
    default:
      break;
  }
  if (Now().IsOperator("[")) return ParseList();
  if (Now().IsOperator("{")) return ParseDict();
  if (!SkipOperator("(")) Fail(fmt::format("unexpected {}", Describe(Now())));
  ExpressionPtr inner = ParseTuple({.parenthesized = true});
  ExpectOperator(")");
  return inner;
}

ExpressionPtr Parser::ParseList() {
  const std::uint32_t line = Next().line;
  ListDisplay node;
  while (!Now().IsOperator("]")) {
    if (!node.items.empty()) ExpectOperator(",");
    if (Now().IsOperator("]")) break;
    node.items.push_back(ParseExpression());
  }
  ExpectOperator("]");
  return Make(line, std::move(node));
}

ExpressionPtr Parser::ParseDict() {
  const std::uint32_t line = Next().line;
  DictDisplay node;
  while (!Now().IsOperator("}")) {
    if (!node.entries.empty()) ExpectOperator(",");
    if (Now().IsOperator("}")) break;
    ExpressionPtr key = ParseExpression();
    ExpectOperator(":");
    ExpressionPtr value = ParseExpression();
    node.entries.emplace_back(std::move(key), std::move(value));
  }
  ExpectOperator("}");
  return Make(line, std::move(node));
}

ExpressionPtr Parser::ParsePostfix(ExpressionPtr object) {
  while (true) {
    if (Now().IsOperator(".") || Now().IsOperator("[")) {
      object = ParseSubscript(std::move(object));
    } else if (Now().IsOperator("(")) {
      object = ParseCall(std::move(object));
    } else {
      return object;
    }
  }
}

ExpressionPtr Parser::ParseFilters(ExpressionPtr input) {
  while (true) {
    if (Now().IsOperator("|")) {
      input = ParseFilter(std::move(input));
    } else if (Now().IsName("is")) {
      input = ParseTest(std::move(input));
    } else if (Now().IsOperator("(")) {
      input = ParseCall(std::move(input));
    } else {
      return input;
    }
  }
}

ExpressionPtr Parser::ParseSubscript(ExpressionPtr object) {
  const Token open = Next();
  if (open.text == ".") {
    const Token name = Next();
    if (name.kind == TokenKind::kName) {
      return Make(open.line, Attribute{std::move(object), name.text});
    }
    if (name.kind != TokenKind::kInteger) FailAt(name.line, "expected a name or a number");
    ExpressionPtr key = Make(name.line, Literal{Value(name.whole)});
    return Make(open.line, Subscript{std::move(object), std::move(key)});
  }
  ExpressionPtr start;
  if (!Now().IsOperator(":")) {
    start = ParseExpression();
    if (Now().IsOperator(",")) {
      TupleDisplay keys;
      keys.items.push_back(std::move(start));
      while (SkipOperator(",")) keys.items.push_back(ParseExpression());
      start = Make(open.line, std::move(keys));
    }
    if (SkipOperator("]")) return Make(open.line, Subscript{std::move(object), std::move(start)});
  }
  ExpectOperator(":");
  SliceOf node{std::move(object), std::move(start), nullptr, nullptr};
  if (!Now().IsOperator(":") && !Now().IsOperator("]")) node.stop = ParseExpression();
  if (SkipOperator(":") && !Now().IsOperator("]")) node.step = ParseExpression();
  ExpectOperator("]");
  return Make(open.line, std::move(node));
}

CallArguments Parser::ParseArguments() {
  CallArguments arguments;
  ExpectOperator("(");
  bool first = true;
  const auto ensure = [&](bool fine) {
    if (!fine) Fail("invalid syntax in the arguments of a call");
  };
  while (!Now().IsOperator(")")) {
    if (!first) ExpectOperator(",");
    first = false;
    if (Now().IsOperator(")")) break;
    if (SkipOperator("*")) {
      ensure(arguments.star == nullptr && arguments.double_star == nullptr);
      arguments.star = ParseExpression();
    } else if (SkipOperator("**")) {
      ensure(arguments.double_star == nullptr);
      arguments.double_star = ParseExpression();
    } else if (Now().kind == TokenKind::kName && Ahead().IsOperator("=")) {
      ensure(arguments.double_star == nullptr);
      std::string name = Next().text;
      Next();
      for (const auto& [other, value] : arguments.named) ensure(other != name);
      arguments.named.emplace_back(std::move(name), ParseExpression());
    } else {
      ensure(arguments.star == nullptr && arguments.double_star == nullptr &&
             arguments.named.empty());
      arguments.positional.push_back(ParseExpression());
    }
  }
  ExpectOperator(")");
  return arguments;
}

ExpressionPtr Parser::ParseCall(ExpressionPtr callee) {
  const std::uint32_t line = Now().line;
  CallArguments arguments = ParseArguments();
  return Make(line, Call{std::move(callee), std::move(arguments)});
}

std::string Parser::ParseDottedName() {
  std::string name = Expect(TokenKind::kName, "a name").text;
  while (SkipOperator(".")) name.append(1, '.').append(Expect(TokenKind::kName, "a name").text);
  return name;
}

// Null as input stands for the text of a block; the bar may be missing then.
ExpressionPtr Parser::ParseFilter(ExpressionPtr input) {
  SkipOperator("|");
  const std::uint32_t line = Now().line;
  FilterUse node{std::move(input), ParseDottedName(), nullptr, {}};
  node.function = FindFilter(node.name);
  if (Now().IsOperator("(")) node.arguments = ParseArguments();
  return Make(line, std::move(node));
}

ExpressionPtr Parser::ParseTest(ExpressionPtr input) {
  const std::uint32_t line = Next().line;
  const bool negated = SkipName("not");
  TestUse node{std::move(input), ParseDottedName(), nullptr, {}};
  node.function = FindTest(node.name);
  const TokenKind kind = Now().kind;
  const bool is_word = kind == TokenKind::kName && !Now().IsName("else") && !Now().IsName("or") &&
                       !Now().IsName("and");
  if (Now().IsOperator("(")) {
    node.arguments = ParseArguments();
  } else if (is_word || kind == TokenKind::kString || kind == TokenKind::kInteger ||
             kind == TokenKind::kFloat || Now().IsOperator("[") || Now().IsOperator("{")) {
    if (Now().IsName("is")) Fail("tests cannot be chained with 'is'");
    node.arguments.positional.push_back(ParsePostfix(ParsePrimary()));
  }
  ExpressionPtr test = Make(line, std::move(node));
  return negated ? Make(line, Not{std::move(test)}) : std::move(test);
}

}  // namespace ergo::tokenizer::jinja
