// Objects: listed properties in their order, then others.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <unordered_set>
#include <utility>

#include "base/utf8.h"
#include "generate/constrain/json_schema.h"
#include "generate/constrain/regex_parser.h"

namespace ergo::generate::constrain {
namespace {

constexpr std::size_t kMaxRegions = 64;
constexpr std::size_t kMaxNodes = 100'000;
constexpr const char* kTooManyNames = "the names of properties take too many states";

bool IsSchema(const OrderedJson& schema) { return schema.is_object() || schema.is_boolean(); }

}  // namespace

Result<ExprId> SchemaCompiler::CompileObject(const SchemaAt& at) {
  auto shape = ShapeOf(at);
  if (!shape) return Fail(std::move(shape));
  if (shape->min > shape->max) {
    return Fail("no object is possible: minProperties is above maxProperties", at.place);
  }
  std::vector<Property> possible;
  for (Property& property : shape->properties) {
    if (property.schema != false) {
      possible.push_back(std::move(property));
    } else if (property.required) {
      return Fail(fmt::format("the property {} is required and not allowed",
                              QuoteForMessage(property.name)),
                  at.place);
    }
  }
  shape->properties = std::move(possible);
  return shape->properties.empty() ? OthersOnly(*shape) : ObjectGraph(*shape, at.place);
}

Result<SchemaCompiler::ObjectShape> SchemaCompiler::ShapeOf(const SchemaAt& at) {
  const auto& [schema, place] = at;
  ObjectShape shape;
  const auto min = CountOf(schema, "minProperties", 0, place);
  if (!min) return Fail(Result<std::uint32_t>(min));
  const auto max = CountOf(schema, "maxProperties", kUnlimited, place);
  if (!max) return Fail(Result<std::uint32_t>(max));
  shape.min = *min;
  shape.max = *max;
  if (schema.contains("properties")) {
    for (const auto& [name, property] : schema["properties"].items()) {
      shape.properties.push_back({name, property, Below(Below(place, "properties"), name), false});
    }
  }
  if (auto added = AddRequired(at, &shape); !added) return Fail(std::move(added));
  if (auto applied = ApplyPatterns(at, &shape); !applied) return Fail(std::move(applied));
  for (const Property& property : shape.properties) {
    if (!IsSchema(property.schema)) {
      return Fail("a schema must be an object, true or false", property.place);
    }
  }
  return shape;
}

Status SchemaCompiler::AddRequired(const SchemaAt& at, ObjectShape* shape) const {
  const auto& [schema, place] = at;
  if (!schema.contains("required")) return {};
  std::unordered_set<std::string> names;
  for (const OrderedJson& name : schema["required"]) names.insert(name.get<std::string>());
  for (Property& property : shape->properties) property.required = names.erase(property.name) > 0;
  for (const OrderedJson& name : schema["required"]) {
    if (names.erase(name.get<std::string>()) == 0) continue;
    // Not listed: what is said of other properties holds for it, unless a pattern speaks of it.
    Property property{name.get<std::string>(), true, Below(place, "required"), true};
    bool patterned = false;
    if (schema.contains("patternProperties")) {
      for (const auto& [pattern, value] : schema["patternProperties"].items()) {
        Expressions scratch;
        const auto expr = ParseRegex(pattern, Spelling::kJson, RegexMatch::kAnywhere,
                                     Below(place, "patternProperties"), &scratch);
        if (!expr) continue;
        const auto automaton = BuildAutomaton(scratch, *expr, {.max_states = kMaxStates});
        if (!automaton || !automaton->deterministic) continue;
        patterned = patterned || Accepts(*automaton, JsonEscaped(property.name));
      }
    }
    if (!patterned && schema.contains("additionalProperties")) {
      property.schema = schema["additionalProperties"];
    } else if (!patterned && options_.closed_objects && schema.contains("properties")) {
      property.schema = false;
    }
    shape->properties.push_back(std::move(property));
  }
  return {};
}

Result<std::optional<Automaton>> SchemaCompiler::AllowedNames(const SchemaAt& at) {
  std::optional<Automaton> none;
  if (!at.schema.contains("propertyNames")) return none;
  const std::string place = Below(at.place, "propertyNames");
  auto plain = merger_.Flatten({at.schema["propertyNames"], place});
  if (!plain) return Fail(std::move(plain));
  if (plain->empty()) return std::optional(Automaton{});
  if (plain->size() > 1) return Fail("alternatives for names are not supported", place);
  SchemaAt names{(*plain)[0], place};
  if (names.schema.contains("enum")) {
    std::vector<ExprId> choices;
    for (const OrderedJson& name : names.schema["enum"]) {
      if (!name.is_string()) continue;
      choices.push_back(expressions_.Bytes(JsonEscaped(name.get_ref<const std::string&>())));
    }
    auto listed = ToAutomaton(expressions_.OneOf(std::move(choices)), place);
    if (!listed) return Fail(std::move(listed));
    auto others = StringAutomaton(names);
    if (!others) return Fail(std::move(others));
    auto both = Intersect(*listed, *others, kMaxStates);
    if (!both) return Fail("the names take too many states", place);
    return both;
  }
  auto automaton = StringAutomaton(names);
  if (!automaton) return Fail(std::move(automaton));
  return std::optional(std::move(*automaton));
}

Result<Automaton> SchemaCompiler::FreeNames(const ObjectShape& shape,
                                            const std::optional<Automaton>& allowed,
                                            const std::string& place) {
  std::vector<ExprId> listed;
  for (const Property& property : shape.properties) {
    listed.push_back(expressions_.Bytes(JsonEscaped(property.name)));
  }
  const ExprId any =
      expressions_.Repeat(expressions_.Chars(CharSet::All(), Spelling::kJson), 0, kUnlimited);
  auto all = ToAutomaton(any, place);
  if (!all) return all;
  auto known = ToAutomaton(expressions_.OneOf(std::move(listed)), place);
  if (!known) return known;
  auto free = Subtract(allowed ? *allowed : *all, *known, kMaxStates);
  if (!free) return Fail(kTooManyNames, place);
  return std::move(*free);
}

/// Divides the regions by one more pattern.
Status SchemaCompiler::ApplyPattern(const std::string& pattern, const SchemaAt& value,
                                    ObjectShape* shape, std::vector<Region>* regions) {
  const auto& [schema, where] = value;
  if (!IsSchema(schema)) return Fail("a schema must be an object, true or false", where);
  auto expr = ParseRegex(pattern, Spelling::kJson, RegexMatch::kAnywhere, where, &expressions_);
  if (!expr) return Fail(std::move(expr));
  auto matching = ToAutomaton(*expr, where);
  if (!matching) return Fail(std::move(matching));
  for (Property& property : shape->properties) {
    if (!Accepts(*matching, JsonEscaped(property.name))) continue;
    property.schema = BothSchemas(property.schema, schema);
  }
  std::vector<Region> divided;
  for (Region& region : *regions) {
    auto in = Intersect(region.names, *matching, kMaxStates);
    auto out = Subtract(region.names, *matching, kMaxStates);
    if (!in || !out) return Fail(kTooManyNames, where);
    if (!in->states.empty()) {
      const OrderedJson both = region.matched ? BothSchemas(region.schema, schema) : schema;
      divided.push_back({Minimize(*in), both, true, where});
    }
    if (!out->states.empty()) {
      divided.push_back({Minimize(*out), region.schema, region.matched, region.place});
    }
  }
  if (divided.size() > kMaxRegions) return Fail(kTooManyNames, where);
  *regions = std::move(divided);
  return {};
}

/// Divides all names by the patterns that they match, and gives listed properties what the patterns
/// say of them.
Status SchemaCompiler::ApplyPatterns(const SchemaAt& at, ObjectShape* shape) {
  const auto& [schema, place] = at;
  const bool closed = options_.closed_objects && schema.contains("properties");
  const std::string others_place = Below(place, "additionalProperties");
  OrderedJson others = !closed;
  if (schema.contains("additionalProperties")) others = schema["additionalProperties"];
  if (!IsSchema(others)) return Fail("a schema must be an object, true or false", others_place);
  const bool patterned = schema.contains("patternProperties");
  auto allowed = AllowedNames(at);
  if (!allowed) return Fail(std::move(allowed));
  if (others == false && !patterned && !*allowed) return {};
  if (shape->properties.empty() && !patterned && !*allowed) {
    shape->others.push_back({text_.AnyString(), RuleOf(others, others_place)});
    return {};
  }
  for (Property& property : shape->properties) {
    if (*allowed && !Accepts(**allowed, JsonEscaped(property.name))) property.schema = false;
  }
  auto free = FreeNames(*shape, *allowed, place);
  if (!free) return Fail(std::move(free));
  std::vector<Region> regions = {{std::move(*free), others, false, others_place}};
  const OrderedJson patterns = patterned ? schema["patternProperties"] : OrderedJson::object();
  for (const auto& [pattern, value] : patterns.items()) {
    const SchemaAt said{value, Below(Below(place, "patternProperties"), pattern)};
    if (auto applied = ApplyPattern(pattern, said, shape, &regions); !applied) return applied;
  }
  for (Region& region : regions) {
    if (region.schema == false || region.names.states.empty()) continue;
    const ExprId name =
        expressions_.FromAutomaton(std::make_shared<const Automaton>(Minimize(region.names)));
    shape->others.push_back({text_.Quoted(name), RuleOf(region.schema, region.place)});
  }
  return {};
}

ExprId SchemaCompiler::OthersOnly(const ObjectShape& shape) {
  Expressions& e = expressions_;
  std::vector<ExprId> members;
  for (const Names& names : shape.others) {
    members.push_back(e.Concat({names.name, text_.colon(), names.value}));
  }
  const ExprId member = e.OneOf(std::move(members));
  const ExprId empty = shape.min == 0 ? e.Bytes("{}") : Expressions::kNothingExpr;
  if (shape.max == 0) return empty;
  const ExprId more =
      e.Repeat(e.Concat({text_.comma(), member}), shape.min - std::min(shape.min, 1U),
               shape.max == kUnlimited ? kUnlimited : shape.max - 1);
  return e.OneOf(
      {empty, e.Concat({e.Bytes("{"), text_.gap(), member, more, text_.gap(), e.Bytes("}")})});
}

/// A graph whose nodes know how many of the listed properties have been passed and how many
/// properties are there, as far as that matters.
Result<ExprId> SchemaCompiler::ObjectGraph(const ObjectShape& shape, const std::string& place) {
  Expressions& e = expressions_;
  const bool limited =
      shape.max != kUnlimited && (!shape.others.empty() || shape.max < shape.properties.size());
  const std::uint32_t cap = std::max(limited ? shape.max : shape.min, 1U);
  const std::size_t listed = shape.properties.size();
  if ((listed + 1) * (std::size_t{cap} + 1) > kMaxNodes) {
    return Fail("the object has too many states", place,
                "use a smaller minProperties or maxProperties");
  }
  const auto node = [&](std::size_t passed, std::uint32_t count) {
    return static_cast<std::uint32_t>(2 + passed * (cap + 1) + std::min(count, cap));
  };
  const auto full = [&](std::uint32_t count) { return limited && count >= shape.max; };
  std::vector<GraphEdge> edges = {{0, node(0, 0), e.Bytes("{")}};
  for (std::size_t i = 0; i < listed; ++i) {
    const Property& property = shape.properties[i];
    const ExprId member = e.Concat(
        {text_.String(property.name), text_.colon(), RuleOf(property.schema, property.place)});
    const ExprId first = e.Concat({text_.gap(), member});
    const ExprId later = e.Concat({text_.comma(), member});
    for (std::uint32_t count = 0; count <= std::min<std::size_t>(cap, i); ++count) {
      if (!property.required) edges.push_back({node(i, count), node(i + 1, count), 0});
      if (full(count)) continue;
      edges.push_back({node(i, count), node(i + 1, count + 1), count == 0 ? first : later});
    }
  }
  std::vector<ExprId> members;
  for (const Names& names : shape.others) {
    members.push_back(e.Concat({names.name, text_.colon(), names.value}));
  }
  const ExprId other = e.OneOf(std::move(members));
  const ExprId close = e.Concat({text_.gap(), e.Bytes("}")});
  for (std::uint32_t count = 0; count <= cap; ++count) {
    if (count >= shape.min) {
      edges.push_back({node(listed, count), 1, count == 0 ? e.Bytes("}") : close});
    }
    if (full(count) || other == Expressions::kNothingExpr) continue;
    edges.push_back({node(listed, count), node(listed, count + 1),
                     e.Concat({count == 0 ? text_.gap() : text_.comma(), other})});
  }
  return e.Graph(std::move(edges));
}

}  // namespace ergo::generate::constrain
