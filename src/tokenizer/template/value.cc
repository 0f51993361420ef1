#include "tokenizer/template/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/utf8.h"

namespace ergo::tokenizer::jinja {
namespace {

// Below this many entries a search through all of them is the fastest index.
constexpr std::size_t kSmallDict = 8;

std::size_t CountCodePoints(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

void Spend(Budget* budget, std::uint64_t units) {
  if (budget != nullptr) budget->Spend(units);
}

bool EqualSequences(Budget* budget, const std::vector<Value>& a, const std::vector<Value>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!a[i].Is(b[i]) && !EqualValues(budget, a[i], b[i])) return false;
  }
  return true;
}

bool EqualDicts(Budget* budget, const Dict& a, const Dict& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [key, value] : a.entries()) {
    const Value* other = b.Find(key);
    if (other == nullptr || (!value.Is(*other) && !EqualValues(budget, value, *other))) {
      return false;
    }
  }
  return true;
}

std::size_t HashInt(Int value) {
  const auto low = static_cast<std::uint64_t>(value);
  const auto high = static_cast<std::uint64_t>(value >> 64);
  return std::hash<std::uint64_t>()(low * 0x9E3779B97F4A7C15u ^ high);
}

std::size_t HashDouble(double value) {
  // 2^126 is far inside Int, and every larger double is no Int that could be equal to it.
  if (std::isfinite(value) && std::trunc(value) == value && std::fabs(value) < 0x1p126) {
    return HashInt(static_cast<Int>(value));
  }
  return std::hash<double>()(value);
}

}  // namespace

void CheckValueDepth(Budget* budget, std::uint32_t depth) {
  if (budget != nullptr && depth > budget->max_value_depth()) {
    throw TemplateError{fmt::format("values nest deeper than {} levels", budget->max_value_depth()),
                        0, true};
  }
}

Text::Text(std::string text, bool is_markup, Budget* budget)
    : bytes(std::move(text)),
      length(CountCodePoints(bytes)),
      markup(is_markup),
      charge(budget, sizeof(Text) + bytes.size()) {}

Sequence::Sequence(std::vector<Value> values, Budget* budget)
    : items(std::move(values)),
      depth(1),
      charge(budget, sizeof(Sequence) + items.size() * sizeof(Value)) {
  for (const Value& item : items) depth = std::max(depth, item.depth() + 1);
  CheckValueDepth(budget, depth);
}

Value Value::Undefined(std::string why) {
  Value value;
  value.data_ = UndefinedRef{std::make_shared<const std::string>(std::move(why))};
  return value;
}

Value Value::Constant(std::string text) {
  return Value(std::make_shared<const Text>(std::move(text), false, nullptr));
}

const Sequence& Value::sequence() const {
  if (IsList()) return *std::get<std::shared_ptr<const List>>(data_);
  return *std::get<std::shared_ptr<const Tuple>>(data_);
}

bool Value::Is(const Value& other) const {
  if (kind() != other.kind()) return false;
  switch (kind()) {
    case Kind::kNone:
      return true;
    case Kind::kBool:
      return boolean() == other.boolean();
    // Python shares small whole numbers; larger ones may or may not be one object.
    case Kind::kInt:
      return whole() == other.whole();
    case Kind::kUndefined:
      return &why_undefined() == &other.why_undefined();
    // Equal short strings are mostly one interned object.
    case Kind::kString:
      return &text() == &other.text() || (text().length < 64 && str() == other.str());
    case Kind::kList:
    case Kind::kTuple:
      return &sequence() == &other.sequence();
    case Kind::kDict:
      return &dict() == &other.dict();
    case Kind::kObject:
      return &object() == &other.object();
    case Kind::kFloat:
      return false;
  }
  return false;
}

std::uint32_t Value::depth() const {
  if (IsSequence()) return sequence().depth;
  if (IsObject()) return object().depth();
  return IsDict() ? dict().depth() : 0;
}

std::string_view Value::TypeName() const {
  switch (kind()) {
    case Kind::kUndefined:
      return "Undefined";
    case Kind::kNone:
      return "NoneType";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kString:
      return text().markup ? "Markup" : "str";
    case Kind::kList:
      return "list";
    case Kind::kTuple:
      return "tuple";
    case Kind::kDict:
      return "dict";
    case Kind::kObject:
      return object().TypeName();
  }
  return "object";
}

std::optional<std::size_t> Dict::Locate(const Value& key, std::size_t hash) const {
  if (index_.empty()) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (EqualValues(budget_, entries_[i].first, key)) return i;
    }
    return std::nullopt;
  }
  const auto [begin, end] = index_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (EqualValues(budget_, entries_[it->second].first, key)) return it->second;
  }
  return std::nullopt;
}

void Dict::Set(Value key, Value value) {
  const std::size_t hash = HashValue(budget_, key);
  depth_ = std::max({depth_, value.depth() + 1, key.depth() + 1});
  CheckValueDepth(budget_, depth_);
  if (const auto found = Locate(key, hash)) {
    entries_[*found].second = std::move(value);
    return;
  }
  charge_.Grow(2 * sizeof(Value) + 4 * sizeof(void*));
  entries_.emplace_back(std::move(key), std::move(value));
  if (entries_.size() == kSmallDict + 1) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      index_.emplace(HashValue(budget_, entries_[i].first), i);
    }
  } else if (entries_.size() > kSmallDict) {
    index_.emplace(hash, entries_.size() - 1);
  }
}

const Value* Dict::Find(const Value& key) const {
  const auto found = Locate(key, HashValue(budget_, key));
  return found ? &entries_[*found].second : nullptr;
}

const Value* Dict::Find(std::string_view key) const {
  const auto matches = [&](const Value& candidate) {
    return candidate.IsString() && candidate.str() == key;
  };
  if (index_.empty()) {
    for (const auto& [name, value] : entries_) {
      if (matches(name)) return &value;
    }
    return nullptr;
  }
  const auto [begin, end] = index_.equal_range(std::hash<std::string_view>()(key));
  for (auto it = begin; it != end; ++it) {
    if (matches(entries_[it->second].first)) return &entries_[it->second].second;
  }
  return nullptr;
}

std::optional<Value> Arguments::TakeNamed(std::string_view name) {
  const auto found = std::find_if(named.begin(), named.end(),
                                  [&](const auto& argument) { return argument.first == name; });
  if (found == named.end()) return std::nullopt;
  Value value = std::move(found->second);
  named.erase(found);
  return value;
}

std::optional<Value> Object::Attribute(Runtime&, std::string_view) { return std::nullopt; }
std::optional<Value> Object::Item(Runtime&, const Value&) { return std::nullopt; }
Value Object::Call(Runtime&, Arguments&) {
  Raise(fmt::format("'{}' object is not callable", TypeName()));
}
std::vector<Value> Object::Iterate(Runtime&) {
  Raise(fmt::format("'{}' object is not iterable", TypeName()));
}

bool CanHash(const Value& value) {
  if (value.IsList() || value.IsDict()) return false;
  if (!value.IsTuple()) return true;
  return std::all_of(value.items().begin(), value.items().end(), CanHash);
}

std::size_t HashValue(Budget* budget, const Value& value) {
  Spend(budget, 1);
  switch (value.kind()) {
    case Kind::kUndefined:
      return 1;
    case Kind::kNone:
      return 2;
    case Kind::kBool:
    case Kind::kInt:
      return HashInt(value.whole());
    case Kind::kFloat:
      return HashDouble(value.real());
    case Kind::kString:
      return std::hash<std::string_view>()(value.str());
    case Kind::kObject:
      return std::hash<const void*>()(&value.object());
    case Kind::kTuple: {
      std::size_t hash = 3;
      for (const Value& item : value.items()) hash = hash * 1000003 ^ HashValue(budget, item);
      return hash;
    }
    case Kind::kList:
    case Kind::kDict:
      break;
  }
  Raise(fmt::format("unhashable type: '{}'", value.TypeName()));
}

bool EqualValues(Budget* budget, const Value& a, const Value& b) {
  Spend(budget, 1);
  if (a.IsNumber() && b.IsNumber()) {
    if (a.IsWhole() && b.IsWhole()) return a.whole() == b.whole();
    const double real = a.IsFloat() ? a.real() : b.real();
    const Value& other = a.IsFloat() ? b : a;
    if (other.IsFloat()) return a.real() == b.real();
    // Exact, as in Python: 2**53 + 1 is not 2.0**53.
    return std::fabs(real) < 0x1p126 && std::trunc(real) == real &&
           static_cast<Int>(real) == other.whole();
  }
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kUndefined:
    case Kind::kNone:
      return true;
    case Kind::kString:
      if (a.str().size() == b.str().size()) Spend(budget, a.str().size() / 64);
      return a.str() == b.str();
    case Kind::kList:
    case Kind::kTuple:
      return &a.sequence() == &b.sequence() || EqualSequences(budget, a.items(), b.items());
    case Kind::kDict:
      return &a.dict() == &b.dict() || EqualDicts(budget, a.dict(), b.dict());
    case Kind::kObject:
      return &a.object() == &b.object();
    default:
      return false;
  }
}

}  // namespace ergo::tokenizer::jinja
