// The values of a template: Python's, immutable except for the objects.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "tokenizer/template/budget.h"

namespace ergo::tokenizer::jinja {

class Value;
class Runtime;
class Object;

/// Whole numbers. Wider than any number JSON brings; arithmetic beyond it is an error.
__extension__ using Int = __int128;

/// A string: UTF-8, always well-formed.
struct Text {
  Text(std::string text, bool is_markup, Budget* budget);

  std::string bytes;
  std::size_t length;  ///< In code points.
  bool markup;         ///< Already escaped for HTML (the filters safe and escape).
  Charge charge;

  bool ascii() const { return length == bytes.size(); }
};

struct Sequence {
  Sequence(std::vector<Value> values, Budget* budget);

  std::vector<Value> items;
  std::uint32_t depth;  ///< 1 for a flat sequence.
  Charge charge;
};

struct List : Sequence {
  using Sequence::Sequence;
};

struct Tuple : Sequence {
  using Sequence::Sequence;
  bool is_group = false;  ///< From groupby: has the attributes grouper and list.
};

class Dict;
enum class Kind { kUndefined, kNone, kBool, kInt, kFloat, kString, kList, kTuple, kDict, kObject };

class Value {
 public:
  Value() : data_(None{}) {}
  explicit Value(bool value) : data_(value) {}
  explicit Value(Int value) : data_(value) {}
  explicit Value(double value) : data_(value) {}
  explicit Value(std::shared_ptr<const Text> value) : data_(std::move(value)) {}
  explicit Value(std::shared_ptr<const List> value) : data_(std::move(value)) {}
  explicit Value(std::shared_ptr<const Tuple> value) : data_(std::move(value)) {}
  explicit Value(std::shared_ptr<const Dict> value) : data_(std::move(value)) {}
  explicit Value(std::shared_ptr<Object> value) : data_(std::move(value)) {}

  /// A value that is not there; using it raises `why`.
  static Value Undefined(std::string why);
  /// A string outside any budget: a constant of the template.
  static Value Constant(std::string text);
  static Value FromSize(std::size_t size) { return Value(static_cast<Int>(size)); }

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool IsUndefined() const { return kind() == Kind::kUndefined; }
  bool IsNone() const { return kind() == Kind::kNone; }
  bool IsBool() const { return kind() == Kind::kBool; }
  bool IsInt() const { return kind() == Kind::kInt; }
  bool IsWhole() const { return IsInt() || IsBool(); }
  bool IsFloat() const { return kind() == Kind::kFloat; }
  bool IsNumber() const { return IsWhole() || IsFloat(); }
  bool IsString() const { return kind() == Kind::kString; }
  bool IsList() const { return kind() == Kind::kList; }
  bool IsTuple() const { return kind() == Kind::kTuple; }
  bool IsSequence() const { return IsList() || IsTuple(); }
  bool IsDict() const { return kind() == Kind::kDict; }
  bool IsObject() const { return kind() == Kind::kObject; }

  // Each of these requires the kind that its name says.
  const std::string& why_undefined() const { return *std::get<UndefinedRef>(data_).why; }
  bool boolean() const { return std::get<bool>(data_); }
  Int whole() const { return IsBool() ? static_cast<Int>(boolean()) : std::get<Int>(data_); }
  double real() const { return std::get<double>(data_); }
  double number() const { return IsFloat() ? real() : static_cast<double>(whole()); }
  const Text& text() const { return *std::get<std::shared_ptr<const Text>>(data_); }
  std::string_view str() const { return text().bytes; }
  const Sequence& sequence() const;
  const std::vector<Value>& items() const { return sequence().items; }
  const Tuple& tuple() const { return *std::get<std::shared_ptr<const Tuple>>(data_); }
  const Dict& dict() const { return *std::get<std::shared_ptr<const Dict>>(data_); }
  const std::shared_ptr<const Dict>& dict_ref() const {
    return std::get<std::shared_ptr<const Dict>>(data_);
  }
  Object& object() const { return *std::get<std::shared_ptr<Object>>(data_); }

  /// The object as a T, or null.
  template <typename T>
  T* As() const {
    return IsObject() ? dynamic_cast<T*>(&object()) : nullptr;
  }

  /// Python's `is`.
  bool Is(const Value& other) const;
  /// Nesting of containers, 0 for a plain value.
  std::uint32_t depth() const;
  /// Python's name of the type, for messages.
  std::string_view TypeName() const;

 private:
  struct None {};
  struct UndefinedRef {
    std::shared_ptr<const std::string> why;
  };
  std::variant<UndefinedRef, None, bool, Int, double, std::shared_ptr<const Text>,
               std::shared_ptr<const List>, std::shared_ptr<const Tuple>,
               std::shared_ptr<const Dict>, std::shared_ptr<Object>>
      data_;
};

/// A mapping in the order of insertion. Filled once, then shared.
class Dict {
 public:
  explicit Dict(Budget* budget) : charge_(budget, sizeof(Dict)), budget_(budget) {}

  /// Sets or replaces. Raises if the key cannot be hashed.
  void Set(Value key, Value value);
  /// The value of `key` or null. Raises if the key cannot be hashed.
  const Value* Find(const Value& key) const;
  const Value* Find(std::string_view key) const;

  const std::vector<std::pair<Value, Value>>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  std::uint32_t depth() const { return depth_; }

 private:
  std::optional<std::size_t> Locate(const Value& key, std::size_t hash) const;

  std::vector<std::pair<Value, Value>> entries_;
  std::unordered_multimap<std::size_t, std::size_t> index_;  // hash -> entry; empty while small
  std::uint32_t depth_ = 1;
  Charge charge_;
  Budget* budget_;
};

/// Positional and keyword arguments of a call.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  /// Takes the keyword argument `name` out, if it is there.
  std::optional<Value> TakeNamed(std::string_view name);
};

/// Everything with behaviour: functions, methods, macros, loops, namespaces, ranges, iterators.
class Object {
 public:
  virtual ~Object() = default;
  virtual std::string_view TypeName() const = 0;
  virtual std::string Repr(Runtime& runtime) = 0;
  virtual std::optional<Value> Attribute(Runtime& runtime, std::string_view name);
  /// Subscription; nothing if the object has none or lacks the item.
  virtual std::optional<Value> Item(Runtime& runtime, const Value& key);
  virtual bool CanCall() const { return false; }
  virtual Value Call(Runtime& runtime, Arguments& arguments);
  virtual bool CanIterate() const { return false; }
  virtual std::vector<Value> Iterate(Runtime& runtime);
  /// Python's len(), if the type has one.
  virtual std::optional<std::size_t> Length() const { return std::nullopt; }
  /// Nesting of the values inside, for objects that own values and are not kept by the Runtime:
  /// it bounds the recursion of their destructors.
  virtual std::uint32_t depth() const { return 0; }
  /// Drops references to other values, so that cycles end with the rendering.
  virtual void Clear() {}
};

/// Raises if a value nests deeper than the limit.
void CheckValueDepth(Budget* budget, std::uint32_t depth);

/// Hash that agrees with Python's equality (1, 1.0 and true are one key).
/// Raises for lists, dicts and other values that cannot be keys.
std::size_t HashValue(Budget* budget, const Value& value);
bool CanHash(const Value& value);
/// Equality of keys and of everything else. Two values built from shared parts can have very many
/// parts: the budget counts.
bool EqualValues(Budget* budget, const Value& a, const Value& b);

}  // namespace ergo::tokenizer::jinja
