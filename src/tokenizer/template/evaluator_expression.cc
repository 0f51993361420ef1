// Expressions.
#include <fmt/format.h>

#include <utility>

#include "tokenizer/template/evaluator.h"

namespace ergo::tokenizer::jinja {
namespace {

// Work of one expression: eight make a step.
constexpr std::uint64_t kExpressionUnits = 2;

}  // namespace

Value Evaluator::Evaluate(const Expression& expression) {
  const Level level(&runtime_.budget());
  runtime_.budget().Spend(kExpressionUnits);
  line_ = expression.line;
  return std::visit([&](const auto& node) { return Get(node); }, expression.node);
}

std::vector<Value> Evaluator::EvaluateAll(const std::vector<ExpressionPtr>& expressions) {
  std::vector<Value> values;
  values.reserve(expressions.size());
  for (const ExpressionPtr& expression : expressions) values.push_back(Evaluate(*expression));
  return values;
}

const Value* Evaluator::FindName(NameId name) {
  for (const Scope* scope = scope_.get(); scope != nullptr; scope = scope->parent.get()) {
    runtime_.budget().Spend(scope->names.size() / 16);
    for (const auto& [known, value] : scope->names) {
      if (known == name) return &value;
    }
  }
  return variables_[name] ? &*variables_[name] : nullptr;
}

Value Evaluator::Get(const NameUse& node) {
  const Value* found = FindName(node.name);
  if (found != nullptr) return *found;
  return Value::Undefined(fmt::format("'{}' is undefined", parsed_.names[node.name]));
}

Value Evaluator::Get(const ListDisplay& node) { return runtime_.MakeList(EvaluateAll(node.items)); }

Value Evaluator::Get(const TupleDisplay& node) {
  return runtime_.MakeTuple(EvaluateAll(node.items));
}

Value Evaluator::Get(const DictDisplay& node) {
  const auto made = runtime_.MakeDict();
  for (const auto& [key, value] : node.entries) {
    Value name = Evaluate(*key);
    made->Set(std::move(name), Evaluate(*value));
  }
  return Value(std::shared_ptr<const Dict>(made));
}

Value Evaluator::Get(const Conditional& node) {
  if (IsTrueExpression(*node.test)) return Evaluate(*node.then);
  if (node.otherwise != nullptr) return Evaluate(*node.otherwise);
  return Value::Undefined(
      "the inline if-expression evaluated to false and no else section was defined");
}

Value Evaluator::Get(const Logical& node) {
  Value left = Evaluate(*node.left);
  return IsTrue(left) == node.is_and ? Evaluate(*node.right) : left;
}

Value Evaluator::Get(const Sign& node) {
  const Value operand = Evaluate(*node.operand);
  if (node.negative) return Negate(operand);
  if (operand.IsWhole()) return Value(operand.whole());
  if (operand.IsFloat()) return operand;
  if (operand.IsUndefined()) RaiseUndefined(operand);
  Raise(fmt::format("bad operand type for unary +: '{}'", operand.TypeName()));
}

Value Evaluator::Get(const Binary& node) {
  const Value left = Evaluate(*node.left);
  const Value right = Evaluate(*node.right);
  return Operate(runtime_, node.op, left, right);
}

Value Evaluator::Get(const Concat& node) {
  TextBuilder text(&runtime_.budget());
  for (const ExpressionPtr& part : node.parts) text.Append(ToText(runtime_, Evaluate(*part)));
  return runtime_.MakeText(text.Take());
}

Value Evaluator::Get(const Comparison& node) {
  Value left = Evaluate(*node.first);
  for (const auto& [op, operand] : node.rest) {
    Value right = Evaluate(*operand);
    if (!Compare(runtime_, op, left, right)) return Value(false);
    left = std::move(right);
  }
  return Value(true);
}

Value Evaluator::Get(const Attribute& node) {
  return GetAttribute(runtime_, Evaluate(*node.object), node.name);
}

Value Evaluator::Get(const Subscript& node) {
  const Value object = Evaluate(*node.object);
  return GetItem(runtime_, object, Evaluate(*node.key));
}

Value Evaluator::Get(const SliceOf& node) {
  const auto bound = [&](const ExpressionPtr& expression) {
    return expression == nullptr ? Value() : Evaluate(*expression);
  };
  const Value object = Evaluate(*node.object);
  const Value start = bound(node.start);
  const Value stop = bound(node.stop);
  return GetSlice(runtime_, object, start, stop, bound(node.step));
}

Arguments Evaluator::EvaluateArguments(const CallArguments& node) {
  Arguments arguments;
  arguments.positional = EvaluateAll(node.positional);
  for (const auto& [name, value] : node.named) {
    arguments.named.emplace_back(name, Evaluate(*value));
  }
  if (node.star != nullptr) {
    for (Value& item : ItemsOf(runtime_, Evaluate(*node.star))) {
      arguments.positional.push_back(std::move(item));
    }
  }
  if (node.double_star != nullptr) {
    const Value mapping = Evaluate(*node.double_star);
    if (!mapping.IsDict()) Raise("argument after ** must be a mapping");
    for (const auto& [key, value] : mapping.dict().entries()) {
      runtime_.budget().Spend(1 + arguments.named.size());
      if (!key.IsString()) Raise("keywords must be strings");
      for (const auto& [other, unused] : arguments.named) {
        if (other == key.str()) Raise("multiple values for a keyword argument");
      }
      arguments.named.emplace_back(key.str(), value);
    }
  }
  return arguments;
}

Value Evaluator::Get(const Call& node) {
  const Value callee = Evaluate(*node.callee);
  Arguments arguments = EvaluateArguments(node.arguments);
  return CallValue(runtime_, callee, arguments);
}

Value Evaluator::Get(const FilterUse& node) {
  const Value input =
      node.input == nullptr ? std::exchange(block_text_, Value()) : Evaluate(*node.input);
  Arguments arguments = EvaluateArguments(node.arguments);
  if (node.function == nullptr) Raise(fmt::format("No filter named '{}'.", node.name));
  return node.function(runtime_, input, arguments);
}

Value Evaluator::Get(const TestUse& node) {
  const Value input = Evaluate(*node.input);
  Arguments arguments = EvaluateArguments(node.arguments);
  if (node.function == nullptr) Raise(fmt::format("No test named '{}'.", node.name));
  return Value(node.function(runtime_, input, arguments));
}

}  // namespace ergo::tokenizer::jinja
