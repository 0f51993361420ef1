// map, select, reject, selectattr, rejectattr: filters that apply other filters and tests.
#include <fmt/format.h>

#include <array>

#include "tokenizer/template/attribute_path.h"
#include "tokenizer/template/filters.h"
#include "tokenizer/template/lazy.h"

namespace ergo::tokenizer::jinja {
namespace {

std::string NameOf(const Value& value, std::string_view what) {
  if (!value.IsString()) Raise(fmt::format("the name of a {} must be a string", what));
  return std::string(value.str());
}

void MapAttribute(Runtime& runtime, const Value& input, Arguments arguments,
                  std::vector<Value>* out) {
  const auto attribute = arguments.TakeNamed("attribute");
  const auto otherwise = arguments.TakeNamed("default");
  if (!arguments.named.empty()) {
    Raise(fmt::format("map(): unexpected keyword argument '{}'", arguments.named[0].first));
  }
  const AttributePath path(runtime, &*attribute);
  for (const Value& item : ItemsOf(runtime, input)) {
    out->push_back(path.From(runtime, item, otherwise ? &*otherwise : nullptr));
  }
}

void MapFilter(Runtime& runtime, const Value& input, Arguments arguments, std::vector<Value>* out) {
  if (arguments.positional.empty()) Raise("map requires a filter argument");
  const std::string name = NameOf(arguments.positional[0], "filter");
  arguments.positional.erase(arguments.positional.begin());
  const FilterFunction filter = FindFilter(name);
  if (filter == nullptr) Raise(fmt::format("No filter named '{}'.", name));
  const Level level(&runtime.budget());
  for (const Value& item : ItemsOf(runtime, input)) {
    runtime.budget().Spend(4);
    Arguments copy = arguments;
    out->push_back(filter(runtime, item, copy));
  }
}

Value Map(Runtime& runtime, const Value& input, Arguments& arguments) {
  return MakeLazy(runtime, [&](std::vector<Value>* out) {
    if (!IsTrue(input)) return;
    bool by_attribute = false;
    for (const auto& argument : arguments.named) by_attribute |= argument.first == "attribute";
    if (arguments.positional.empty() && by_attribute) {
      MapAttribute(runtime, input, arguments, out);
    } else {
      MapFilter(runtime, input, arguments, out);
    }
  });
}

template <bool kKeep, bool kAttribute>
Value Select(Runtime& runtime, const Value& input, Arguments& arguments) {
  return MakeLazy(runtime, [&](std::vector<Value>* out) {
    if (!IsTrue(input)) return;
    Arguments rest = arguments;
    const auto take = [&] {
      Value first = rest.positional.front();
      rest.positional.erase(rest.positional.begin());
      return first;
    };
    if (kAttribute && rest.positional.empty()) Raise("Missing parameter for attribute name");
    const Value attribute = kAttribute ? take() : Value();
    const AttributePath path(runtime, &attribute);
    TestFunction test = nullptr;
    if (!rest.positional.empty()) {
      const std::string name = NameOf(take(), "test");
      test = FindTest(name);
      if (test == nullptr) Raise(fmt::format("No test named '{}'.", name));
    }
    for (const Value& item : ItemsOf(runtime, input)) {
      runtime.budget().Spend(4);
      const Value value = path.From(runtime, item);
      Arguments copy = rest;
      const bool passes = test != nullptr ? test(runtime, value, copy) : IsTrue(value);
      if (passes == kKeep) out->push_back(item);
    }
  });
}

constexpr std::array<NamedFilter, 5> kFilters = {{
    {"map", Map},
    {"reject", Select<false, false>},
    {"rejectattr", Select<false, true>},
    {"select", Select<true, false>},
    {"selectattr", Select<true, true>},
}};

}  // namespace

FilterFunction FindSelectFilter(std::string_view name) { return SearchFilters(kFilters, name); }

}  // namespace ergo::tokenizer::jinja
