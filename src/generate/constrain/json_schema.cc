#include "generate/constrain/json_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include "base/utf8.h"

namespace ergo::generate::constrain {
namespace {

constexpr std::size_t kMaxSchemaBytes = 512 << 10;
constexpr std::size_t kMaxRules = 20'000;
/// What all the different parts of a schema may take when they are written out.
constexpr std::size_t kMaxRuleBytes = 32 << 20;

constexpr std::array<std::string_view, 7> kTypes = {"object",  "array",   "string", "number",
                                                    "integer", "boolean", "null"};

bool HasType(const OrderedJson& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  if (type == "number") return value.is_number();
  return value.is_number_integer() ||
         (value.is_number_float() && std::trunc(value.get<double>()) == value.get<double>());
}

/// What the keywords of another dialect mean nobody knows.
Status CheckDialect(const OrderedJson& schema) {
  if (!schema.is_object() || !schema.contains("$schema")) return {};
  const OrderedJson& dialect = schema["$schema"];
  if (dialect.is_string()) {
    const auto& name = dialect.get_ref<const std::string&>();
    const bool known =
        name.starts_with("https://json-schema.org/") || name.starts_with("http://json-schema.org/");
    if (known) return {};
  }
  return Fail(fmt::format("{} is no known dialect", QuoteForMessage(dialect.dump())), "#/$schema",
              "leave it out, or name a draft of json-schema.org");
}

bool IsOnlyReference(const OrderedJson& schema) {
  return schema.is_object() && schema.size() == 1 && schema.contains("$ref");
}

}  // namespace

Result<std::uint32_t> CountOf(const OrderedJson& schema, const char* key, std::uint32_t fallback,
                              const std::string& place) {
  if (!schema.contains(key)) return fallback;
  const OrderedJson& value = schema[key];
  constexpr double kMost = 4e9;
  if (!value.is_number() || !HasType(value, "integer") || value.get<double>() < 0) {
    return Fail("this must be a whole number", Below(place, key));
  }
  // Nobody writes so much: the same as no limit, or as none that can be reached.
  return static_cast<std::uint32_t>(std::min(kMost, value.get<double>()));
}

ExprId SchemaCompiler::RuleOf(OrderedJson schema, std::string place) {
  const auto [rule, fresh] = rules_.try_emplace(schema.dump(), 0);
  if (fresh) {
    rule->second = expressions_.AddRule(place);
    work_.emplace_back(rule->second, SchemaAt{std::move(schema), std::move(place)});
  }
  return expressions_.Call(rule->second);
}

Result<RuleId> SchemaCompiler::Run(const OrderedJson& root) {
  if (auto known = CheckDialect(root); !known) return Fail(std::move(known));
  (void)RuleOf(root, "#");
  std::size_t bytes = 0;
  while (!work_.empty()) {
    const auto [rule, at] = std::move(work_.back());
    work_.pop_back();
    bytes += at.place.size() + at.schema.size();
    if (rules_.size() > kMaxRules || bytes > kMaxRuleBytes) {
      return Fail("the schema has too many parts", at.place);
    }
    auto body = Compile(at);
    if (!body) return Fail(std::move(body));
    expressions_.Define(rule, *body);
  }
  return RuleId{rules_.at(root.dump())};
}

Result<ExprId> SchemaCompiler::Compile(const SchemaAt& at) {
  // A bare reference or choice calls other rules, so that recursion has rules to come back to.
  const OrderedJson core = WithoutAnnotations(at.schema, at.place);
  if (IsOnlyReference(core)) {
    auto target = merger_.Resolve(core["$ref"], at.place);
    if (!target) return Fail(std::move(target));
    return RuleOf(std::move(target->schema), std::move(target->place));
  }
  if (core.is_object() && core.size() == 1 && (core.contains("anyOf") || core.contains("oneOf"))) {
    const std::string key = core.begin().key();
    const OrderedJson& branches = *core.begin();
    if (branches.is_array() && !branches.empty()) {
      std::vector<ExprId> choices;
      for (std::size_t i = 0; i < branches.size(); ++i) {
        choices.push_back(RuleOf(branches[i], Below(Below(at.place, key), std::to_string(i))));
      }
      return expressions_.OneOf(std::move(choices));
    }
  }
  auto plain = merger_.Flatten(at);
  if (!plain) return Fail(std::move(plain));
  std::vector<ExprId> choices;
  for (OrderedJson& one : *plain) {
    auto choice = CompilePlain({std::move(one), at.place});
    if (!choice) return choice;
    choices.push_back(*choice);
  }
  return expressions_.OneOf(std::move(choices));
}

Result<ExprId> SchemaCompiler::CompilePlain(const SchemaAt& at) {
  if (at.schema.contains("enum")) return CompileEnum(at);
  if (at.schema.empty()) return text_.AnyValue();
  std::vector<std::string> types;
  if (!at.schema.contains("type")) {
    types = {"object", "array", "string", "number", "boolean", "null"};
  } else {
    const OrderedJson& type = at.schema["type"];
    for (const OrderedJson& one : type.is_array() ? type : OrderedJson::array({type})) {
      const bool known = one.is_string() && std::find(kTypes.begin(), kTypes.end(),
                                                      one.get<std::string>()) != kTypes.end();
      if (!known) {
        return Fail(fmt::format("{} is no type", QuoteForMessage(one.dump())),
                    Below(at.place, "type"), fmt::format("one of {}", fmt::join(kTypes, ", ")));
      }
      types.push_back(one.get<std::string>());
    }
  }
  std::vector<ExprId> choices;
  for (const std::string& type : types) {
    auto choice = CompileType(type, at);
    if (!choice) return choice;
    choices.push_back(*choice);
  }
  return expressions_.OneOf(std::move(choices));
}

Result<ExprId> SchemaCompiler::CompileType(const std::string& type, const SchemaAt& at) {
  if (type == "null") return expressions_.Bytes("null");
  if (type == "boolean") {
    return expressions_.OneOf({expressions_.Bytes("true"), expressions_.Bytes("false")});
  }
  if (type == "number" || type == "integer") return CompileNumber(at, type == "integer");
  if (type == "object") return CompileObject(at);
  if (type == "array") return CompileArray(at);
  const bool free = !at.schema.contains("pattern") && !at.schema.contains("format") &&
                    !at.schema.contains("minLength") && !at.schema.contains("maxLength");
  if (free) return text_.AnyString();
  auto body = StringBody(at);
  if (!body) return body;
  return text_.Quoted(*body);
}

Result<ExprId> SchemaCompiler::CompileNumber(const SchemaAt& at, bool integer) {
  const auto& [schema, place] = at;
  NumberRange range{.integer = integer};
  const auto bound = [&](const char* inclusive, const char* exclusive, bool low) {
    std::optional<Bound> result;
    if (schema.contains(inclusive)) result = Bound{schema[inclusive], true};
    if (schema.contains(exclusive)) {
      const OrderedJson& value = schema[exclusive];
      const bool tighter = !result || (low ? value >= result->value : value <= result->value);
      if (tighter) result = Bound{value, false};
    }
    return result;
  };
  range.low = bound("minimum", "exclusiveMinimum", true);
  range.high = bound("maximum", "exclusiveMaximum", false);
  if (schema.contains("multipleOf")) {
    const OrderedJson& multiples = schema["multipleOf"];
    for (const auto& one : multiples.is_array() ? multiples : OrderedJson::array({multiples})) {
      range.multiples.push_back(one);
    }
  }
  if (!range.bounded()) return integer ? text_.AnyInteger() : text_.AnyNumber();
  return NumbersIn(range, place, &expressions_);
}

Result<ExprId> SchemaCompiler::CompileEnum(const SchemaAt& at) {
  constexpr std::array<std::string_view, 14> kOfParts = {"properties",
                                                         "required",
                                                         "additionalProperties",
                                                         "patternProperties",
                                                         "propertyNames",
                                                         "items",
                                                         "prefixItems",
                                                         "minItems",
                                                         "maxItems",
                                                         "minProperties",
                                                         "maxProperties",
                                                         "multipleOf",
                                                         "",
                                                         ""};
  const auto& [schema, place] = at;
  SchemaAt rest{schema, place};
  rest.schema.erase("enum");
  std::vector<ExprId> choices;
  std::optional<Automaton> strings;
  for (const OrderedJson& value : schema["enum"]) {
    bool fits = true;
    if (schema.contains("type")) {
      const OrderedJson& type = schema["type"];
      const OrderedJson types = type.is_array() ? type : OrderedJson::array({type});
      fits = std::any_of(types.begin(), types.end(), [&](const OrderedJson& one) {
        return one.is_string() && HasType(value, one.get<std::string>());
      });
    }
    if (!fits) continue;
    if (value.is_structured() || value.is_number()) {
      for (const std::string_view key : kOfParts) {
        const bool numeric = key == "multipleOf";
        if (!key.empty() && value.is_number() == numeric &&
            rest.schema.contains(std::string(key))) {
          return Fail(fmt::format("enum together with {} is not supported", key),
                      Below(place, "enum"));
        }
      }
    }
    if (value.is_number()) {
      const auto holds = [&](const char* key, auto compare) {
        return !schema.contains(key) || compare(value, schema[key]);
      };
      fits = holds("minimum", std::greater_equal<>()) && holds("maximum", std::less_equal<>()) &&
             holds("exclusiveMinimum", std::greater<>()) &&
             holds("exclusiveMaximum", std::less<>());
    }
    if (value.is_string()) {
      if (!strings) {
        auto automaton = StringAutomaton(rest);
        if (!automaton) return Fail(std::move(automaton));
        strings = std::move(*automaton);
      }
      fits = Accepts(*strings, JsonEscaped(value.get_ref<const std::string&>()));
    }
    if (fits) choices.push_back(text_.Value(value));
  }
  return expressions_.OneOf(std::move(choices));
}

Result<ExprId> SchemaCompiler::CompileArray(const SchemaAt& at) {
  const auto& [schema, place] = at;
  Expressions& e = expressions_;
  const auto min = CountOf(schema, "minItems", 0, place);
  if (!min) return Fail(Result<std::uint32_t>(min));
  auto max = CountOf(schema, "maxItems", kUnlimited, place);
  if (!max) return Fail(Result<std::uint32_t>(max));
  const OrderedJson prefix =
      schema.contains("prefixItems") ? schema["prefixItems"] : OrderedJson::array();
  const OrderedJson items = schema.contains("items") ? schema["items"] : OrderedJson(true);
  if (!items.is_object() && !items.is_boolean()) {
    return Fail("a schema must be an object, true or false", Below(place, "items"));
  }
  if (items == false) *max = std::min(*max, static_cast<std::uint32_t>(prefix.size()));
  if (*min > *max) {
    return Fail("no array is possible: minItems is above what may be there", place);
  }
  const auto fixed = std::min(static_cast<std::uint32_t>(prefix.size()), *max);
  const ExprId close = e.Concat({text_.gap(), e.Bytes("]")});
  // Node 2 + i: i items are there.
  std::vector<GraphEdge> edges = {{0, 2, e.Bytes("[")}};
  if (*min == 0) edges.push_back({2, 1, e.Bytes("]")});
  for (std::uint32_t i = 0; i < fixed; ++i) {
    const ExprId item = RuleOf(prefix[i], Below(Below(place, "prefixItems"), std::to_string(i)));
    edges.push_back({2 + i, 3 + i, e.Concat({i == 0 ? text_.gap() : text_.comma(), item})});
    if (i + 1 >= *min) edges.push_back({3 + i, 1, close});
  }
  if (*max > fixed) {
    const ExprId item = RuleOf(items, Below(place, "items"));
    const auto left = [&](std::uint32_t count, std::uint32_t done) {
      return count == kUnlimited ? count : count - std::min(count, done);
    };
    const std::uint32_t first = fixed == 0 ? 1 : 0;
    const ExprId more = e.Repeat(e.Concat({text_.comma(), item}), left(*min, fixed + first),
                                 left(*max, fixed + first));
    const ExprId rest = first == 0 ? more : e.Concat({text_.gap(), item, more});
    edges.push_back({2 + fixed, 1, e.Concat({rest, close})});
  }
  return e.Graph(std::move(edges));
}

Result<std::shared_ptr<const Grammar>> CompileFramedJsonSchema(const OrderedJson& schema,
                                                               const JsonFrame& frame,
                                                               const JsonSchemaOptions& options,
                                                               const std::string& where) {
  SchemaCompiler compiler(schema, options);
  auto root = compiler.Run(schema);
  if (!root) {
    Error error = root.error();
    error.where = where.empty() ? error.where : where + ": " + error.where;
    return Fail(error.what, error.where, error.remedy);
  }
  Expressions& e = *compiler.mutable_expressions();
  const bool bare = frame.before.empty() && frame.after.empty() && frame.most <= 1;
  if (bare) return Grammar::Compile(e, *root, where);
  const auto framed = [&](std::string_view before) {
    return e.Concat({e.Bytes(before), e.Call(*root), e.Bytes(frame.after)});
  };
  const ExprId first = framed(frame.before);
  const ExprId more = e.Repeat(framed(frame.between + frame.before), 0, frame.most - 1);
  const RuleId all = e.AddRule("");
  e.Define(all, frame.most > 1 ? e.Concat({first, more}) : first);
  return Grammar::Compile(e, all, where);
}

Result<std::shared_ptr<const Grammar>> CompileParsedJsonSchema(const OrderedJson& schema,
                                                               const JsonSchemaOptions& options,
                                                               const std::string& where) {
  return CompileFramedJsonSchema(schema, {}, options, where);
}

Result<std::shared_ptr<const Grammar>> CompileJsonSchema(std::string_view schema,
                                                         const JsonSchemaOptions& options,
                                                         const std::string& where) {
  auto parsed = ParseOrderedJson(schema, where, {.max_depth = 100, .max_bytes = kMaxSchemaBytes});
  if (!parsed) return Fail(std::move(parsed));
  return CompileParsedJsonSchema(*parsed, options, where);
}

Result<std::shared_ptr<const Grammar>> CompileAnyJsonObject(const JsonSchemaOptions& options) {
  return CompileParsedJsonSchema(OrderedJson{{"type", "object"}}, options, "JSON object");
}

}  // namespace ergo::generate::constrain
