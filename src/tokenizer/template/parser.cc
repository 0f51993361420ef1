// Statements.
#include "tokenizer/template/parser.h"

#include <fmt/format.h>

#include <algorithm>

namespace ergo::tokenizer::jinja {

Parser::Parser(std::vector<Token> tokens, const TemplateLimits& limits, ParsedTemplate* out)
    : tokens_(std::move(tokens)), limits_(limits), out_(out) {
  for (const char* name : {"loop", "caller", "kwargs", "varargs"}) Intern(name);
}

void Parser::Parse() { out_->body = ParseBody({}); }

void Parser::EnterLevel() {
  if (depth_ >= limits_.max_depth) {
    Fail(fmt::format("nested deeper than {} levels", limits_.max_depth));
  }
  ++depth_;
}

// --- Tokens ---

Token Parser::Next() {
  Token token = tokens_[at_];
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool Parser::SkipName(std::string_view name) {
  if (!Now().IsName(name)) return false;
  Next();
  return true;
}

bool Parser::SkipOperator(std::string_view op) {
  if (!Now().IsOperator(op)) return false;
  Next();
  return true;
}

std::string Parser::Describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::kData:
      return "text";
    case TokenKind::kVariableBegin:
      return "'{{'";
    case TokenKind::kVariableEnd:
      return "'}}'";
    case TokenKind::kBlockBegin:
      return "'{%'";
    case TokenKind::kBlockEnd:
      return "'%}'";
    case TokenKind::kString:
      return "a string";
    case TokenKind::kInteger:
    case TokenKind::kFloat:
      return "a number";
    case TokenKind::kEnd:
      return "the end of the template";
    default:
      return fmt::format("'{}'", token.text.substr(0, 64));
  }
}

void Parser::FailAt(std::uint32_t line, std::string message) const {
  throw TemplateError{std::move(message), line, false};
}

void Parser::Fail(std::string message) const { FailAt(Now().line, std::move(message)); }

Token Parser::Expect(TokenKind kind, std::string_view what) {
  if (Now().kind != kind) Fail(fmt::format("expected {}, got {}", what, Describe(Now())));
  return Next();
}

void Parser::ExpectOperator(std::string_view op) {
  if (!SkipOperator(op)) Fail(fmt::format("expected '{}', got {}", op, Describe(Now())));
}

void Parser::ExpectName(std::string_view name) {
  if (!SkipName(name)) Fail(fmt::format("expected '{}', got {}", name, Describe(Now())));
}

NameId Parser::Intern(const std::string& name) {
  const auto [found, added] = name_ids_.try_emplace(name, static_cast<NameId>(out_->names.size()));
  if (added) out_->names.push_back(name);
  return found->second;
}

// --- Bodies ---

// Statements up to a tag of `ends`, which is left as the current token.
Body Parser::ParseBody(EndTags ends) {
  Body body;
  while (Now().kind != TokenKind::kEnd) {
    auto statement = std::make_unique<Statement>();
    statement->line = Now().line;
    if (Now().kind == TokenKind::kData) {
      statement->node = Data{Next().text};
    } else if (Now().kind == TokenKind::kVariableBegin) {
      Next();
      Print print;
      print.values.push_back(ParseTuple({}));
      statement->node = std::move(print);
      Expect(TokenKind::kVariableEnd, "'}}'");
    } else {
      Expect(TokenKind::kBlockBegin, "a tag");
      const bool ended = std::any_of(ends.begin(), ends.end(),
                                     [&](std::string_view end) { return Now().IsName(end); });
      if (ended) return body;
      statement = ParseStatement();
      Expect(TokenKind::kBlockEnd, "'%}'");
    }
    body.push_back(std::move(statement));
  }
  if (ends.size() > 0) {
    Fail(fmt::format("unexpected end of template: '{}' is missing", *(ends.end() - 1)));
  }
  return body;
}

// The body of a tag whose own expressions are read.
Body Parser::ParseBlock(EndTags ends) {
  const Nested nested(this);
  SkipOperator(":");
  Expect(TokenKind::kBlockEnd, "'%}'");
  return ParseBody(ends);
}

std::unique_ptr<Statement> Parser::ParseStatement() {
  auto statement = std::make_unique<Statement>();
  Statement* out = statement.get();
  const Token tag = Expect(TokenKind::kName, "the name of a tag");
  out->line = tag.line;
  const std::string_view name = tag.text;
  if (name == "if") {
    ParseIf(out);
  } else if (name == "for") {
    ParseFor(out);
  } else if (name == "set") {
    ParseSet(out);
  } else if (name == "macro") {
    ParseMacro(out);
  } else if (name == "call") {
    ParseCallBlock(out);
  } else if (name == "filter") {
    ParseFilterBlock(out);
  } else if (name == "with") {
    ParseWith(out);
  } else if (name == "print") {
    ParsePrint(out);
  } else if (name == "generation") {
    ParseScoped("endgeneration", out);
  } else if (name == "block") {
    Expect(TokenKind::kName, "the name of the block");
    SkipName("scoped");
    ParseScoped("endblock", out);
    if (Now().kind == TokenKind::kName) Next();
  } else if (name == "break" || name == "continue") {
    if (breakable_ == 0) FailAt(tag.line, fmt::format("'{}' outside of a loop", name));
    if (name == "break") {
      out->node = Break{};
    } else {
      out->node = Continue{};
    }
  } else if (name == "include" || name == "import" || name == "from" || name == "extends") {
    FailAt(tag.line, fmt::format("'{}': a chat template has no other templates to use", name));
  } else {
    FailAt(tag.line, fmt::format("unknown tag '{}'", name.substr(0, 64)));
  }
  return statement;
}

void Parser::ParseIf(Statement* out) {
  If node;
  while (true) {
    ExpressionPtr test = ParseTuple({.conditional = false});
    Body body = ParseBlock({"elif", "else", "endif"});
    node.branches.emplace_back(std::move(test), std::move(body));
    if (!SkipName("elif")) break;
  }
  if (SkipName("else")) node.otherwise = ParseBlock({"endif"});
  ExpectName("endif");
  out->node = std::move(node);
}

void Parser::ParseFor(Statement* out) {
  For node;
  node.target = ParseTarget(false, "in");
  ExpectName("in");
  node.iterable = ParseTuple({.conditional = false, .end_name = "recursive"});
  if (SkipName("if")) node.filter = ParseExpression();
  node.recursive = SkipName("recursive");
  ++loops_;
  ++breakable_;
  // Found here, so that the target of this very loop is covered, too.
  const auto assigns_loop = [](const auto& self, const Target& target) -> bool {
    if (target.kind == Target::Kind::kName && target.name == kLoopName) return true;
    return std::any_of(target.items.begin(), target.items.end(),
                       [&](const Target& item) { return self(self, item); });
  };
  if (assigns_loop(assigns_loop, node.target)) Fail("cannot assign to the variable 'loop'");
  node.body = ParseBlock({"else", "endfor"});
  --breakable_;
  if (SkipName("else")) node.otherwise = ParseBlock({"endfor"});
  --loops_;
  ExpectName("endfor");
  out->node = std::move(node);
}

NameId Parser::ParseParameterName() {
  const Token token = Expect(TokenKind::kName, "a name");
  static constexpr std::string_view kConstants[] = {"true", "false", "none",
                                                    "True", "False", "None"};
  if (std::find(std::begin(kConstants), std::end(kConstants), token.text) != std::end(kConstants)) {
    FailAt(token.line, fmt::format("cannot assign to '{}'", token.text));
  }
  if (token.text[0] >= '0' && token.text[0] <= '9') FailAt(token.line, "expected a name");
  return Intern(token.text);
}

Target Parser::ParseSingleTarget(bool with_namespace) {
  if (Now().IsOperator("(")) {
    const Nested nested(this);
    Next();
    Target target = ParseTarget(with_namespace, "");
    ExpectOperator(")");
    return target;
  }
  Target target;
  target.name = ParseParameterName();
  if (with_namespace && SkipOperator(".")) {
    target.kind = Target::Kind::kNamespaceAttribute;
    target.attribute = Expect(TokenKind::kName, "the name of an attribute").text;
  } else if (target.name == kLoopName && loops_ > 0) {
    Fail("cannot assign to the variable 'loop'");
  }
  return target;
}

Target Parser::ParseTarget(bool with_namespace, std::string_view end_name) {
  std::vector<Target> items;
  items.push_back(ParseSingleTarget(with_namespace));
  bool is_tuple = false;
  while (SkipOperator(",")) {
    is_tuple = true;
    const bool ended = Now().kind != TokenKind::kName && !Now().IsOperator("(");
    if (ended || (!end_name.empty() && Now().IsName(end_name))) break;
    items.push_back(ParseSingleTarget(with_namespace));
  }
  if (!is_tuple) return std::move(items[0]);
  Target tuple;
  tuple.kind = Target::Kind::kTuple;
  tuple.items = std::move(items);
  return tuple;
}

void Parser::ParseSet(Statement* out) {
  Target target = ParseTarget(true, "");
  if (SkipOperator("=")) {
    out->node = Set{std::move(target), ParseTuple({})};
    return;
  }
  SetBlock node{std::move(target), nullptr, {}};
  while (Now().IsOperator("|")) node.filter = ParseFilter(std::move(node.filter));
  node.body = ParseBlock({"endset"});
  ExpectName("endset");
  out->node = std::move(node);
}

void Parser::ParseSignature(MacroDefinition* macro) {
  ExpectOperator("(");
  while (!Now().IsOperator(")")) {
    if (!macro->parameters.empty()) ExpectOperator(",");
    macro->parameters.push_back(ParseParameterName());
    macro->parameter_names.push_back(out_->names[macro->parameters.back()]);
    if (SkipOperator("=")) {
      macro->defaults.push_back(ParseExpression());
    } else if (!macro->defaults.empty()) {
      Fail("non-default argument follows default argument");
    }
  }
  ExpectOperator(")");
}

Body Parser::ParseMacroBody(MacroDefinition* macro, std::string_view end) {
  macros_.push_back(macro);
  // A macro is a function of its own: break does not reach the loops around it.
  const std::size_t outer = std::exchange(breakable_, 0);
  Body body = ParseBlock({end});
  breakable_ = outer;
  macros_.pop_back();
  ExpectName(end);
  const auto& parameters = macro->parameters;
  const auto caller = std::find(parameters.begin(), parameters.end(), kCallerName);
  const auto without_default =
      static_cast<std::ptrdiff_t>(parameters.size() - macro->defaults.size());
  if (macro->uses_caller && caller - parameters.begin() < without_default) {
    Fail("the argument 'caller' of a macro must have a default");
  }
  return body;
}

void Parser::ParseMacro(Statement* out) {
  // The body refers to the definition while it is parsed: it must not move before that ends.
  MacroDefinition macro;
  const NameId name = ParseParameterName();
  macro.name = out_->names[name];
  ParseSignature(&macro);
  macro.body = ParseMacroBody(&macro, "endmacro");
  out->node = MacroStatement{name, std::move(macro)};
}

void Parser::ParseCallBlock(Statement* out) {
  MacroDefinition macro;
  if (Now().IsOperator("(")) ParseSignature(&macro);
  ExpressionPtr call = ParseExpression();
  if (!std::holds_alternative<Call>(call->node)) FailAt(out->line, "expected a call");
  macro.body = ParseMacroBody(&macro, "endcall");
  out->node = CallBlock{std::move(call), std::move(macro)};
}

void Parser::ParseWith(Statement* out) {
  With node;
  while (Now().kind != TokenKind::kBlockEnd) {
    if (!node.targets.empty()) ExpectOperator(",");
    node.targets.push_back(ParseTarget(false, ""));
    ExpectOperator("=");
    node.values.push_back(ParseExpression());
  }
  node.body = ParseBlock({"endwith"});
  ExpectName("endwith");
  out->node = std::move(node);
}

void Parser::ParsePrint(Statement* out) {
  Print node;
  while (Now().kind != TokenKind::kBlockEnd) {
    if (!node.values.empty()) ExpectOperator(",");
    node.values.push_back(ParseExpression());
  }
  out->node = std::move(node);
}

void Parser::ParseFilterBlock(Statement* out) {
  FilterBlock node;
  node.filter = ParseFilter(nullptr);
  while (Now().IsOperator("|")) node.filter = ParseFilter(std::move(node.filter));
  node.body = ParseBlock({"endfilter"});
  ExpectName("endfilter");
  out->node = std::move(node);
}

void Parser::ParseScoped(std::string_view end, Statement* out) {
  // {% generation %} is a call of a macro in Jinja, so break does not leave it.
  const std::size_t outer = std::exchange(breakable_, 0);
  Scoped node;
  node.body = ParseBlock({end});
  breakable_ = outer;
  ExpectName(end);
  out->node = std::move(node);
}

}  // namespace ergo::tokenizer::jinja
