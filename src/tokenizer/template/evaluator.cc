// Statements.
#include "tokenizer/template/evaluator.h"

#include <fmt/format.h>

#include <algorithm>

#include "tokenizer/template/functions.h"
#include "tokenizer/template/scope_change.h"

namespace ergo::tokenizer::jinja {

Evaluator::Evaluator(const ParsedTemplate& parsed)
    : parsed_(parsed), runtime_(parsed.limits), variables_(parsed.names.size()) {
  for (std::size_t i = 0; i < parsed.names.size(); ++i) variables_[i] = FindGlobal(parsed.names[i]);
}

std::string Evaluator::Run() {
  scope_ = std::make_shared<Scope>(nullptr);
  TextBuilder out(&runtime_.budget());
  out_ = &out;
  Execute(parsed_.body);
  out_ = nullptr;
  return out.Take();
}

Evaluator::Flow Evaluator::Execute(const Body& body) {
  for (const auto& statement : body) {
    const Flow flow = Execute(*statement);
    if (flow != Flow::kNormal) return flow;
  }
  return Flow::kNormal;
}

Evaluator::Flow Evaluator::Execute(const Statement& statement) {
  const Level level(&runtime_.budget());
  runtime_.budget().Spend(Budget::kStepUnits);
  line_ = statement.line;
  return std::visit([&](const auto& node) { return Do(node); }, statement.node);
}

void Evaluator::Write(const Value& value) {
  if (value.IsString()) return out_->Append(value.str());
  out_->Append(ToText(runtime_, value));
}

std::optional<Value> Evaluator::Capture(const Body& body, Flow* flow) {
  TextBuilder text(&runtime_.budget());
  const ScopeChange change(&scope_, std::make_shared<Scope>(scope_));
  const OutputChange output(&out_, &text);
  *flow = Execute(body);
  if (*flow != Flow::kNormal) return std::nullopt;
  return runtime_.MakeText(text.Take());
}

// --- Assignment ---

void Evaluator::AssignName(NameId name, Value value) {
  auto& names = scope_->names;
  runtime_.budget().Spend(names.size() / 16);
  for (auto& [known, old] : names) {
    if (known != name) continue;
    old = std::move(value);
    return;
  }
  names.emplace_back(name, std::move(value));
}

void Evaluator::Assign(const Target& target, const Value& value) {
  switch (target.kind) {
    case Target::Kind::kName:
      AssignName(target.name, value);
      return;
    case Target::Kind::kNamespaceAttribute: {
      const Value* found = FindName(target.name);
      auto* space = found == nullptr ? nullptr : found->As<Namespace>();
      if (space == nullptr) Raise("cannot assign attribute on non-namespace object");
      space->Assign(runtime_, target.attribute, value);
      return;
    }
    case Target::Kind::kTuple:
      break;
  }
  if (!CanIterate(value)) {
    Raise(fmt::format("cannot unpack non-iterable {} object", value.TypeName()));
  }
  const std::vector<Value> items = ItemsOf(runtime_, value);
  if (items.size() != target.items.size()) {
    Raise(fmt::format("{} values to unpack (expected {}, got {})",
                      items.size() < target.items.size() ? "not enough" : "too many",
                      target.items.size(), items.size()));
  }
  for (std::size_t i = 0; i < items.size(); ++i) Assign(target.items[i], items[i]);
}

// --- Statements ---

Evaluator::Flow Evaluator::Do(const Data& node) {
  out_->Append(node.text);
  return Flow::kNormal;
}

Evaluator::Flow Evaluator::Do(const Print& node) {
  for (const ExpressionPtr& value : node.values) Write(Evaluate(*value));
  return Flow::kNormal;
}

Evaluator::Flow Evaluator::Do(const If& node) {
  for (const auto& [test, body] : node.branches) {
    if (IsTrueExpression(*test)) return Execute(body);
  }
  return Execute(node.otherwise);
}

Evaluator::Flow Evaluator::Do(const Set& node) {
  Assign(node.target, Evaluate(*node.value));
  return Flow::kNormal;
}

Value Evaluator::FilterText(const Expression& filter, Value text) {
  // The innermost filter reads the text before anything else can replace it.
  block_text_ = std::move(text);
  return Evaluate(filter);
}

Evaluator::Flow Evaluator::Do(const SetBlock& node) {
  Flow flow = Flow::kNormal;
  auto text = Capture(node.body, &flow);
  if (!text) return flow;
  Assign(node.target, node.filter == nullptr ? *text : FilterText(*node.filter, *std::move(text)));
  return Flow::kNormal;
}

Evaluator::Flow Evaluator::Do(const FilterBlock& node) {
  Flow flow = Flow::kNormal;
  auto text = Capture(node.body, &flow);
  if (!text) return flow;
  Write(FilterText(*node.filter, *std::move(text)));
  return Flow::kNormal;
}

Evaluator::Flow Evaluator::Do(const With& node) {
  std::vector<Value> values;
  for (const ExpressionPtr& value : node.values) values.push_back(Evaluate(*value));
  const ScopeChange change(&scope_, std::make_shared<Scope>(scope_));
  for (std::size_t i = 0; i < values.size(); ++i) Assign(node.targets[i], values[i]);
  return Execute(node.body);
}

Evaluator::Flow Evaluator::Do(const Scoped& node) {
  const ScopeChange change(&scope_, std::make_shared<Scope>(scope_));
  return Execute(node.body);
}

// --- Loops ---

Evaluator::Flow Evaluator::Do(const For& node) {
  RunLoop(node, Evaluate(*node.iterable), 0);
  return Flow::kNormal;
}

// One turn of a loop, in a scope of its own inside scope_.
Evaluator::Flow Evaluator::RunTurn(const For& node, const Value& item) {
  runtime_.budget().Spend(Budget::kStepUnits);
  const ScopeChange change(&scope_, std::make_shared<Scope>(scope_));
  Assign(node.target, item);
  return Execute(node.body);
}

void Evaluator::RunLoop(const For& node, const Value& iterable, std::size_t depth) {
  const auto loop = std::make_shared<Loop>(this, &node, scope_, depth);
  loop->Start(ItemsOf(runtime_, iterable));
  bool completed = false;
  {
    const ScopeChange change(&scope_, std::make_shared<Scope>(scope_));
    AssignName(kLoopName, Value(std::shared_ptr<Object>(loop)));
    Flow flow = Flow::kNormal;
    while (flow != Flow::kBreak && loop->Advance()) {
      flow = RunTurn(node, loop->current());
      // As in Jinja, a turn that breaks off does not count against the else branch.
      completed |= flow == Flow::kNormal;
    }
  }
  // Something still refers to the loop: it may be part of a circle or a long chain.
  if (loop.use_count() > 1) runtime_.Keep(loop);
  if (!completed && !node.otherwise.empty()) {
    const ScopeChange change(&scope_, std::make_shared<Scope>(scope_));
    Execute(node.otherwise);
  }
}

Value Evaluator::CallLoop(const For& loop, const std::shared_ptr<Scope>& scope,
                          const Value& iterable, std::size_t depth) {
  TextBuilder text(&runtime_.budget());
  const ScopeChange change(&scope_, scope);
  const OutputChange output(&out_, &text);
  RunLoop(loop, iterable, depth);
  return runtime_.MakeText(text.Take());
}

bool Evaluator::PassesFilter(const For& loop, const std::shared_ptr<Scope>& scope,
                             const Value& item) {
  runtime_.budget().Spend(Budget::kStepUnits);
  const ScopeChange change(&scope_, std::make_shared<Scope>(scope));
  Assign(loop.target, item);
  return IsTrueExpression(*loop.filter);
}

// --- Macros ---

Evaluator::Flow Evaluator::Do(const MacroStatement& node) {
  // The scope holds the macro and the macro holds the scope: the runtime breaks the circle.
  AssignName(node.name,
             Value(std::shared_ptr<Object>(runtime_.Adopt<Macro>(this, &node.macro, scope_))));
  return Flow::kNormal;
}

Evaluator::Flow Evaluator::Do(const CallBlock& node) {
  const auto& call = std::get<Call>(node.call->node);
  const auto caller = std::make_shared<Macro>(this, &node.macro, scope_);
  {
    const Value callee = Evaluate(*call.callee);
    Arguments arguments = EvaluateArguments(call.arguments);
    arguments.named.emplace_back("caller", Value(std::shared_ptr<Object>(caller)));
    Write(CallValue(runtime_, callee, arguments));
  }
  if (caller.use_count() > 1) runtime_.Keep(caller);
  return Flow::kNormal;
}

// Fills the parameters of `macro` in the current scope.
void Evaluator::BindParameters(const MacroDefinition& macro, Arguments& arguments) {
  const std::size_t count = macro.parameters.size();
  const std::size_t without_default = count - macro.defaults.size();
  bool has_caller = false;
  for (std::size_t i = 0; i < count; ++i) {
    has_caller |= macro.parameters[i] == kCallerName;
    std::optional<Value> value;
    if (i < arguments.positional.size()) {
      value = arguments.positional[i];
    } else {
      value = arguments.TakeNamed(macro.parameter_names[i]);
    }
    if (!value && i >= without_default) value = Evaluate(*macro.defaults[i - without_default]);
    if (!value) {
      value = Value::Undefined(
          fmt::format("parameter '{}' was not provided", macro.parameter_names[i]));
    }
    AssignName(macro.parameters[i], *std::move(value));
  }
  if (macro.uses_caller && !has_caller) {
    auto caller = arguments.TakeNamed("caller");
    AssignName(kCallerName, caller ? *std::move(caller) : Value::Undefined("No caller defined"));
  }
  const auto is_parameter = [&](NameId name) {
    return std::find(macro.parameters.begin(), macro.parameters.end(), name) !=
           macro.parameters.end();
  };
  if (macro.uses_kwargs && !is_parameter(kKwargsName)) {
    const auto rest = runtime_.MakeDict();
    for (auto& [name, value] : arguments.named) rest->Set(runtime_.MakeText(name), value);
    AssignName(kKwargsName, Value(std::shared_ptr<const Dict>(rest)));
  } else if (!arguments.named.empty()) {
    Raise(fmt::format("macro '{}' takes no keyword argument '{}'", macro.name,
                      arguments.named[0].first));
  }
  if (macro.uses_varargs && !is_parameter(kVarargsName)) {
    std::vector<Value> rest;
    for (std::size_t i = count; i < arguments.positional.size(); ++i) {
      rest.push_back(arguments.positional[i]);
    }
    AssignName(kVarargsName, runtime_.MakeTuple(std::move(rest)));
  } else if (arguments.positional.size() > count) {
    Raise(fmt::format("macro '{}' takes not more than {} argument(s)", macro.name, count));
  }
}

Value Evaluator::CallMacro(const MacroDefinition& macro, const std::shared_ptr<Scope>& closure,
                           Arguments& arguments) {
  runtime_.budget().Spend(Budget::kStepUnits);
  TextBuilder text(&runtime_.budget());
  const ScopeChange change(&scope_, std::make_shared<Scope>(closure));
  const OutputChange output(&out_, &text);
  BindParameters(macro, arguments);
  Execute(macro.body);
  return runtime_.MakeText(text.Take());
}

}  // namespace ergo::tokenizer::jinja
