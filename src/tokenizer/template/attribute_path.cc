#include "tokenizer/template/attribute_path.h"

#include <algorithm>

#include "tokenizer/template/parameters.h"
#include "tokenizer/template/search.h"
#include "tokenizer/template/unicode.h"

namespace ergo::tokenizer::jinja {
namespace {

// Longer numbers are no index of anything; they stay names.
constexpr std::size_t kMaxIndexDigits = 18;

bool IsIndex(std::string_view part) {
  return !part.empty() && part.size() <= kMaxIndexDigits &&
         std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

AttributePath::AttributePath(Runtime& runtime, const Value* attribute) {
  if (attribute == nullptr || attribute->IsNone()) return;
  if (!attribute->IsString()) {
    parts_.push_back(*attribute);
    return;
  }
  for (const std::string_view part : SplitLeft(runtime, attribute->str(), ".", -1)) {
    parts_.push_back(IsIndex(part) ? Value(static_cast<Int>(std::stoll(std::string(part))))
                                   : runtime.MakeText(std::string(part)));
  }
}

Value AttributePath::From(Runtime& runtime, const Value& item, const Value* otherwise) const {
  Value value = item;
  for (const Value& part : parts_) {
    runtime.budget().Spend(2);
    value = GetItem(runtime, value, part);
    if (otherwise != nullptr && !otherwise->IsNone() && value.IsUndefined()) value = *otherwise;
  }
  return value;
}

std::vector<AttributePath> AttributePath::SplitAtCommas(Runtime& runtime, const Value* attribute) {
  std::vector<AttributePath> paths;
  if (attribute == nullptr || !attribute->IsString()) {
    paths.emplace_back(runtime, attribute);
    return paths;
  }
  for (const std::string_view part : SplitLeft(runtime, attribute->str(), ",", -1)) {
    const Value name = runtime.MakeText(std::string(part));
    paths.emplace_back(runtime, &name);
  }
  return paths;
}

Value IgnoreCase(Runtime& runtime, const Value& value) {
  if (!value.IsString()) return value;
  runtime.budget().SpendText(value.str().size() * 8);
  return runtime.MakeText(ToLower(value.str()), value.text().markup);
}

}  // namespace ergo::tokenizer::jinja
