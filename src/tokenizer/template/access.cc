// Truth, length, iteration, attributes, items, slices and calls of values.
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "tokenizer/template/methods.h"
#include "tokenizer/template/parameters.h"
#include "tokenizer/template/runtime.h"
#include "tokenizer/template/unicode.h"

namespace ergo::tokenizer::jinja {
namespace {

Value Missing(const Value& object, std::string_view name) {
  return Value::Undefined(
      fmt::format("'{}' object has no attribute '{}'", object.TypeName(), name));
}

std::optional<std::size_t> PlaceOf(const Value& key, std::size_t length) {
  if (!key.IsWhole()) return std::nullopt;
  Int index = key.whole();
  if (index < 0) index += static_cast<Int>(length);
  if (index < 0 || index >= static_cast<Int>(length)) return std::nullopt;
  return static_cast<std::size_t>(index);
}

Value CharacterAt(Runtime& runtime, const Text& text, std::size_t index) {
  std::size_t offset = index;
  if (!text.ascii()) {
    runtime.budget().SpendText(text.bytes.size());
    offset = OffsetOf(text.bytes, index);
  }
  const std::string_view rest = std::string_view(text.bytes).substr(offset);
  return runtime.MakeText(std::string(rest.substr(0, DecodeUtf8(rest).bytes)), text.markup);
}

std::optional<Value> FindItem(Runtime& runtime, const Value& object, const Value& key) {
  switch (object.kind()) {
    case Kind::kDict: {
      if (!CanHash(key)) return std::nullopt;
      const Value* found = object.dict().Find(key);
      return found == nullptr ? std::nullopt : std::optional<Value>(*found);
    }
    case Kind::kList:
    case Kind::kTuple: {
      const auto place = PlaceOf(key, object.items().size());
      return place ? std::optional<Value>(object.items()[*place]) : std::nullopt;
    }
    case Kind::kString: {
      const auto place = PlaceOf(key, object.text().length);
      return place ? std::optional<Value>(CharacterAt(runtime, object.text(), *place))
                   : std::nullopt;
    }
    case Kind::kObject:
      return object.object().Item(runtime, key);
    default:
      return std::nullopt;
  }
}

struct SliceRange {
  long long start, step;
  std::size_t count;
};

// Clamps a bound to the sequence, as Python's slice.indices().
long long ClampBound(const Value& bound, long long length, long long low, long long high) {
  if (bound.IsUndefined()) RaiseUndefined(bound);
  if (!bound.IsWhole()) Raise("slice indices must be integers or None");
  Int value = bound.whole();
  if (value < 0) value += length;
  return static_cast<long long>(std::clamp<Int>(value, low, high));
}

SliceRange ResolveSlice(std::size_t size, const Value& start, const Value& stop,
                        const Value& step) {
  const auto length = static_cast<long long>(size);
  long long stride = 1;
  if (!step.IsNone()) {
    if (step.IsUndefined()) RaiseUndefined(step);
    if (!step.IsWhole()) Raise("slice indices must be integers or None");
    // A stride beyond the length takes one item, whatever its exact value.
    stride = static_cast<long long>(std::clamp<Int>(step.whole(), -(length + 1), length + 1));
  }
  if (stride == 0) Raise("slice step cannot be zero");
  const long long low = stride > 0 ? 0 : -1;
  const long long high = stride > 0 ? length : length - 1;
  const long long first =
      start.IsNone() ? (stride > 0 ? low : high) : ClampBound(start, length, low, high);
  const long long last =
      stop.IsNone() ? (stride > 0 ? high : low) : ClampBound(stop, length, low, high);
  long long count = 0;
  if (stride > 0 && first < last) count = (last - first - 1) / stride + 1;
  if (stride < 0 && first > last) count = (first - last - 1) / -stride + 1;
  return {first, stride, static_cast<std::size_t>(count)};
}

Value SliceText(Runtime& runtime, const Text& text, const SliceRange& range) {
  if (range.count == 0) return runtime.MakeText("", text.markup);
  runtime.budget().SpendText(text.bytes.size());
  const std::string_view bytes = text.bytes;
  if (range.step == 1) {
    const auto first = static_cast<std::size_t>(range.start);
    const std::size_t begin = text.ascii() ? first : OffsetOf(bytes, first);
    const std::size_t size =
        text.ascii() ? range.count : OffsetOf(bytes.substr(begin), range.count);
    return runtime.MakeText(std::string(bytes.substr(begin, size)), text.markup);
  }
  std::vector<std::size_t> offsets;
  offsets.reserve(text.length);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if ((static_cast<unsigned char>(bytes[i]) & 0xC0) != 0x80) offsets.push_back(i);
  }
  std::string out;
  long long at = range.start;
  for (std::size_t i = 0; i < range.count; ++i, at += range.step) {
    const std::string_view rest = bytes.substr(offsets[static_cast<std::size_t>(at)]);
    out += rest.substr(0, DecodeUtf8(rest).bytes);
  }
  return runtime.MakeText(std::move(out), text.markup);
}

std::vector<Value> CharactersOf(Runtime& runtime, const Text& text) {
  std::vector<Value> characters;
  runtime.budget().Spend(1 + text.length * 2);
  characters.reserve(text.length);
  std::string_view rest = text.bytes;
  while (!rest.empty()) {
    const std::size_t bytes = DecodeUtf8(rest).bytes;
    characters.push_back(runtime.MakeText(std::string(rest.substr(0, bytes)), false));
    rest.remove_prefix(bytes);
  }
  return characters;
}

}  // namespace

void RaiseUndefined(const Value& undefined) { Raise(undefined.why_undefined()); }

bool IsTrue(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kNone:
      return false;
    case Kind::kBool:
      return value.boolean();
    case Kind::kInt:
      return value.whole() != 0;
    case Kind::kFloat:
      return value.real() != 0;
    default: {
      const auto length = LengthOf(value);
      return !length || *length != 0;
    }
  }
}

std::optional<std::size_t> LengthOf(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
      return 0;
    case Kind::kString:
      return value.text().length;
    case Kind::kList:
    case Kind::kTuple:
      return value.items().size();
    case Kind::kDict:
      return value.dict().size();
    case Kind::kObject:
      return value.object().Length();
    default:
      return std::nullopt;
  }
}

bool CanIterate(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kString:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
      return true;
    case Kind::kObject:
      return value.object().CanIterate();
    default:
      return false;
  }
}

std::vector<Value> ItemsOf(Runtime& runtime, const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
      return {};
    case Kind::kString:
      return CharactersOf(runtime, value.text());
    case Kind::kList:
    case Kind::kTuple:
      runtime.budget().Spend(1 + value.items().size());
      return value.items();
    case Kind::kDict:
      return DictView(value.dict_ref(), DictView::Part::kKeys).Iterate(runtime);
    case Kind::kObject:
      return value.object().Iterate(runtime);
    default:
      Raise(fmt::format("'{}' object is not iterable", value.TypeName()));
  }
}

Value GetAttribute(Runtime& runtime, const Value& object, std::string_view name) {
  if (object.IsUndefined()) RaiseUndefined(object);
  if (auto attribute = FindAttribute(runtime, object, name)) return *std::move(attribute);
  if (object.IsDict()) {
    const Value* found = object.dict().Find(name);
    return found != nullptr ? *found : Missing(object, name);
  }
  return Missing(object, name);
}

Value GetItem(Runtime& runtime, const Value& object, const Value& key) {
  if (object.IsUndefined()) RaiseUndefined(object);
  if (auto item = FindItem(runtime, object, key)) return *std::move(item);
  if (key.IsString()) {
    if (auto attribute = FindAttribute(runtime, object, key.str())) return *std::move(attribute);
    return Missing(object, key.str());
  }
  const std::string name = key.IsWhole() ? IntText(key.whole()) : std::string(key.TypeName());
  return Value::Undefined(fmt::format("'{}' object has no element {}", object.TypeName(), name));
}

Value GetSlice(Runtime& runtime, const Value& object, const Value& start, const Value& stop,
               const Value& step) {
  if (object.IsUndefined()) RaiseUndefined(object);
  if (object.IsString()) {
    const SliceRange range = ResolveSlice(object.text().length, start, stop, step);
    return SliceText(runtime, object.text(), range);
  }
  std::vector<Value> all;
  if (object.As<Range>() != nullptr) {
    all = ItemsOf(runtime, object);
  } else if (!object.IsSequence()) {
    Raise(fmt::format("'{}' object cannot be sliced", object.TypeName()));
  }
  const std::vector<Value>& source = object.IsSequence() ? object.items() : all;
  const SliceRange range = ResolveSlice(source.size(), start, stop, step);
  runtime.budget().Spend(1 + range.count);
  std::vector<Value> items;
  items.reserve(range.count);
  long long at = range.start;
  for (std::size_t i = 0; i < range.count; ++i, at += range.step) {
    items.push_back(source[static_cast<std::size_t>(at)]);
  }
  return object.IsTuple() ? runtime.MakeTuple(std::move(items))
                          : runtime.MakeList(std::move(items));
}

std::optional<Value> FindAttribute(Runtime& runtime, const Value& object, std::string_view name) {
  if (object.IsObject()) {
    if (name.substr(0, 2) == "__") return Missing(object, name);
    return object.object().Attribute(runtime, name);
  }
  if (object.IsTuple() && object.tuple().is_group && object.items().size() == 2) {
    if (name == "grouper") return object.items()[0];
    if (name == "list") return object.items()[1];
  }
  if (ChangesContainer(object.kind(), name)) {
    return Value::Undefined(
        fmt::format("access to attribute '{}' of '{}' object is unsafe", name, object.TypeName()));
  }
  if (const MethodFunction method = FindMethod(object, name)) {
    return Value(std::shared_ptr<Object>(std::make_shared<BoundMethod>(object, name, method)));
  }
  return std::nullopt;
}

bool IsCallable(const Value& value) {
  // An undefined value has a __call__, which raises.
  return value.IsUndefined() || (value.IsObject() && value.object().CanCall());
}

Value CallValue(Runtime& runtime, const Value& callee, Arguments& arguments) {
  if (callee.IsUndefined()) RaiseUndefined(callee);
  if (!callee.IsObject()) Raise(fmt::format("'{}' object is not callable", callee.TypeName()));
  const Level level(&runtime.budget());
  return callee.object().Call(runtime, arguments);
}

}  // namespace ergo::tokenizer::jinja
