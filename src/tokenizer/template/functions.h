// The global functions of templates: range, namespace, dict, raise_exception, strftime_now, …
#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/template/runtime.h"

namespace ergo::tokenizer::jinja {

/// The function `name` as a value, if there is one.
std::optional<Value> FindGlobal(std::string_view name);

/// What {% set ns.name = value %} assigns to: namespace() makes it.
class Namespace : public Object {
 public:
  explicit Namespace(std::shared_ptr<Dict> values) : values_(std::move(values)) {}
  std::string_view TypeName() const override { return "Namespace"; }
  std::string Repr(Runtime& runtime) override;
  std::optional<Value> Attribute(Runtime& runtime, std::string_view name) override;
  /// Raises for names that start with an underscore.
  void Assign(Runtime& runtime, std::string_view name, Value value);
  void Clear() override { values_.reset(); }

 private:
  std::shared_ptr<Dict> values_;
};

/// A function without state.
class Function : public Object {
 public:
  using Body = Value (*)(Runtime& runtime, Arguments& arguments);
  Function(std::string_view name, Body body) : name_(name), body_(body) {}
  std::string_view TypeName() const override { return "function"; }
  std::string Repr(Runtime& runtime) override;
  bool CanCall() const override { return true; }
  Value Call(Runtime& runtime, Arguments& arguments) override { return body_(runtime, arguments); }

 private:
  std::string_view name_;
  Body body_;
};

}  // namespace ergo::tokenizer::jinja
