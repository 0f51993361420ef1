// The tree of a parsed template: plain data, immutable after parsing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tokenizer/template/filters.h"
#include "tokenizer/template/runtime.h"
#include "tokenizer/template/value.h"

namespace ergo::tokenizer::jinja {

struct Expression;
struct Statement;
using ExpressionPtr = std::unique_ptr<Expression>;
using Body = std::vector<std::unique_ptr<Statement>>;

/// A name of the template, as an index into ParsedTemplate::names.
using NameId = std::uint32_t;

// --- Expressions ---

struct Literal {
  Value value;
};
struct NameUse {
  NameId name;
};
struct ListDisplay {
  std::vector<ExpressionPtr> items;
};
struct TupleDisplay {
  std::vector<ExpressionPtr> items;
};
struct DictDisplay {
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> entries;
};
struct Conditional {
  ExpressionPtr test, then;
  ExpressionPtr otherwise;  ///< May be null: then the value is undefined.
};
struct Logical {
  bool is_and;
  ExpressionPtr left, right;
};
struct Not {
  ExpressionPtr operand;
};
struct Sign {
  bool negative;
  ExpressionPtr operand;
};
struct Binary {
  BinaryOp op;
  ExpressionPtr left, right;
};
struct Concat {
  std::vector<ExpressionPtr> parts;
};
struct Comparison {
  ExpressionPtr first;
  std::vector<std::pair<CompareOp, ExpressionPtr>> rest;
};
struct Attribute {
  ExpressionPtr object;
  std::string name;
};
struct Subscript {
  ExpressionPtr object, key;
};
struct SliceOf {
  ExpressionPtr object;
  ExpressionPtr start, stop, step;  ///< Null where left out.
};
struct CallArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr star, double_star;  ///< Null where left out.
};
struct Call {
  ExpressionPtr callee;
  CallArguments arguments;
};
struct FilterUse {
  ExpressionPtr input;  ///< Null: the text of the enclosing filter or set block.
  std::string name;
  FilterFunction function;  ///< Null if unknown: an error when it is reached.
  CallArguments arguments;
};
struct TestUse {
  ExpressionPtr input;
  std::string name;
  TestFunction function;  ///< Null if unknown.
  CallArguments arguments;
};

struct Expression {
  std::uint32_t line = 0;
  std::uint32_t height = 1;  ///< Levels of the tree below, bounded by the parser.
  std::variant<Literal, NameUse, ListDisplay, TupleDisplay, DictDisplay, Conditional, Logical, Not,
               Sign, Binary, Concat, Comparison, Attribute, Subscript, SliceOf, Call, FilterUse,
               TestUse>
      node;
};

// --- Statements ---

/// What a value is assigned to: a name, an attribute of a namespace, or a tuple of targets.
struct Target {
  enum class Kind { kName, kNamespaceAttribute, kTuple };
  Kind kind = Kind::kName;
  NameId name = 0;
  std::string attribute;
  std::vector<Target> items;
};

struct Data {
  std::string text;
};
struct Print {
  std::vector<ExpressionPtr> values;
};
struct If {
  std::vector<std::pair<ExpressionPtr, Body>> branches;
  Body otherwise;
};
struct For {
  Target target;
  ExpressionPtr iterable;
  ExpressionPtr filter;  ///< May be null.
  bool recursive;
  Body body, otherwise;
};
struct Set {
  Target target;
  ExpressionPtr value;
};
struct SetBlock {
  Target target;
  ExpressionPtr filter;  ///< May be null.
  Body body;
};
struct FilterBlock {
  ExpressionPtr filter;
  Body body;
};
struct With {
  std::vector<Target> targets;
  std::vector<ExpressionPtr> values;
  Body body;
};
struct MacroDefinition {
  std::string name;  ///< Empty for the body of a call block.
  std::vector<NameId> parameters;
  std::vector<std::string> parameter_names;
  std::vector<ExpressionPtr> defaults;  ///< Of the last parameters.
  bool uses_caller = false, uses_kwargs = false, uses_varargs = false;
  Body body;
};
struct MacroStatement {
  NameId name;
  MacroDefinition macro;
};
struct CallBlock {
  ExpressionPtr call;  ///< Its node is a Call.
  MacroDefinition macro;
};
/// A body with names of its own: {% generation %} and {% block %}.
struct Scoped {
  Body body;
};
struct Break {};
struct Continue {};

struct Statement {
  std::uint32_t line = 0;
  std::variant<Data, Print, If, For, Set, SetBlock, FilterBlock, With, MacroStatement, CallBlock,
               Scoped, Break, Continue>
      node;
};

/// Names that mean something to the interpreter, interned first.
enum SpecialName : NameId { kLoopName, kCallerName, kKwargsName, kVarargsName, kSpecialNames };

}  // namespace ergo::tokenizer::jinja

namespace ergo::tokenizer {

struct ParsedTemplate {
  std::string where;
  TemplateLimits limits;
  std::vector<std::string> names;  ///< By NameId.
  jinja::Body body;
};

}  // namespace ergo::tokenizer
