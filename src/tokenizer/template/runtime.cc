#include "tokenizer/template/runtime.h"

#include <fmt/format.h>

#include <algorithm>

namespace ergo::tokenizer::jinja {
namespace {

// The sandbox of Jinja refuses longer ranges; a template must not depend on more.
constexpr Int kMaxRange = 100'000;

}  // namespace

Runtime::~Runtime() {
  // Kept objects may refer to each other in circles; each lets go of the others first.
  for (const auto& object : kept_) object->Clear();
}

Value Runtime::MakeText(std::string text, bool markup) {
  budget_.CheckText(text.size());
  budget_.SpendText(text.size());
  return Value(std::make_shared<const Text>(std::move(text), markup, &budget_));
}

Value Runtime::MakeList(std::vector<Value> items) {
  budget_.Spend(1 + items.size() / 4);
  return Value(std::make_shared<const List>(std::move(items), &budget_));
}

Value Runtime::MakeTuple(std::vector<Value> items) {
  budget_.Spend(1 + items.size() / 4);
  return Value(std::make_shared<const Tuple>(std::move(items), &budget_));
}

Value Runtime::MakeIterator(std::vector<Value> items, std::string_view name) {
  budget_.Spend(1 + items.size() / 4);
  return Value(std::make_shared<Iterator>(std::move(items), name, &budget_));
}

void Runtime::Keep(std::shared_ptr<Object> object) {
  budget_.Hold(sizeof(object) + 64);
  kept_.push_back(std::move(object));
}

void TextBuilder::AppendRepeated(std::string_view text, std::size_t times) {
  if (text.empty() || times == 0) return;
  // Compared by division: the product could overflow.
  const std::size_t limit = budget_->limits().max_output_bytes;
  if (times > limit / text.size()) budget_->CheckText(limit + 1);
  budget_->CheckText(text_.size() + text.size() * times);
  budget_->SpendText(text.size() * times);
  text_.reserve(text_.size() + text.size() * times);
  for (std::size_t i = 0; i < times; ++i) text_ += text;
}

Iterator::Iterator(std::vector<Value> items, std::string_view name, Budget* budget)
    : items_(std::move(items)),
      name_(name),
      depth_(1),
      charge_(budget, sizeof(Iterator) + items_.size() * sizeof(Value)) {
  for (const Value& item : items_) depth_ = std::max(depth_, item.depth() + 1);
  CheckValueDepth(budget, depth_);
}

std::string Iterator::Repr(Runtime&) { return fmt::format("<{} object>", name_); }

std::vector<Value> Iterator::Iterate(Runtime& runtime) {
  std::vector<Value> rest;
  runtime.budget().Spend(1 + items_.size() - position_);
  rest.assign(items_.begin() + static_cast<std::ptrdiff_t>(position_), items_.end());
  position_ = items_.size();
  if (failure_) throw TemplateError(*failure_);
  return rest;
}

std::optional<Value> Iterator::Next() {
  if (position_ < items_.size()) return items_[position_++];
  if (failure_) throw TemplateError(*failure_);
  return std::nullopt;
}

Range::Range(Int start, Int stop, Int step) : start_(start), stop_(stop), step_(step), size_(0) {
  if (step == 0) Raise("range() arg 3 must not be zero");
  Int count = 0;
  if (step > 0 && start < stop) count = (stop - start - 1) / step + 1;
  if (step < 0 && start > stop) count = (start - stop - 1) / -step + 1;
  if (count > kMaxRange) Raise("Range too big: the sandbox allows 100000 items");
  size_ = static_cast<std::size_t>(count);
}

std::string Range::Repr(Runtime&) {
  if (step_ == 1) return fmt::format("range({}, {})", IntText(start_), IntText(stop_));
  return fmt::format("range({}, {}, {})", IntText(start_), IntText(stop_), IntText(step_));
}

std::vector<Value> Range::Iterate(Runtime& runtime) {
  runtime.budget().Spend(1 + size_);
  std::vector<Value> items;
  items.reserve(size_);
  for (std::size_t i = 0; i < size_; ++i) {
    items.emplace_back(start_ + static_cast<Int>(i) * step_);
  }
  return items;
}

std::optional<Value> Range::Item(Runtime&, const Value& key) {
  if (!key.IsWhole()) return std::nullopt;
  Int index = key.whole();
  if (index < 0) index += static_cast<Int>(size_);
  if (index < 0 || index >= static_cast<Int>(size_)) return std::nullopt;
  return Value(start_ + index * step_);
}

std::string_view DictView::TypeName() const {
  switch (part_) {
    case Part::kKeys:
      return "dict_keys";
    case Part::kValues:
      return "dict_values";
    case Part::kItems:
      return "dict_items";
  }
  return "dict_items";
}

std::string DictView::Repr(Runtime& runtime) {
  return fmt::format("{}({})", TypeName(),
                     jinja::Repr(runtime, runtime.MakeList(Iterate(runtime))));
}

std::vector<Value> DictView::Iterate(Runtime& runtime) {
  runtime.budget().Spend(1 + dict_->size());
  std::vector<Value> items;
  items.reserve(dict_->size());
  for (const auto& [key, value] : dict_->entries()) {
    if (part_ == Part::kKeys) {
      items.push_back(key);
    } else if (part_ == Part::kValues) {
      items.push_back(value);
    } else {
      items.push_back(runtime.MakeTuple({key, value}));
    }
  }
  return items;
}

}  // namespace ergo::tokenizer::jinja
