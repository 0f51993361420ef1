// Tokens to a tree.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/template/ast.h"
#include "tokenizer/template/lexer.h"

namespace ergo::tokenizer::jinja {

/// A recursive-descent parser of Jinja's grammar. Raises TemplateError. Nesting is bounded by
/// max_depth, chains of operators by a multiple of it.
class Parser {
 public:
  Parser(std::vector<Token> tokens, const TemplateLimits& limits, ParsedTemplate* out);
  void Parse();

 private:
  using EndTags = std::initializer_list<std::string_view>;
  /// One level of nesting, for as long as it lives.
  class Nested {
   public:
    explicit Nested(Parser* parser) : parser_(parser) { parser_->EnterLevel(); }
    ~Nested() { --parser_->depth_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

   private:
    Parser* parser_;
  };
  void EnterLevel();

  // Tokens.
  const Token& Now() const { return tokens_[at_]; }
  const Token& Ahead() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  Token Next();
  bool SkipName(std::string_view name);
  bool SkipOperator(std::string_view op);
  Token Expect(TokenKind kind, std::string_view what);
  void ExpectOperator(std::string_view op);
  void ExpectName(std::string_view name);
  [[noreturn]] void Fail(std::string message) const;
  [[noreturn]] void FailAt(std::uint32_t line, std::string message) const;
  static std::string Describe(const Token& token);
  NameId Intern(const std::string& name);

  // Statements (parser.cc).
  Body ParseBody(EndTags ends);
  Body ParseBlock(EndTags ends);
  std::unique_ptr<Statement> ParseStatement();
  void ParseIf(Statement* out);
  void ParseFor(Statement* out);
  void ParseSet(Statement* out);
  void ParseMacro(Statement* out);
  void ParseCallBlock(Statement* out);
  void ParseWith(Statement* out);
  void ParsePrint(Statement* out);
  void ParseFilterBlock(Statement* out);
  void ParseScoped(std::string_view end, Statement* out);
  void ParseSignature(MacroDefinition* macro);
  Body ParseMacroBody(MacroDefinition* macro, std::string_view end);
  Target ParseTarget(bool with_namespace, std::string_view end_name);
  Target ParseSingleTarget(bool with_namespace);
  NameId ParseParameterName();

  // Expressions (parser_expression.cc).
  struct TupleRules {
    bool conditional = true;         ///< Inline if is allowed.
    bool parenthesized = false;      ///< May be empty.
    std::string_view end_name = {};  ///< A name that ends the tuple.
  };
  ExpressionPtr ParseTuple(const TupleRules& rules);
  ExpressionPtr ParseExpression() { return ParseConditional(); }
  ExpressionPtr ParseConditional();
  ExpressionPtr ParseOr();
  ExpressionPtr ParseAnd();
  ExpressionPtr ParseNot();
  ExpressionPtr ParseComparison();
  ExpressionPtr ParseSum();
  ExpressionPtr ParseConcat();
  ExpressionPtr ParseProduct();
  ExpressionPtr ParsePower();
  ExpressionPtr ParseUnary(bool with_filters);
  ExpressionPtr ParsePrimary();
  ExpressionPtr ParseName();
  ExpressionPtr ParseList();
  ExpressionPtr ParseDict();
  ExpressionPtr ParsePostfix(ExpressionPtr object);
  ExpressionPtr ParseFilters(ExpressionPtr input);
  ExpressionPtr ParseSubscript(ExpressionPtr object);
  ExpressionPtr ParseCall(ExpressionPtr callee);
  ExpressionPtr ParseFilter(ExpressionPtr input);
  ExpressionPtr ParseTest(ExpressionPtr input);
  CallArguments ParseArguments();
  std::string ParseDottedName();

  /// Makes an expression and checks the height of its tree.
  template <typename Node>
  ExpressionPtr Make(std::uint32_t line, Node node);

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  const TemplateLimits& limits_;
  ParsedTemplate* out_;
  std::unordered_map<std::string, NameId> name_ids_;
  std::size_t depth_ = 0;
  std::size_t loops_ = 0;                 // enclosing loops, also those around macros
  std::size_t breakable_ = 0;             // enclosing loops in the same macro
  std::vector<MacroDefinition*> macros_;  // whose bodies are being parsed
};

}  // namespace ergo::tokenizer::jinja
