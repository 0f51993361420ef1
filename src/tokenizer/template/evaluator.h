// Runs a parsed template.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tokenizer/template/ast.h"
#include "tokenizer/template/runtime.h"

namespace ergo::tokenizer::jinja {

/// The names of one block. A name that is not here is looked for in the block around.
struct Scope {
  explicit Scope(std::shared_ptr<Scope> outer) : parent(std::move(outer)) {}
  std::shared_ptr<Scope> parent;
  std::vector<std::pair<NameId, Value>> names;
};

class Loop;

/// One rendering of one template. Not for use by several threads.
class Evaluator {
 public:
  explicit Evaluator(const ParsedTemplate& parsed);

  Runtime& runtime() { return runtime_; }
  /// Sets a variable from outside.
  void Define(NameId name, Value value) { variables_[name] = std::move(value); }
  /// The rendered text. Raises TemplateError.
  std::string Run();
  /// The line of what was evaluated last.
  std::uint32_t line() const { return line_; }

  // For macros and loops, which are values that run parts of the template.
  Value CallMacro(const MacroDefinition& macro, const std::shared_ptr<Scope>& closure,
                  Arguments& arguments);
  Value CallLoop(const For& loop, const std::shared_ptr<Scope>& scope, const Value& iterable,
                 std::size_t depth);
  bool PassesFilter(const For& loop, const std::shared_ptr<Scope>& scope, const Value& item);

 private:
  enum class Flow { kNormal, kBreak, kContinue };

  // Statements (evaluator.cc).
  Flow Execute(const Body& body);
  Flow Execute(const Statement& statement);
  Flow Do(const Data& node);
  Flow Do(const Print& node);
  Flow Do(const If& node);
  Flow Do(const For& node);
  Flow Do(const Set& node);
  Flow Do(const SetBlock& node);
  Flow Do(const FilterBlock& node);
  Flow Do(const With& node);
  Flow Do(const MacroStatement& node);
  Flow Do(const CallBlock& node);
  Flow Do(const Scoped& node);
  Flow Do(const Break&) { return Flow::kBreak; }
  Flow Do(const Continue&) { return Flow::kContinue; }
  void RunLoop(const For& node, const Value& iterable, std::size_t depth);
  Flow RunTurn(const For& node, const Value& item);

  /// Runs `body` in a scope of its own and gives what it writes; nothing if it breaks off.
  std::optional<Value> Capture(const Body& body, Flow* flow);
  void Write(const Value& value);
  void Assign(const Target& target, const Value& value);
  void AssignName(NameId name, Value value);
  Value FilterText(const Expression& filter, Value text);
  void BindParameters(const MacroDefinition& macro, Arguments& arguments);

  // Expressions (evaluator_expression.cc).
  Value Evaluate(const Expression& expression);
  bool IsTrueExpression(const Expression& expression) { return IsTrue(Evaluate(expression)); }
  Value Get(const Literal& node) { return node.value; }
  Value Get(const NameUse& node);
  Value Get(const ListDisplay& node);
  Value Get(const TupleDisplay& node);
  Value Get(const DictDisplay& node);
  Value Get(const Conditional& node);
  Value Get(const Logical& node);
  Value Get(const Not& node) { return Value(!IsTrueExpression(*node.operand)); }
  Value Get(const Sign& node);
  Value Get(const Binary& node);
  Value Get(const Concat& node);
  Value Get(const Comparison& node);
  Value Get(const Attribute& node);
  Value Get(const Subscript& node);
  Value Get(const SliceOf& node);
  Value Get(const Call& node);
  Value Get(const FilterUse& node);
  Value Get(const TestUse& node);
  std::vector<Value> EvaluateAll(const std::vector<ExpressionPtr>& expressions);
  Arguments EvaluateArguments(const CallArguments& node);
  const Value* FindName(NameId name);

  const ParsedTemplate& parsed_;
  Runtime runtime_;  // before all that holds values: they report to its budget
  std::vector<std::optional<Value>> variables_;  // by NameId
  std::shared_ptr<Scope> scope_;
  TextBuilder* out_ = nullptr;
  Value block_text_;  // what a filter or set block wrote
  std::uint32_t line_ = 0;
};

/// A macro, or the body of a call block.
class Macro : public Object {
 public:
  Macro(Evaluator* evaluator, const MacroDefinition* definition, std::shared_ptr<Scope> closure)
      : evaluator_(evaluator), definition_(definition), closure_(std::move(closure)) {}
  std::string_view TypeName() const override { return "Macro"; }
  std::string Repr(Runtime& runtime) override;
  std::optional<Value> Attribute(Runtime& runtime, std::string_view name) override;
  bool CanCall() const override { return true; }
  Value Call(Runtime& runtime, Arguments& arguments) override;
  void Clear() override { closure_.reset(); }

 private:
  Evaluator* evaluator_;
  const MacroDefinition* definition_;
  std::shared_ptr<Scope> closure_;
};

/// The variable `loop`, and the iteration itself.
class Loop : public Object, public std::enable_shared_from_this<Loop> {
 public:
  Loop(Evaluator* evaluator, const For* node, std::shared_ptr<Scope> scope, std::size_t depth)
      : evaluator_(evaluator), node_(node), scope_(std::move(scope)), depth_(depth) {}

  void Start(std::vector<Value> items) { items_ = std::move(items); }
  /// Goes on to the next item; false at the end.
  bool Advance();
  const Value& current() const { return *current_; }

  std::string_view TypeName() const override { return "LoopContext"; }
  std::string Repr(Runtime& runtime) override;
  std::optional<Value> Attribute(Runtime& runtime, std::string_view name) override;
  bool CanCall() const override { return true; }
  Value Call(Runtime& runtime, Arguments& arguments) override;
  std::optional<std::size_t> Length() const override;
  void Clear() override;

  Value Cycle(const Arguments& arguments) const;
  Value Changed(Runtime& runtime, const Arguments& arguments);

 private:
  std::optional<Value> TakeNext();
  const std::optional<Value>& Peek();
  std::size_t CountAll();

  Evaluator* evaluator_;
  const For* node_;
  std::shared_ptr<Scope> scope_;
  std::size_t depth_;
  std::vector<Value> items_;
  std::size_t cursor_ = 0;  // of the next item to look at
  std::size_t count_ = 0;   // items that were given out
  bool filtered_ = false;   // the filter has seen all items already
  std::optional<Value> previous_, current_, after_;
  std::optional<Value> last_changed_;
};

}  // namespace ergo::tokenizer::jinja
