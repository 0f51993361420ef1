// Arithmetic, comparison and membership with Python's rules.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "tokenizer/template/runtime.h"

namespace ergo::tokenizer::jinja {
namespace {

[[noreturn]] void RaiseOverflow() { Raise("whole number too large (limit: 127 bits)"); }

[[noreturn]] void RaiseOperands(std::string_view op, const Value& left, const Value& right) {
  if (left.IsUndefined()) RaiseUndefined(left);
  if (right.IsUndefined()) RaiseUndefined(right);
  Raise(fmt::format("unsupported operand types for {}: '{}' and '{}'", op, left.TypeName(),
                    right.TypeName()));
}

Int AddWhole(Int a, Int b) {
  Int sum;
  if (__builtin_add_overflow(a, b, &sum)) RaiseOverflow();
  return sum;
}

Int MultiplyWhole(Int a, Int b) {
  Int product;
  if (__builtin_mul_overflow(a, b, &product)) RaiseOverflow();
  return product;
}

Int NegateWhole(Int a) {
  Int negated;
  if (__builtin_sub_overflow(static_cast<Int>(0), a, &negated)) RaiseOverflow();
  return negated;
}

Int FloorDivideWhole(Int a, Int b) {
  if (b == 0) Raise("integer division or modulo by zero");
  if (b == -1) return NegateWhole(a);
  const Int quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

Int ModuloWhole(Int a, Int b) {
  if (b == 0) Raise("integer division or modulo by zero");
  if (b == -1) return 0;
  const Int rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

double ModuloReal(double a, double b) {
  if (b == 0) Raise("float modulo by zero");
  const double rest = std::fmod(a, b);
  if (rest != 0) return (rest < 0) != (b < 0) ? rest + b : rest;
  return std::copysign(0.0, b);
}

double FloorDivideReal(double a, double b) {
  if (b == 0) Raise("float floor division by zero");
  const double rest = ModuloReal(a, b);
  const double quotient = (a - rest) / b;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floored = std::floor(quotient);
  return quotient - floored > 0.5 ? floored + 1 : floored;
}

Value PowerWhole(Int base, Int exponent) {
  if (exponent < 0) {
    if (base == 0) Raise("0.0 cannot be raised to a negative power");
    return Value(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  Int result = 1;
  // Bases other than these overflow within 127 steps.
  if (base == 0 || base == 1) return Value(exponent == 0 ? static_cast<Int>(1) : base);
  if (base == -1) return Value(static_cast<Int>(exponent % 2 == 0 ? 1 : -1));
  for (Int i = 0; i < exponent; ++i) result = MultiplyWhole(result, base);
  return Value(result);
}

double PowerReal(double base, double exponent) {
  if (base == 0 && exponent < 0) Raise("0.0 cannot be raised to a negative power");
  if (base < 0 && std::isfinite(exponent) && std::trunc(exponent) != exponent) {
    Raise("complex numbers are not supported");
  }
  const double result = std::pow(base, exponent);
  if (std::isinf(result) && std::isfinite(base) && std::isfinite(exponent)) {
    Raise("numerical result out of range");
  }
  return result;
}

Value OperateWhole(BinaryOp op, Int a, Int b) {
  switch (op) {
    case BinaryOp::kAdd:
      return Value(AddWhole(a, b));
    case BinaryOp::kSubtract:
      return Value(AddWhole(a, NegateWhole(b)));
    case BinaryOp::kMultiply:
      return Value(MultiplyWhole(a, b));
    case BinaryOp::kDivide:
      if (b == 0) Raise("division by zero");
      return Value(static_cast<double>(a) / static_cast<double>(b));
    case BinaryOp::kFloorDivide:
      return Value(FloorDivideWhole(a, b));
    case BinaryOp::kModulo:
      return Value(ModuloWhole(a, b));
    case BinaryOp::kPower:
      return PowerWhole(a, b);
  }
  return {};
}

Value OperateReal(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd:
      return Value(a + b);
    case BinaryOp::kSubtract:
      return Value(a - b);
    case BinaryOp::kMultiply:
      return Value(a * b);
    case BinaryOp::kDivide:
      if (b == 0) Raise("float division by zero");
      return Value(a / b);
    case BinaryOp::kFloorDivide:
      return Value(FloorDivideReal(a, b));
    case BinaryOp::kModulo:
      return Value(ModuloReal(a, b));
    case BinaryOp::kPower:
      return Value(PowerReal(a, b));
  }
  return {};
}

Value AddTexts(Runtime& runtime, const Value& left, const Value& right) {
  const bool markup = left.text().markup || right.text().markup;
  TextBuilder out(&runtime.budget());
  const auto append = [&](const Value& part) {
    out.Append(markup && !part.text().markup ? EscapeHtml(part.str()) : part.str());
  };
  append(left);
  append(right);
  return runtime.MakeText(out.Take(), markup);
}

Value AddSequences(Runtime& runtime, const Value& left, const Value& right) {
  runtime.budget().Spend(1 + left.items().size() + right.items().size());
  std::vector<Value> items = left.items();
  items.insert(items.end(), right.items().begin(), right.items().end());
  return left.IsTuple() ? runtime.MakeTuple(std::move(items)) : runtime.MakeList(std::move(items));
}

Value Repeat(Runtime& runtime, const Value& value, Int times) {
  times = std::max<Int>(times, 0);
  if (value.IsString()) {
    const std::size_t limit = runtime.budget().limits().max_output_bytes;
    TextBuilder out(&runtime.budget());
    out.AppendRepeated(value.str(),
                       static_cast<std::size_t>(std::min<Int>(times, static_cast<Int>(limit) + 1)));
    return runtime.MakeText(out.Take(), value.text().markup);
  }
  const std::vector<Value>& unit = value.items();
  std::vector<Value> items;
  if (!unit.empty()) {
    // Work and memory are counted before they are used.
    Charge charge(&runtime.budget(), 0);
    for (Int i = 0; i < times; ++i) {
      runtime.budget().Spend(1 + unit.size());
      charge.Grow(unit.size() * sizeof(Value));
      items.insert(items.end(), unit.begin(), unit.end());
    }
  }
  return value.IsTuple() ? runtime.MakeTuple(std::move(items)) : runtime.MakeList(std::move(items));
}

std::string_view SymbolOf(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd:
      return "+";
    case BinaryOp::kSubtract:
      return "-";
    case BinaryOp::kMultiply:
      return "*";
    case BinaryOp::kDivide:
      return "/";
    case BinaryOp::kFloorDivide:
      return "//";
    case BinaryOp::kModulo:
      return "%";
    case BinaryOp::kPower:
      return "**";
  }
  return "?";
}

// Three-way order of two values that Python can order; `unordered` is set for NaN.
int Order(Runtime& runtime, const Value& left, const Value& right, bool* unordered) {
  const Level level(&runtime.budget());
  runtime.budget().Spend(1);
  if (left.IsWhole() && right.IsWhole()) {
    return left.whole() < right.whole() ? -1 : left.whole() > right.whole();
  }
  if (left.IsNumber() && right.IsNumber()) {
    const double a = left.number(), b = right.number();
    *unordered = std::isnan(a) || std::isnan(b);
    return a < b ? -1 : a > b;
  }
  if (left.IsString() && right.IsString()) {
    runtime.budget().SpendText(std::min(left.str().size(), right.str().size()));
    // UTF-8 sorts as its code points do.
    return left.str().compare(right.str());
  }
  if (left.IsSequence() && left.kind() == right.kind()) {
    const auto& a = left.items();
    const auto& b = right.items();
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      if (a[i].Is(b[i]) || EqualValues(&runtime.budget(), a[i], b[i])) continue;
      return Order(runtime, a[i], b[i], unordered);
    }
    return a.size() < b.size() ? -1 : a.size() > b.size();
  }
  RaiseOperands("<", left, right);
}

bool ContainsText(Runtime& runtime, std::string_view text, std::string_view part) {
  runtime.budget().SpendText(text.size() + part.size());
  // memmem takes linear time for every pair; find() does not.
  return part.empty() || memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

}  // namespace

Value Operate(Runtime& runtime, BinaryOp op, const Value& left, const Value& right) {
  if (left.IsWhole() && right.IsWhole()) return OperateWhole(op, left.whole(), right.whole());
  if (left.IsNumber() && right.IsNumber()) return OperateReal(op, left.number(), right.number());
  if (op == BinaryOp::kAdd) {
    if (left.IsString() && right.IsString()) return AddTexts(runtime, left, right);
    if (left.IsSequence() && left.kind() == right.kind()) {
      return AddSequences(runtime, left, right);
    }
  }
  if (op == BinaryOp::kMultiply) {
    if ((left.IsString() || left.IsSequence()) && right.IsWhole()) {
      return Repeat(runtime, left, right.whole());
    }
    if (left.IsWhole() && (right.IsString() || right.IsSequence())) {
      return Repeat(runtime, right, left.whole());
    }
  }
  if (op == BinaryOp::kModulo && left.IsString()) {
    return FormatPercent(runtime, left.text(), right);
  }
  RaiseOperands(SymbolOf(op), left, right);
}

Value Negate(const Value& value) {
  if (value.IsWhole()) return Value(NegateWhole(value.whole()));
  if (value.IsFloat()) return Value(-value.real());
  if (value.IsUndefined()) RaiseUndefined(value);
  Raise(fmt::format("bad operand type for unary -: '{}'", value.TypeName()));
}

bool Compare(Runtime& runtime, CompareOp op, const Value& left, const Value& right) {
  switch (op) {
    case CompareOp::kEqual:
      return EqualValues(&runtime.budget(), left, right);
    case CompareOp::kNotEqual:
      return !EqualValues(&runtime.budget(), left, right);
    case CompareOp::kIn:
      return Contains(runtime, right, left);
    case CompareOp::kNotIn:
      return !Contains(runtime, right, left);
    default:
      break;
  }
  bool unordered = false;
  const int order = Order(runtime, left, right, &unordered);
  if (unordered) return false;
  switch (op) {
    case CompareOp::kLess:
      return order < 0;
    case CompareOp::kLessEqual:
      return order <= 0;
    case CompareOp::kGreater:
      return order > 0;
    default:
      return order >= 0;
  }
}

bool Contains(Runtime& runtime, const Value& container, const Value& item) {
  if (container.IsString()) {
    if (item.IsString()) return ContainsText(runtime, container.str(), item.str());
    Raise(fmt::format("'in <string>' requires string as left operand, not {}", item.TypeName()));
  }
  if (container.IsDict()) return container.dict().Find(item) != nullptr;
  if (!CanIterate(container)) {
    Raise(fmt::format("argument of type '{}' is not iterable", container.TypeName()));
  }
  const auto matches = [&](const Value& candidate) {
    return candidate.Is(item) || EqualValues(&runtime.budget(), candidate, item);
  };
  if (container.IsSequence()) {
    return std::any_of(container.items().begin(), container.items().end(), matches);
  }
  const std::vector<Value> items = ItemsOf(runtime, container);
  return std::any_of(items.begin(), items.end(), matches);
}

std::vector<Value> SortByKeys(Runtime& runtime, std::vector<Value> items,
                              const std::vector<Value>& keys, bool reverse) {
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    // Reversed, equal items still keep their order.
    return reverse ? Compare(runtime, CompareOp::kLess, keys[b], keys[a])
                   : Compare(runtime, CompareOp::kLess, keys[a], keys[b]);
  });
  std::vector<Value> sorted;
  sorted.reserve(items.size());
  for (const std::size_t index : order) sorted.push_back(std::move(items[index]));
  return sorted;
}

}  // namespace ergo::tokenizer::jinja
