// References, combinations of schemas, and what is refused.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "generate/constrain/json_schema.h"

namespace ergo::generate::constrain {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxAlternatives = 256;
/// Schemas that one schema may be put together from.
constexpr std::size_t kMaxParts = 2000;

bool IsAnnotation(std::string_view key) {
  constexpr std::array<std::string_view, 18> kAnnotations = {
      "title",    "description", "default",     "examples",         "example",
      "$comment", "$schema",     "$defs",       "definitions",      "deprecated",
      "readOnly", "writeOnly",   "$vocabulary", "contentMediaType", "contentEncoding",
      "$anchor",  "strict",      "$id"};
  return key.starts_with("x-") ||
         std::find(kAnnotations.begin(), kAnnotations.end(), key) != kAnnotations.end();
}

bool IsSupported(std::string_view key) {
  constexpr std::array<std::string_view, 26> kSupported = {
      "type",        "enum",          "properties",        "required",
      "items",       "prefixItems",   "additionalItems",   "additionalProperties",
      "minItems",    "maxItems",      "patternProperties", "propertyNames",
      "minLength",   "maxLength",     "pattern",           "format",
      "minimum",     "maximum",       "exclusiveMinimum",  "exclusiveMaximum",
      "multipleOf",  "minProperties", "maxProperties",     "const",
      "uniqueItems", "contains"};
  return std::find(kSupported.begin(), kSupported.end(), key) != kSupported.end();
}

/// Errors: a keyword that would change the meaning and is not supported.
Status CheckKeyword(const std::string& key, const OrderedJson& value, const std::string& place) {
  const std::string where = Below(place, key);
  if (key == "uniqueItems" && value == false) return {};
  if (key == "uniqueItems" || key == "contains" || !IsSupported(key)) {
    return Fail(fmt::format("the keyword {} is not supported", QuoteForMessage(key)), where,
                "leave it out and check the answer afterwards");
  }
  return {};
}

/// "properties" … must be objects, "required" an array of strings, and so on.
Status CheckShape(const std::string& key, const OrderedJson& value, const std::string& place) {
  constexpr std::array<std::string_view, 2> kObjects = {"properties", "patternProperties"};
  constexpr std::array<std::string_view, 5> kNumbers = {"minimum", "maximum", "exclusiveMinimum",
                                                        "exclusiveMaximum", "multipleOf"};
  const auto is = [&](const auto& list) {
    return std::find(list.begin(), list.end(), key) != list.end();
  };
  const char* expected = nullptr;
  if (is(kObjects) && !value.is_object()) expected = "an object";
  if (is(kNumbers) && !value.is_number()) expected = "a number";
  if ((key == "enum" || key == "prefixItems") && !value.is_array()) expected = "an array";
  if ((key == "pattern" || key == "format") && !value.is_string()) expected = "a string";
  if (key == "required") {
    const bool strings = value.is_array() && std::all_of(value.begin(), value.end(),
                                                         [](auto& one) { return one.is_string(); });
    if (!strings) expected = "an array of strings";
  }
  if (expected != nullptr) return Fail(fmt::format("this must be {}", expected), Below(place, key));
  return {};
}

OrderedJson TypesOf(const OrderedJson& type) {
  return type.is_array() ? type : OrderedJson::array({type});
}

/// Types of both; an integer is a number too.
OrderedJson BothTypes(const OrderedJson& a, const OrderedJson& b) {
  OrderedJson both = OrderedJson::array();
  const auto has = [](const OrderedJson& list, const OrderedJson& one) {
    return std::find(list.begin(), list.end(), one) != list.end();
  };
  const OrderedJson left = TypesOf(a);
  const OrderedJson right = TypesOf(b);
  for (const OrderedJson& one : left) {
    if (has(right, one) || (one == "integer" && has(right, "number"))) both.push_back(one);
  }
  for (const OrderedJson& one : right) {
    if (one == "integer" && has(left, "number") && !has(both, one)) both.push_back(one);
  }
  return both;
}

OrderedJson Joined(const OrderedJson& a, const OrderedJson& b) {
  OrderedJson all = a.is_array() ? a : OrderedJson::array({a});
  for (const OrderedJson& one : b.is_array() ? b : OrderedJson::array({b})) {
    if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
  }
  return all;
}

const OrderedJson* Member(const OrderedJson& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

/// What `schema` says of a property that it may not list.
OrderedJson PropertyIn(const OrderedJson& schema, const std::string& name) {
  const OrderedJson* properties = Member(schema, "properties");
  if (properties != nullptr) {
    const auto found = properties->find(name);
    if (found != properties->end()) return *found;
  }
  const OrderedJson* others = Member(schema, "additionalProperties");
  return others == nullptr ? OrderedJson(true) : *others;
}

bool TellsOfObjects(const OrderedJson& schema) {
  return schema.contains("properties") || schema.contains("additionalProperties");
}

void MergeProperties(const OrderedJson& a, const OrderedJson& b, OrderedJson* out) {
  OrderedJson properties = OrderedJson::object();
  for (const OrderedJson* side : {&a, &b}) {
    const OrderedJson* listed = Member(*side, "properties");
    if (listed == nullptr) continue;
    for (const auto& [name, schema] : listed->items()) {
      properties[name] = BothSchemas(PropertyIn(a, name), PropertyIn(b, name));
    }
  }
  if (a.contains("properties") || b.contains("properties")) (*out)["properties"] = properties;
  const OrderedJson* left = Member(a, "additionalProperties");
  const OrderedJson* right = Member(b, "additionalProperties");
  if (left == nullptr && right == nullptr) return;
  (*out)["additionalProperties"] = BothSchemas(left == nullptr ? OrderedJson(true) : *left,
                                               right == nullptr ? OrderedJson(true) : *right);
}

OrderedJson ItemIn(const OrderedJson& schema, std::size_t index) {
  const OrderedJson* prefix = Member(schema, "prefixItems");
  if (prefix != nullptr && index < prefix->size()) return (*prefix)[index];
  const OrderedJson* items = Member(schema, "items");
  return items == nullptr ? OrderedJson(true) : *items;
}

void MergeItems(const OrderedJson& a, const OrderedJson& b, OrderedJson* out) {
  std::size_t length = 0;
  for (const OrderedJson* side : {&a, &b}) {
    const OrderedJson* prefix = Member(*side, "prefixItems");
    if (prefix != nullptr) length = std::max(length, prefix->size());
  }
  OrderedJson prefix = OrderedJson::array();
  for (std::size_t i = 0; i < length; ++i)
    prefix.push_back(BothSchemas(ItemIn(a, i), ItemIn(b, i)));
  if (length > 0) (*out)["prefixItems"] = prefix;
  if (a.contains("items") || b.contains("items")) {
    (*out)["items"] = BothSchemas(ItemIn(a, length), ItemIn(b, length));
  }
}

/// The older spelling of prefixItems.
void Modernize(OrderedJson* schema) {
  const OrderedJson* items = Member(*schema, "items");
  if (items != nullptr && items->is_array()) {
    (*schema)["prefixItems"] = *items;
    schema->erase("items");
    if (schema->contains("additionalItems")) (*schema)["items"] = (*schema)["additionalItems"];
  }
  schema->erase("additionalItems");
  if (schema->contains("const")) {
    const OrderedJson only = OrderedJson::array({(*schema)["const"]});
    schema->erase("const");
    if (schema->contains("enum")) {
      const OrderedJson& list = (*schema)["enum"];
      const bool listed = std::find(list.begin(), list.end(), only[0]) != list.end();
      (*schema)["enum"] = listed ? only : OrderedJson::array();
    } else {
      (*schema)["enum"] = only;
    }
  }
  schema->erase("uniqueItems");
}

}  // namespace

OrderedJson WithoutAnnotations(const OrderedJson& schema, const std::string& place) {
  if (!schema.is_object()) return schema;
  OrderedJson core = OrderedJson::object();
  for (const auto& [key, value] : schema.items()) {
    const bool inner_id = key == "$id" && place != "#";
    if (inner_id || !IsAnnotation(key)) core[key] = value;
  }
  return core;
}

std::string Below(const std::string& place, std::string_view key) {
  std::string step;
  for (const char c : key) {
    if (c == '~') {
      step += "~0";
    } else if (c == '/') {
      step += "~1";
    } else {
      step += c;
    }
  }
  if (const auto bad = step.find_first_of("\n\r"); bad != std::string::npos) step.resize(bad);
  return place + "/" + step;
}

OrderedJson BothSchemas(const OrderedJson& a, const OrderedJson& b) {
  if (a == b || b == true || b == OrderedJson::object()) return a;
  if (a == true || a == OrderedJson::object()) return b;
  if (a == false || b == false) return false;
  return {{"allOf", OrderedJson::array({a, b})}};
}

Result<SchemaAt> SchemaMerger::Resolve(const OrderedJson& reference,
                                       const std::string& place) const {
  const std::string where = Below(place, "$ref");
  if (!reference.is_string()) return Fail("a $ref must be a string", where);
  const auto& text = reference.get_ref<const std::string&>();
  const OrderedJson* id = Member(root_, "$id");
  std::string_view rest = text;
  if (id != nullptr && id->is_string() && !id->get_ref<const std::string&>().empty() &&
      rest.starts_with(id->get_ref<const std::string&>())) {
    rest.remove_prefix(id->get_ref<const std::string&>().size());
    if (rest.empty()) rest = "#";
  }
  if (!rest.starts_with("#")) {
    return Fail(fmt::format("{} is in another document", QuoteForMessage(text)), where,
                "put it into $defs and refer to it as #/$defs/…");
  }
  rest.remove_prefix(1);
  std::string pointer;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    unsigned code = 0;
    if (rest[i] == '%' && i + 2 < rest.size() &&
        std::sscanf(std::string(rest.substr(i + 1, 2)).c_str(), "%2x", &code) == 1) {
      pointer.push_back(static_cast<char>(code));
      i += 2;
    } else {
      pointer.push_back(rest[i]);
    }
  }
  const auto unknown = [&] {
    return Fail(fmt::format("there is no {}", QuoteForMessage(text)), where);
  };
  if (!pointer.empty() && pointer[0] != '/') {
    // An $anchor of one of the definitions.
    for (const char* list : {"$defs", "definitions"}) {
      const OrderedJson* definitions = Member(root_, list);
      if (definitions == nullptr || !definitions->is_object()) continue;
      for (const auto& [name, schema] : definitions->items()) {
        if (schema.is_object() && schema.contains("$anchor") && schema["$anchor"] == pointer) {
          return SchemaAt{schema, Below(Below("#", list), name)};
        }
      }
    }
    return unknown();
  }
  const OrderedJson* at = &root_;
  for (std::size_t start = 0; start < pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', start + 1), pointer.size());
    std::string key;
    for (std::size_t i = start + 1; i < end; ++i) {
      const bool escaped = pointer[i] == '~' && i + 1 < end;
      key.push_back(escaped ? (pointer[++i] == '1' ? '/' : '~') : pointer[i]);
    }
    start = end;
    if (at->is_object() && at->contains(key)) {
      at = &(*at)[key];
    } else if (at->is_array() && !key.empty() && key.size() < 7 &&
               key.find_first_not_of("0123456789") == std::string::npos &&
               std::stoul(key) < at->size()) {
      at = &(*at)[std::stoul(key)];
    } else {
      return unknown();
    }
  }
  return SchemaAt{*at, "#" + pointer};
}

Result<OrderedJson> SchemaMerger::Merge(const OrderedJson& a, const OrderedJson& b,
                                        const std::string& place) const {
  OrderedJson out = a;
  for (const auto& [key, value] : b.items()) {
    if (!a.contains(key)) {
      out[key] = value;
      continue;
    }
    const OrderedJson& mine = a[key];
    if (mine == value) continue;
    if (key == "type") {
      out[key] = BothTypes(mine, value);
    } else if (key == "enum") {
      OrderedJson both = OrderedJson::array();
      for (const OrderedJson& one : mine) {
        if (std::find(value.begin(), value.end(), one) != value.end()) both.push_back(one);
      }
      out[key] = both;
    } else if (key.starts_with("min") || key == "exclusiveMinimum") {
      out[key] = std::max(mine, value);
    } else if (key.starts_with("max") || key == "exclusiveMaximum") {
      out[key] = std::min(mine, value);
    } else if (key == "required" || key == "pattern" || key == "format" || key == "multipleOf") {
      out[key] = Joined(mine, value);
    } else if (key == "propertyNames") {
      out[key] = BothSchemas(mine, value);
    } else if (key == "patternProperties") {
      return Fail("several patternProperties for one object are not supported", Below(place, key));
    }
  }
  if (TellsOfObjects(a) && TellsOfObjects(b)) {
    if (out.contains("patternProperties")) {
      return Fail("patternProperties can't be combined with other properties here",
                  Below(place, "patternProperties"));
    }
    MergeProperties(a, b, &out);
  }
  MergeItems(a, b, &out);
  return out;
}

Result<std::vector<OrderedJson>> SchemaMerger::Cross(std::vector<OrderedJson> all,
                                                     const std::vector<OrderedJson>& more,
                                                     const std::string& place) const {
  std::vector<OrderedJson> result;
  if (all.size() * more.size() > kMaxAlternatives) {
    return Fail("too many combinations of alternatives", place);
  }
  for (const OrderedJson& a : all) {
    for (const OrderedJson& b : more) {
      auto merged = Merge(a, b, place);
      if (!merged) return Fail(std::move(merged));
      result.push_back(std::move(*merged));
    }
  }
  return result;
}

Result<std::vector<OrderedJson>> SchemaMerger::Flatten(const SchemaAt& at, int depth) const {
  using All = std::vector<OrderedJson>;
  const auto& [schema, place] = at;
  if (schema == true) return All{OrderedJson::object()};
  if (schema == false) return All{};
  if (!schema.is_object()) return Fail("a schema must be an object, true or false", place);
  parts_ = depth == 0 ? 0 : parts_ + 1;
  if (parts_ > kMaxParts) return Fail("this is put together from too many parts", place);
  if (depth > kMaxDepth) return Fail("references go in a circle, or are nested too deeply", place);
  OrderedJson plain = OrderedJson::object();
  std::vector<std::string> combined;
  for (const auto& [key, value] : schema.items()) {
    if (key == "$id" && place != "#") {
      return Fail("a schema within a schema that has its own $id is not supported", place);
    }
    if (IsAnnotation(key)) continue;
    if (key == "$ref" || key == "allOf" || key == "anyOf" || key == "oneOf") {
      combined.push_back(key);
      continue;
    }
    if (auto known = CheckKeyword(key, value, place); !known) return Fail(std::move(known));
    if (auto good = CheckShape(key, value, place); !good) return Fail(std::move(good));
    plain[key] = value;
  }
  Modernize(&plain);
  All all = {plain};
  for (const std::string& key : combined) {
    auto combination = Combine(std::move(all), at, key, depth);
    if (!combination) return combination;
    all = std::move(*combination);
  }
  return all;
}

Result<std::vector<OrderedJson>> SchemaMerger::Combine(std::vector<OrderedJson> all,
                                                       const SchemaAt& at, const std::string& key,
                                                       int depth) const {
  const OrderedJson& value = at.schema[key];
  const std::string where = Below(at.place, key);
  if (key == "$ref") {
    auto target = Resolve(value, at.place);
    if (!target) return Fail(std::move(target));
    auto more = Flatten(*target, depth + 1);
    if (!more) return more;
    return Cross(std::move(all), *more, where);
  }
  if (!value.is_array() || value.empty()) return Fail("this must be an array of schemas", where);
  std::vector<OrderedJson> choices;
  for (std::size_t i = 0; i < value.size(); ++i) {
    auto more = Flatten({value[i], Below(where, std::to_string(i))}, depth + 1);
    if (!more) return more;
    if (key != "allOf") {
      choices.insert(choices.end(), more->begin(), more->end());
      continue;
    }
    auto crossed = Cross(std::move(all), *more, where);
    if (!crossed) return crossed;
    all = std::move(*crossed);
  }
  if (key == "allOf") return all;
  return Cross(std::move(all), choices, where);
}

}  // namespace ergo::generate::constrain
