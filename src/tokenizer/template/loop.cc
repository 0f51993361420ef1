// The loop variable and macros as values.
#include <fmt/format.h>

#include "tokenizer/template/evaluator.h"
#include "tokenizer/template/parameters.h"

namespace ergo::tokenizer::jinja {
namespace {

class LoopMethod : public Object {
 public:
  LoopMethod(std::shared_ptr<Loop> loop, bool cycles) : loop_(std::move(loop)), cycles_(cycles) {}
  std::string_view TypeName() const override { return "method"; }
  std::string Repr(Runtime&) override { return "<bound method of LoopContext object>"; }
  bool CanCall() const override { return true; }
  Value Call(Runtime& runtime, Arguments& arguments) override {
    return cycles_ ? loop_->Cycle(arguments) : loop_->Changed(runtime, arguments);
  }

 private:
  std::shared_ptr<Loop> loop_;
  bool cycles_;
};

}  // namespace

std::optional<Value> Loop::TakeNext() {
  while (cursor_ < items_.size()) {
    const Value item = items_[cursor_++];
    if (node_->filter == nullptr || filtered_ || evaluator_->PassesFilter(*node_, scope_, item)) {
      return item;
    }
  }
  return std::nullopt;
}

const std::optional<Value>& Loop::Peek() {
  if (!after_) after_ = TakeNext();
  return after_;
}

bool Loop::Advance() {
  std::optional<Value> next = std::move(after_);
  after_.reset();
  if (!next) next = TakeNext();
  if (!next) return false;
  ++count_;
  previous_ = std::move(current_);
  current_ = std::move(next);
  return true;
}

// The number of items in all. A filter decides item by item, so that all are tried now.
std::size_t Loop::CountAll() {
  if (node_->filter != nullptr && !filtered_) {
    std::vector<Value> rest;
    while (auto next = TakeNext()) rest.push_back(*std::move(next));
    items_ = std::move(rest);
    cursor_ = 0;
    filtered_ = true;
  }
  return count_ + (after_ ? 1 : 0) + (items_.size() - cursor_);
}

std::optional<std::size_t> Loop::Length() const {
  if (node_->filter != nullptr && !filtered_) return std::nullopt;
  return count_ + (after_ ? 1 : 0) + (items_.size() - cursor_);
}

std::optional<Value> Loop::Attribute(Runtime&, std::string_view name) {
  if (name == "index") return Value::FromSize(count_);
  if (name == "index0") return Value(static_cast<Int>(count_) - 1);
  if (name == "first") return Value(count_ == 1);
  if (name == "last") return Value(!Peek().has_value());
  if (name == "length") return Value::FromSize(CountAll());
  if (name == "revindex") return Value(static_cast<Int>(CountAll()) - static_cast<Int>(count_) + 1);
  if (name == "revindex0") return Value(static_cast<Int>(CountAll()) - static_cast<Int>(count_));
  if (name == "depth") return Value::FromSize(depth_ + 1);
  if (name == "depth0") return Value::FromSize(depth_);
  if (name == "previtem") {
    return previous_ ? *previous_ : Value::Undefined("there is no previous item");
  }
  if (name == "nextitem") return Peek() ? *Peek() : Value::Undefined("there is no next item");
  if (name != "cycle" && name != "changed") return std::nullopt;
  return Value(
      std::shared_ptr<Object>(std::make_shared<LoopMethod>(shared_from_this(), name == "cycle")));
}

Value Loop::Cycle(const Arguments& arguments) const {
  if (arguments.positional.empty() || count_ == 0) Raise("no items for cycling given");
  return arguments.positional[(count_ - 1) % arguments.positional.size()];
}

Value Loop::Changed(Runtime& runtime, const Arguments& arguments) {
  Value now = runtime.MakeTuple(arguments.positional);
  const bool changed = !last_changed_ || !EqualValues(&runtime.budget(), *last_changed_, now);
  // The values may refer to this loop: the runtime breaks such circles.
  if (changed && !last_changed_) runtime.Keep(shared_from_this());
  if (changed) last_changed_ = std::move(now);
  return Value(changed);
}

Value Loop::Call(Runtime&, Arguments& arguments) {
  const Parameters p("loop", arguments, {"iterable"}, 1);
  if (!node_->recursive) {
    Raise("The loop must have the 'recursive' marker to be called recursively.");
  }
  return evaluator_->CallLoop(*node_, scope_, *p[0], depth_ + 1);
}

std::string Loop::Repr(Runtime&) { return fmt::format("<LoopContext {}/{}>", count_, CountAll()); }

void Loop::Clear() {
  items_.clear();
  cursor_ = 0;
  scope_.reset();
  previous_.reset();
  current_.reset();
  after_.reset();
  last_changed_.reset();
}

std::string Macro::Repr(Runtime&) {
  return definition_->name.empty() ? "<Macro anonymous>"
                                   : fmt::format("<Macro {}>", ReprText(definition_->name));
}

std::optional<Value> Macro::Attribute(Runtime& runtime, std::string_view name) {
  if (name == "name") return runtime.MakeText(definition_->name);
  if (name == "caller") return Value(definition_->uses_caller);
  if (name == "catch_kwargs") return Value(definition_->uses_kwargs);
  if (name == "catch_varargs") return Value(definition_->uses_varargs);
  if (name != "arguments") return std::nullopt;
  std::vector<Value> names;
  for (const std::string& parameter : definition_->parameter_names) {
    names.push_back(runtime.MakeText(parameter));
  }
  return runtime.MakeTuple(std::move(names));
}

Value Macro::Call(Runtime&, Arguments& arguments) {
  return evaluator_->CallMacro(*definition_, closure_, arguments);
}

}  // namespace ergo::tokenizer::jinja
