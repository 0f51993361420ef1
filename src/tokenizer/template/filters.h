// The filters and tests of Jinja, by name.
#pragma once

#include <string_view>

#include "tokenizer/template/runtime.h"

namespace ergo::tokenizer::jinja {

using FilterFunction = Value (*)(Runtime& runtime, const Value& input, Arguments& arguments);
using TestFunction = bool (*)(Runtime& runtime, const Value& input, Arguments& arguments);

struct NamedFilter {
  std::string_view name;
  FilterFunction function;
};

/// Null if there is no such filter or test.
FilterFunction FindFilter(std::string_view name);
TestFunction FindTest(std::string_view name);

// The parts of the table, each from the file of its name.
FilterFunction FindTextFilter(std::string_view name);
FilterFunction FindSequenceFilter(std::string_view name);
FilterFunction FindSelectFilter(std::string_view name);
FilterFunction FindNumberFilter(std::string_view name);

/// Searches one part of the table.
template <typename Table>
FilterFunction SearchFilters(const Table& table, std::string_view name) {
  for (const NamedFilter& filter : table) {
    if (filter.name == name) return filter.function;
  }
  return nullptr;
}

}  // namespace ergo::tokenizer::jinja
