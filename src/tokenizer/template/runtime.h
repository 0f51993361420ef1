// What filters, methods and operators need of a rendering: making values, using values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/template/budget.h"
#include "tokenizer/template/value.h"

namespace ergo::tokenizer::jinja {

/// One rendering: its budget and the objects that it made. Outlives every value it makes.
class Runtime {
 public:
  explicit Runtime(const TemplateLimits& limits) : budget_(limits) {}
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  Budget& budget() { return budget_; }

  /// `text` must be well-formed UTF-8.
  Value MakeText(std::string text, bool markup = false);
  Value MakeList(std::vector<Value> items);
  Value MakeTuple(std::vector<Value> items);
  std::shared_ptr<Dict> MakeDict() { return std::make_shared<Dict>(&budget_); }
  /// An iterator that can be walked once, as Python's generators; `name` is its type.
  Value MakeIterator(std::vector<Value> items, std::string_view name = "generator");

  /// Makes an object that may take part in cycles; it lives until the rendering ends.
  template <typename T, typename... Args>
  std::shared_ptr<T> Adopt(Args&&... args) {
    auto made = std::make_shared<T>(std::forward<Args>(args)...);
    Keep(made);
    return made;
  }
  void Keep(std::shared_ptr<Object> object);

 private:
  Budget budget_;
  std::vector<std::shared_ptr<Object>> kept_;
};

/// A text that grows, checked against the limit as it does.
class TextBuilder {
 public:
  explicit TextBuilder(Budget* budget) : budget_(budget) {}
  void Append(std::string_view text) {
    budget_->CheckText(text_.size() + text.size());
    budget_->SpendText(text.size());
    text_ += text;
  }
  void AppendRepeated(std::string_view text, std::size_t times);
  std::size_t size() const { return text_.size(); }
  std::string Take() { return std::move(text_); }
  const std::string& text() const { return text_; }

 private:
  Budget* budget_;
  std::string text_;
};

// --- The iterators and views that filters and methods give ---

class Iterator : public Object {
 public:
  Iterator(std::vector<Value> items, std::string_view name, Budget* budget);
  std::string_view TypeName() const override { return name_; }
  std::string Repr(Runtime& runtime) override;
  bool CanIterate() const override { return true; }
  std::vector<Value> Iterate(Runtime& runtime) override;
  std::uint32_t depth() const override { return depth_; }
  /// The next item alone, or nothing at the end.
  std::optional<Value> Next();
  /// What is raised once the items are used up: lazy filters fail only when they get there.
  void FailAtEnd(TemplateError error) { failure_ = std::move(error); }

 private:
  std::vector<Value> items_;
  std::size_t position_ = 0;
  std::string_view name_;
  std::optional<TemplateError> failure_;
  std::uint32_t depth_;
  Charge charge_;
};

class Range : public Object {
 public:
  Range(Int start, Int stop, Int step);
  std::string_view TypeName() const override { return "range"; }
  std::string Repr(Runtime& runtime) override;
  bool CanIterate() const override { return true; }
  std::vector<Value> Iterate(Runtime& runtime) override;
  std::optional<std::size_t> Length() const override { return size_; }
  std::optional<Value> Item(Runtime& runtime, const Value& key) override;

 private:
  Int start_, stop_, step_;
  std::size_t size_;
};

/// dict.keys(), .values() and .items().
class DictView : public Object {
 public:
  enum class Part { kKeys, kValues, kItems };
  DictView(std::shared_ptr<const Dict> dict, Part part) : dict_(std::move(dict)), part_(part) {}
  std::string_view TypeName() const override;
  std::string Repr(Runtime& runtime) override;
  bool CanIterate() const override { return true; }
  std::vector<Value> Iterate(Runtime& runtime) override;
  std::optional<std::size_t> Length() const override { return dict_->size(); }
  std::uint32_t depth() const override { return dict_->depth() + 1; }

 private:
  std::shared_ptr<const Dict> dict_;
  Part part_;
};

// --- Using values as Python does (access.cc) ---

/// Python's bool().
bool IsTrue(const Value& value);
/// Python's len(), if the type has one.
std::optional<std::size_t> LengthOf(const Value& value);
bool CanIterate(const Value& value);
/// The items of an iterable, in order; raises for other values.
std::vector<Value> ItemsOf(Runtime& runtime, const Value& value);
/// The attribute alone, as Python's getattr() in the sandbox, or nothing.
std::optional<Value> FindAttribute(Runtime& runtime, const Value& object, std::string_view name);
/// `object.name`: the attribute, else the item; undefined if there is neither.
Value GetAttribute(Runtime& runtime, const Value& object, std::string_view name);
/// `object[key]`: the item, else the attribute; undefined if there is neither.
Value GetItem(Runtime& runtime, const Value& object, const Value& key);
/// `object[start:stop:step]`; none for a bound that is left out.
Value GetSlice(Runtime& runtime, const Value& object, const Value& start, const Value& stop,
               const Value& step);
bool IsCallable(const Value& value);
Value CallValue(Runtime& runtime, const Value& callee, Arguments& arguments);
/// Calls that an undefined value refuses.
[[noreturn]] void RaiseUndefined(const Value& undefined);

// --- Python's text of values (python_text.cc) ---

std::string ToText(Runtime& runtime, const Value& value);
std::string Repr(Runtime& runtime, const Value& value);
/// repr() of a string: quotes, escapes, unprintable characters.
std::string ReprText(std::string_view text);
/// Shortest digits that read back as the same number, as Python writes them.
std::string FloatText(double value);
std::string IntText(Int value);
/// `text` with & < > ' " written as entities.
std::string EscapeHtml(std::string_view text);
/// markupsafe.escape(): unchanged if it is markup already.
Value EscapeValue(Runtime& runtime, const Value& value);

// --- Operators (operators.cc) ---

enum class BinaryOp { kAdd, kSubtract, kMultiply, kDivide, kFloorDivide, kModulo, kPower };
enum class CompareOp { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kNotIn };

Value Operate(Runtime& runtime, BinaryOp op, const Value& left, const Value& right);
Value Negate(const Value& value);
bool Compare(Runtime& runtime, CompareOp op, const Value& left, const Value& right);
bool Contains(Runtime& runtime, const Value& container, const Value& item);
/// Python's sorted(): stable, by `keys`, which has one key for each item.
std::vector<Value> SortByKeys(Runtime& runtime, std::vector<Value> items,
                              const std::vector<Value>& keys, bool reverse);

// --- Formatting (format.cc), JSON (json_text.cc) ---

/// The % operator of strings.
Value FormatPercent(Runtime& runtime, const Text& format, const Value& arguments);
/// str.format().
Value FormatBraces(Runtime& runtime, const Text& format, const Arguments& arguments);

struct JsonStyle {
  bool ensure_ascii = false;
  bool pretty = false;  ///< Line breaks and `indent`.
  std::string indent;   ///< One level.
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool sort_keys = false;
};
/// Python's json.dumps().
std::string DumpJson(Runtime& runtime, const Value& value, const JsonStyle& style);

}  // namespace ergo::tokenizer::jinja
