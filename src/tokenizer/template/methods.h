// Methods of strings, lists, tuples and dicts.
#pragma once

#include <optional>
#include <string_view>

#include "tokenizer/template/runtime.h"

namespace ergo::tokenizer::jinja {

using MethodFunction = Value (*)(Runtime& runtime, const Value& self, Arguments& arguments);

/// The method `name` of the type of `self`, or null.
MethodFunction FindMethod(const Value& self, std::string_view name);
MethodFunction FindStringMethod(std::string_view name);
MethodFunction FindContainerMethod(Kind kind, std::string_view name);

/// Whether `name` is a method that would change a list or a dict: the sandbox hides these.
bool ChangesContainer(Kind kind, std::string_view name);

/// A method together with its object, as `text.split` gives it.
class BoundMethod : public Object {
 public:
  BoundMethod(Value self, std::string_view name, MethodFunction function)
      : self_(std::move(self)), name_(name), function_(function) {}
  std::string_view TypeName() const override { return "builtin_function_or_method"; }
  std::string Repr(Runtime& runtime) override;
  bool CanCall() const override { return true; }
  Value Call(Runtime& runtime, Arguments& arguments) override {
    return function_(runtime, self_, arguments);
  }
  std::uint32_t depth() const override { return self_.depth() + 1; }

 private:
  Value self_;
  std::string name_;
  MethodFunction function_;
};

}  // namespace ergo::tokenizer::jinja
