// Strings: lengths, patterns and formats, alone and together.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/utf8.h"
#include "generate/constrain/json_schema.h"
#include "generate/constrain/regex_parser.h"

namespace ergo::generate::constrain {
namespace {

std::vector<OrderedJson> ListOf(const OrderedJson& schema, const char* key) {
  if (!schema.contains(key)) return {};
  const OrderedJson& value = schema[key];
  return value.is_array() ? std::vector<OrderedJson>(value.begin(), value.end())
                          : std::vector<OrderedJson>{value};
}

}  // namespace

Result<std::vector<ExprId>> SchemaCompiler::StringPatterns(const SchemaAt& at) {
  std::vector<ExprId> patterns;
  const std::string place = Below(at.place, "pattern");
  for (const OrderedJson& pattern : ListOf(at.schema, "pattern")) {
    auto expr = ParseRegex(pattern.get_ref<const std::string&>(), Spelling::kJson,
                           RegexMatch::kAnywhere, place, &expressions_);
    if (!expr) return Fail(std::move(expr));
    patterns.push_back(*expr);
  }
  for (const OrderedJson& format : ListOf(at.schema, "format")) {
    const auto& name = format.get_ref<const std::string&>();
    const auto pattern = FormatPattern(name);
    if (!pattern) {
      return Fail(fmt::format("the format {} is not supported", QuoteForMessage(name)),
                  Below(at.place, "format"), "say the same with pattern");
    }
    auto expr = ParseRegex(*pattern, Spelling::kJson, RegexMatch::kWhole, Below(at.place, "format"),
                           &expressions_);
    if (!expr) return Fail(std::move(expr));
    patterns.push_back(*expr);
  }
  return patterns;
}

Result<Automaton> SchemaCompiler::ToAutomaton(ExprId expr, const std::string& place) const {
  auto automaton = BuildAutomaton(expressions_, expr, {.max_states = kMaxStates});
  if (!automaton || !automaton->deterministic) {
    return Fail("this pattern, together with what else must hold, takes too many states", place,
                "use smaller repeat counts or lengths");
  }
  return Minimize(*automaton);
}

Result<ExprId> SchemaCompiler::StringBody(const SchemaAt& at) {
  const auto min = CountOf(at.schema, "minLength", 0, at.place);
  if (!min) return Fail(Result<std::uint32_t>(min));
  const auto max = CountOf(at.schema, "maxLength", kUnlimited, at.place);
  if (!max) return Fail(Result<std::uint32_t>(max));
  if (*min > *max) return Fail("no string is possible: minLength is above maxLength", at.place);
  auto patterns = StringPatterns(at);
  if (!patterns) return Fail(std::move(patterns));
  if (patterns->empty()) return expressions_.Repeat(text_.StringChar(), *min, *max);
  if (patterns->size() == 1) {
    const ExprId only = (*patterns)[0];
    if (*min == 0 && *max == kUnlimited) return only;
    const Expr& expr = expressions_[only];
    if (expr.kind == ExprKind::kRepeat && expressions_[expr.parts[0]].kind == ExprKind::kChars) {
      // Repeated characters of one kind: the lengths are but tighter counts.
      const std::uint32_t low = std::max(expr.min, *min);
      const std::uint32_t high = std::min(expr.max, *max);
      if (low > high) return Fail("no string has both this pattern and this length", at.place);
      return expressions_.Repeat(expr.parts[0], low, high);
    }
  }
  auto automaton = StringAutomaton(at);
  if (!automaton) return Fail(std::move(automaton));
  if (automaton->states.empty()) {
    return Fail("no string satisfies all that is said of it", at.place);
  }
  return expressions_.FromAutomaton(std::make_shared<const Automaton>(std::move(*automaton)));
}

Result<Automaton> SchemaCompiler::StringAutomaton(const SchemaAt& at) {
  const auto min = CountOf(at.schema, "minLength", 0, at.place);
  if (!min) return Fail(Result<std::uint32_t>(min));
  const auto max = CountOf(at.schema, "maxLength", kUnlimited, at.place);
  if (!max) return Fail(Result<std::uint32_t>(max));
  if (*min > *max) return Automaton{};
  auto patterns = StringPatterns(at);
  if (!patterns) return Fail(std::move(patterns));
  const ExprId any = expressions_.Chars(CharSet::All(), Spelling::kJson);
  if (patterns->empty() || *min > 0 || *max != kUnlimited) {
    patterns->push_back(expressions_.Repeat(any, *min, *max));
  }
  std::optional<Automaton> all;
  for (const ExprId pattern : *patterns) {
    auto one = ToAutomaton(pattern, at.place);
    if (!one) return one;
    if (!all) {
      all = std::move(*one);
      continue;
    }
    auto both = Intersect(*all, *one, kMaxStates);
    if (!both) {
      return Fail("what must hold for this string takes too many states", at.place,
                  "use smaller repeat counts or lengths");
    }
    all = Minimize(*both);
  }
  return std::move(*all);
}

}  // namespace ergo::generate::constrain
