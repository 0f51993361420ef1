// Binding the arguments of a call to a signature, as Python does.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/template/runtime.h"

namespace ergo::tokenizer::jinja {

/// The arguments of one call in the order of its signature. Raises for surplus, unknown, doubled
/// and missing ones.
class Parameters {
 public:
  Parameters(std::string_view function, const Arguments& arguments,
             std::initializer_list<std::string_view> names, std::size_t required = 0);

  /// The argument, or null if it was left out.
  const Value* operator[](std::size_t index) const { return values_[index]; }
  bool Has(std::size_t index) const { return values_[index] != nullptr; }
  /// Present and not none.
  bool Given(std::size_t index) const { return Has(index) && !values_[index]->IsNone(); }

  bool Flag(std::size_t index, bool otherwise) const;
  /// Raises if the argument is no whole number in the range of long long.
  long long Whole(std::size_t index, long long otherwise) const;
  /// Raises if the argument is no string.
  std::string_view String(std::size_t index, std::string_view otherwise = {}) const;

 private:
  [[noreturn]] void RaiseType(std::size_t index, std::string_view wanted) const;

  std::string_view function_;
  std::vector<const Value*> values_;
  std::vector<std::string_view> names_;
};

/// A whole number (or bool) in the range of long long; raises with `what` otherwise.
long long SmallWhole(const Value& value, std::string_view what);

}  // namespace ergo::tokenizer::jinja
