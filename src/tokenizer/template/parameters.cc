#include "tokenizer/template/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace ergo::tokenizer::jinja {

Parameters::Parameters(std::string_view function, const Arguments& arguments,
                       std::initializer_list<std::string_view> names, std::size_t required)
    : function_(function), values_(names.size(), nullptr), names_(names) {
  if (arguments.positional.size() > values_.size()) {
    Raise(fmt::format("{}() takes at most {} arguments ({} given)", function, values_.size(),
                      arguments.positional.size()));
  }
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) {
    values_[i] = &arguments.positional[i];
  }
  for (const auto& [name, value] : arguments.named) {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) {
      Raise(fmt::format("{}() got an unexpected keyword argument '{}'", function, name));
    }
    const auto index = static_cast<std::size_t>(found - names_.begin());
    if (values_[index] != nullptr) {
      Raise(fmt::format("{}() got multiple values for argument '{}'", function, name));
    }
    values_[index] = &value;
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (values_[i] == nullptr) {
      Raise(fmt::format("{}() misses the argument '{}'", function, names_[i]));
    }
  }
}

void Parameters::RaiseType(std::size_t index, std::string_view wanted) const {
  if (values_[index]->IsUndefined()) RaiseUndefined(*values_[index]);
  Raise(fmt::format("{}(): argument '{}' is of type {}, not {}", function_, names_[index],
                    values_[index]->TypeName(), wanted));
}

bool Parameters::Flag(std::size_t index, bool otherwise) const {
  return Has(index) ? IsTrue(*values_[index]) : otherwise;
}

long long Parameters::Whole(std::size_t index, long long otherwise) const {
  if (!Has(index)) return otherwise;
  if (!values_[index]->IsWhole()) RaiseType(index, "int");
  return SmallWhole(*values_[index], names_[index]);
}

std::string_view Parameters::String(std::size_t index, std::string_view otherwise) const {
  if (!Has(index)) return otherwise;
  if (!values_[index]->IsString()) RaiseType(index, "str");
  return values_[index]->str();
}

long long SmallWhole(const Value& value, std::string_view what) {
  if (value.IsUndefined()) RaiseUndefined(value);
  if (!value.IsWhole()) Raise(fmt::format("{} is of type {}, not int", what, value.TypeName()));
  const Int whole = value.whole();
  if (whole > std::numeric_limits<long long>::max() ||
      whole < std::numeric_limits<long long>::min()) {
    Raise(fmt::format("{} is out of range", what));
  }
  return static_cast<long long>(whole);
}

}  // namespace ergo::tokenizer::jinja
