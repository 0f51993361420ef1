// The tests of Jinja: `value is name(arguments)`.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tokenizer/template/filters.h"
#include "tokenizer/template/parameters.h"
#include "tokenizer/template/search.h"

namespace ergo::tokenizer::jinja {
namespace {

/// A test that looks at the value alone.
template <bool (*kTest)(const Value&)>
bool Plain(Runtime&, const Value& input, Arguments& arguments) {
  const Parameters p("test", arguments, {});
  return kTest(input);
}

bool IsDefined(const Value& v) { return !v.IsUndefined(); }
bool IsUndefinedValue(const Value& v) { return v.IsUndefined(); }
bool IsNone(const Value& v) { return v.IsNone(); }
bool IsBoolean(const Value& v) { return v.IsBool(); }
bool IsFalseValue(const Value& v) { return v.IsBool() && !v.boolean(); }
bool IsTrueValue(const Value& v) { return v.IsBool() && v.boolean(); }
bool IsInteger(const Value& v) { return v.IsInt(); }
bool IsFloatValue(const Value& v) { return v.IsFloat(); }
bool IsStringValue(const Value& v) { return v.IsString(); }
bool IsMapping(const Value& v) { return v.IsDict(); }
bool IsNumberValue(const Value& v) { return v.IsNumber(); }
bool IsEscaped(const Value& v) { return v.IsString() && v.text().markup; }

bool IsSequenceValue(const Value& v) {
  // Whatever has a length and can be subscripted: an undefined value is that, too.
  return v.IsUndefined() || v.IsString() || v.IsSequence() || v.IsDict() ||
         v.As<Range>() != nullptr;
}

template <bool kUpper>
bool HasCase(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("test", arguments, {});
  return HasOnlyCase(ToText(runtime, input), kUpper);
}

template <CompareOp kOp>
bool Compared(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("test", arguments, {"other"}, 1);
  return Compare(runtime, kOp, input, *p[0]);
}

template <int kRest>
bool Parity(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("test", arguments, {});
  const Value rest = Operate(runtime, BinaryOp::kModulo, input, Value(static_cast<Int>(2)));
  return EqualValues(&runtime.budget(), rest, Value(static_cast<Int>(kRest)));
}

bool IsDivisible(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("divisibleby", arguments, {"num"}, 1);
  const Value rest = Operate(runtime, BinaryOp::kModulo, input, *p[0]);
  return EqualValues(&runtime.budget(), rest, Value(static_cast<Int>(0)));
}

bool IsSame(Runtime&, const Value& input, Arguments& arguments) {
  const Parameters p("sameas", arguments, {"other"}, 1);
  return input.Is(*p[0]);
}

bool IsFilterName(Runtime&, const Value& input, Arguments& arguments) {
  const Parameters p("filter", arguments, {});
  return input.IsString() && FindFilter(input.str()) != nullptr;
}

bool IsTestName(Runtime&, const Value& input, Arguments& arguments) {
  const Parameters p("test", arguments, {});
  return input.IsString() && FindTest(input.str()) != nullptr;
}

struct NamedTest {
  std::string_view name;
  TestFunction function;
};

constexpr std::array<NamedTest, 39> kTests = {{
    {"!=", Compared<CompareOp::kNotEqual>},
    {"<", Compared<CompareOp::kLess>},
    {"<=", Compared<CompareOp::kLessEqual>},
    {"==", Compared<CompareOp::kEqual>},
    {">", Compared<CompareOp::kGreater>},
    {">=", Compared<CompareOp::kGreaterEqual>},
    {"boolean", Plain<IsBoolean>},
    {"callable", Plain<IsCallable>},
    {"defined", Plain<IsDefined>},
    {"divisibleby", IsDivisible},
    {"eq", Compared<CompareOp::kEqual>},
    {"equalto", Compared<CompareOp::kEqual>},
    {"escaped", Plain<IsEscaped>},
    {"even", Parity<0>},
    {"false", Plain<IsFalseValue>},
    {"filter", IsFilterName},
    {"float", Plain<IsFloatValue>},
    {"ge", Compared<CompareOp::kGreaterEqual>},
    {"greaterthan", Compared<CompareOp::kGreater>},
    {"gt", Compared<CompareOp::kGreater>},
    {"in", Compared<CompareOp::kIn>},
    {"integer", Plain<IsInteger>},
    {"iterable", Plain<CanIterate>},
    {"le", Compared<CompareOp::kLessEqual>},
    {"lessthan", Compared<CompareOp::kLess>},
    {"lower", HasCase<false>},
    {"lt", Compared<CompareOp::kLess>},
    {"mapping", Plain<IsMapping>},
    {"ne", Compared<CompareOp::kNotEqual>},
    {"none", Plain<IsNone>},
    {"number", Plain<IsNumberValue>},
    {"odd", Parity<1>},
    {"sameas", IsSame},
    {"sequence", Plain<IsSequenceValue>},
    {"string", Plain<IsStringValue>},
    {"test", IsTestName},
    {"true", Plain<IsTrueValue>},
    {"undefined", Plain<IsUndefinedValue>},
    {"upper", HasCase<true>},
}};

}  // namespace

TestFunction FindTest(std::string_view name) {
  const auto found = std::find_if(kTests.begin(), kTests.end(),
                                  [&](const NamedTest& test) { return test.name == name; });
  return found != kTests.end() ? found->function : nullptr;
}

}  // namespace ergo::tokenizer::jinja
