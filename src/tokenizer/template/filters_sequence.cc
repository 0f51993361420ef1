// Filters over sequences and mappings.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tokenizer/template/attribute_path.h"
#include "tokenizer/template/filters.h"
#include "tokenizer/template/lazy.h"
#include "tokenizer/template/parameters.h"

namespace ergo::tokenizer::jinja {
namespace {

Value Length(Runtime&, const Value& input, Arguments& arguments) {
  const Parameters p("length", arguments, {});
  const auto length = LengthOf(input);
  if (!length) Raise(fmt::format("object of type '{}' has no len()", input.TypeName()));
  return Value::FromSize(*length);
}

Value First(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("first", arguments, {});
  if (auto* iterator = input.As<Iterator>()) {
    if (auto next = iterator->Next()) return *std::move(next);
  } else if ((input.IsString() || input.IsSequence()) && LengthOf(input) != 0) {
    return GetItem(runtime, input, Value(static_cast<Int>(0)));
  } else if (const auto items = ItemsOf(runtime, input); !items.empty()) {
    return items.front();
  }
  return Value::Undefined("No first item, sequence was empty.");
}

Value Last(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("last", arguments, {});
  if (input.As<Iterator>() != nullptr) {
    Raise(fmt::format("'{}' object is not reversible", input.TypeName()));
  }
  if ((input.IsString() || input.IsSequence()) && LengthOf(input) != 0) {
    return GetItem(runtime, input, Value(static_cast<Int>(-1)));
  }
  if (const auto items = ItemsOf(runtime, input); !items.empty()) return items.back();
  return Value::Undefined("No last item, sequence was empty.");
}

Value MakeListOf(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("list", arguments, {});
  return runtime.MakeList(ItemsOf(runtime, input));
}

Value Reverse(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("reverse", arguments, {});
  if (input.IsString()) {
    return GetSlice(runtime, input, Value(), Value(), Value(static_cast<Int>(-1)));
  }
  std::vector<Value> items = ItemsOf(runtime, input);
  std::reverse(items.begin(), items.end());
  if (input.As<Iterator>() != nullptr) return runtime.MakeList(std::move(items));
  return runtime.MakeIterator(std::move(items), "reverse_iterator");
}

Value Items(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("items", arguments, {});
  return MakeLazy(runtime, [&](std::vector<Value>* out) {
    if (input.IsUndefined()) return;
    if (!input.IsDict()) Raise("Can only get item pairs from a mapping.");
    *out = DictView(input.dict_ref(), DictView::Part::kItems).Iterate(runtime);
  });
}

Value DictSort(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("dictsort", arguments, {"case_sensitive", "by", "reverse"});
  const std::string_view by = p.String(1, "key");
  if (by != "key" && by != "value") Raise("You can only sort by either \"key\" or \"value\"");
  if (input.IsUndefined()) RaiseUndefined(input);
  if (!input.IsDict()) Raise(fmt::format("'{}' object has no attribute 'items'", input.TypeName()));
  std::vector<Value> items = DictView(input.dict_ref(), DictView::Part::kItems).Iterate(runtime);
  std::vector<Value> keys;
  for (const auto& [key, value] : input.dict().entries()) {
    const Value& sorted_by = by == "key" ? key : value;
    keys.push_back(p.Flag(0, false) ? sorted_by : IgnoreCase(runtime, sorted_by));
  }
  return runtime.MakeList(SortByKeys(runtime, std::move(items), keys, p.Flag(2, false)));
}

Value Sort(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("sort", arguments, {"reverse", "case_sensitive", "attribute"});
  const auto paths = AttributePath::SplitAtCommas(runtime, p[2]);
  std::vector<Value> items = ItemsOf(runtime, input);
  std::vector<Value> keys;
  for (const Value& item : items) {
    std::vector<Value> parts;
    for (const AttributePath& path : paths) {
      const Value part = path.From(runtime, item);
      parts.push_back(p.Flag(1, false) ? part : IgnoreCase(runtime, part));
    }
    keys.push_back(runtime.MakeList(std::move(parts)));
  }
  return runtime.MakeList(SortByKeys(runtime, std::move(items), keys, p.Flag(0, false)));
}

Value Unique(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("unique", arguments, {"case_sensitive", "attribute"});
  return MakeLazy(runtime, [&](std::vector<Value>* out) {
    const AttributePath path(runtime, p[1]);
    const auto seen = runtime.MakeDict();
    for (const Value& item : ItemsOf(runtime, input)) {
      Value key = path.From(runtime, item);
      if (!p.Flag(0, false)) key = IgnoreCase(runtime, key);
      if (seen->Find(key) != nullptr) continue;
      seen->Set(key, Value());
      out->push_back(item);
    }
  });
}

template <bool kMax>
Value Extreme(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p(kMax ? "max" : "min", arguments, {"case_sensitive", "attribute"});
  const AttributePath path(runtime, p[1]);
  const std::vector<Value> items = ItemsOf(runtime, input);
  if (items.empty()) return Value::Undefined("No aggregated item, sequence was empty.");
  const auto key_of = [&](const Value& item) {
    const Value key = path.From(runtime, item);
    return p.Flag(0, false) ? key : IgnoreCase(runtime, key);
  };
  std::size_t best = 0;
  Value best_key = key_of(items[0]);
  for (std::size_t i = 1; i < items.size(); ++i) {
    Value key = key_of(items[i]);
    if (!Compare(runtime, kMax ? CompareOp::kGreater : CompareOp::kLess, key, best_key)) continue;
    best = i;
    best_key = std::move(key);
  }
  return items[best];
}

Value Sum(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("sum", arguments, {"attribute", "start"});
  const AttributePath path(runtime, p[0]);
  Value total = p.Has(1) ? *p[1] : Value(static_cast<Int>(0));
  if (total.IsString()) Raise("sum() can't sum strings [use ''.join(seq) instead]");
  for (const Value& item : ItemsOf(runtime, input)) {
    total = Operate(runtime, BinaryOp::kAdd, total, path.From(runtime, item));
  }
  return total;
}

Value Batch(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("batch", arguments, {"linecount", "fill_with"}, 1);
  return MakeLazy(runtime, [&](std::vector<Value>* out) {
    const long long size = p.Whole(0, 0);
    std::vector<Value> batch;
    // A count below one never fills, as in Jinja: everything is one batch.
    for (Value& item : ItemsOf(runtime, input)) {
      if (static_cast<long long>(batch.size()) == size) {
        out->push_back(runtime.MakeList(std::move(batch)));
        batch.clear();
      }
      batch.push_back(std::move(item));
    }
    if (batch.empty()) return;
    if (p.Given(1)) {
      Charge charge(&runtime.budget(), 0);
      while (static_cast<long long>(batch.size()) < size) {
        runtime.budget().Spend(1);
        charge.Grow(sizeof(Value));
        batch.push_back(*p[1]);
      }
    }
    out->push_back(runtime.MakeList(std::move(batch)));
  });
}

Value Slice(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("slice", arguments, {"slices", "fill_with"}, 1);
  return MakeLazy(runtime, [&](std::vector<Value>* out) {
    const std::vector<Value> items = ItemsOf(runtime, input);
    const long long slices = p.Whole(0, 0);
    if (slices == 0) Raise("integer division or modulo by zero");
    if (slices < 0) return;
    const auto count = static_cast<std::size_t>(slices);
    const std::size_t size = items.size() / count, longer = items.size() % count;
    std::size_t start = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t end = start + size + (i < longer ? 1 : 0);
      std::vector<Value> slice(items.begin() + static_cast<std::ptrdiff_t>(start),
                               items.begin() + static_cast<std::ptrdiff_t>(end));
      if (p.Given(1) && i >= longer) slice.push_back(*p[1]);
      out->push_back(runtime.MakeList(std::move(slice)));
      start = end;
    }
  });
}

Value GroupBy(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("groupby", arguments, {"attribute", "default", "case_sensitive"}, 1);
  const AttributePath path(runtime, p[0]);
  const bool exact = p.Flag(2, false);
  std::vector<Value> items = ItemsOf(runtime, input);
  std::vector<Value> keys, pairs;
  for (const Value& item : items) {
    const Value key = path.From(runtime, item, p[1]);
    keys.push_back(exact ? key : IgnoreCase(runtime, key));
    pairs.push_back(runtime.MakeTuple({keys.back(), item}));
  }
  const std::vector<Value> sorted = SortByKeys(runtime, std::move(pairs), keys, false);
  std::vector<Value> groups;
  for (std::size_t i = 0; i < sorted.size();) {
    const Value& key = sorted[i].items()[0];
    std::vector<Value> members;
    for (; i < sorted.size() && EqualValues(&runtime.budget(), sorted[i].items()[0], key); ++i) {
      members.push_back(sorted[i].items()[1]);
    }
    if (members.empty()) members.push_back(sorted[i++].items()[1]);  // NaN equals nothing
    const Value shown = exact ? key : path.From(runtime, members[0], p[1]);
    auto group = std::make_shared<Tuple>(
        std::vector<Value>{shown, runtime.MakeList(std::move(members))}, &runtime.budget());
    group->is_group = true;
    groups.emplace_back(std::shared_ptr<const Tuple>(std::move(group)));
  }
  return runtime.MakeList(std::move(groups));
}

Value Default(Runtime&, const Value& input, Arguments& arguments) {
  const Parameters p("default", arguments, {"default_value", "boolean"});
  if (!input.IsUndefined() && !(p.Flag(1, false) && !IsTrue(input))) return input;
  return p.Has(0) ? *p[0] : Value::Constant("");
}

Value Attr(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("attr", arguments, {"name"}, 1);
  if (input.IsUndefined()) RaiseUndefined(input);
  if (auto found = FindAttribute(runtime, input, p.String(0))) return *std::move(found);
  return Value::Undefined(
      fmt::format("'{}' object has no attribute '{}'", input.TypeName(), p.String(0)));
}

constexpr std::array<NamedFilter, 19> kFilters = {{
    {"attr", Attr},         {"batch", Batch},        {"count", Length},
    {"d", Default},         {"default", Default},    {"dictsort", DictSort},
    {"first", First},       {"groupby", GroupBy},    {"items", Items},
    {"last", Last},         {"length", Length},      {"list", MakeListOf},
    {"max", Extreme<true>}, {"min", Extreme<false>}, {"reverse", Reverse},
    {"slice", Slice},       {"sort", Sort},          {"sum", Sum},
    {"unique", Unique},
}};

}  // namespace

FilterFunction FindSequenceFilter(std::string_view name) { return SearchFilters(kFilters, name); }

}  // namespace ergo::tokenizer::jinja
