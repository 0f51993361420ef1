#include "serve/schema/schema.h"

#include <fmt/format.h>

#include <cmath>
#include <set>
#include <utility>

#include "base/utf8.h"
#include "serve/schema/components.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kReference = "#/components/schemas/";
constexpr int kMostDepth = 64;

std::string Field(const std::string& place, std::string_view name) {
  // Names come from requests: they are made fit for a message.
  const std::string shown =
      name.size() <= 80 && !FindInvalidUtf8(name) ? std::string(name) : QuoteForMessage(name);
  return place.empty() ? shown : place + "." + shown;
}

bool HasType(const OrderedJson& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_boolean();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  if (type == "number") return value.is_number();
  if (type != "integer" || !value.is_number()) return false;
  if (value.is_number_integer()) return true;
  const double number = value.get<double>();
  return std::abs(number) < 9e15 && number == std::floor(number);
}

std::optional<Violation> CheckType(const OrderedJson& schema, const OrderedJson& value,
                                   const std::string& place) {
  const auto type = schema.find("type");
  if (type == schema.end()) return std::nullopt;
  if (type->is_string()) {
    const auto& name = type->get_ref<const std::string&>();
    if (HasType(value, name)) return std::nullopt;
    const bool vowel = name.find_first_of("aio") == 0;
    return Violation{place, fmt::format("must be {} {}", vowel ? "an" : "a", name)};
  }
  std::string names;
  for (const auto& name : *type) {
    if (HasType(value, name.get_ref<const std::string&>())) return std::nullopt;
    names += (names.empty() ? "" : ", ") + name.get<std::string>();
  }
  return Violation{place, "must be one of: " + names};
}

std::optional<Violation> CheckNumber(const OrderedJson& schema, double value,
                                     const std::string& place) {
  if (const auto least = schema.find("minimum");
      least != schema.end() && value < least->get<double>())
    return Violation{place, fmt::format("must be at least {}", least->dump())};
  if (const auto most = schema.find("maximum"); most != schema.end() && value > most->get<double>())
    return Violation{place, fmt::format("must be at most {}", most->dump())};
  return std::nullopt;
}

std::optional<Violation> CheckSize(const OrderedJson& schema, std::size_t size, bool text,
                                   const std::string& place) {
  const char* least = text ? "minLength" : "minItems";
  const char* most = text ? "maxLength" : "maxItems";
  const char* unit = text ? "characters" : "items";
  if (const auto it = schema.find(least); it != schema.end() && size < it->get<std::size_t>())
    return Violation{place, fmt::format("must have at least {} {}", it->dump(), unit)};
  if (const auto it = schema.find(most); it != schema.end() && size > it->get<std::size_t>())
    return Violation{place, fmt::format("must have at most {} {}", it->dump(), unit)};
  return std::nullopt;
}

std::size_t Characters(const std::string& text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

std::optional<Violation> CheckValue(const OrderedJson& schema, const OrderedJson& value,
                                    const std::string& place, int depth);

std::optional<Violation> CheckObject(const OrderedJson& schema, const OrderedJson& value,
                                     const std::string& place, int depth) {
  if (const auto required = schema.find("required"); required != schema.end()) {
    for (const auto& name : *required) {
      const auto& text = name.get_ref<const std::string&>();
      if (!value.contains(text)) return Violation{Field(place, text), "is required"};
    }
  }
  static const OrderedJson kNone = OrderedJson::object();
  const auto properties = schema.find("properties");
  const OrderedJson& known = properties == schema.end() ? kNone : *properties;
  const auto others = schema.find("additionalProperties");
  for (const auto& [name, member] : value.items()) {
    const auto own = known.find(name);
    const OrderedJson* rule = own != known.end() ? &*own : nullptr;
    if (rule == nullptr && others != schema.end()) {
      if (others->is_object()) rule = &*others;
      if (*others == false) return Violation{Field(place, name), "is not known here"};
    }
    if (rule == nullptr) continue;
    if (auto found = CheckValue(*rule, member, Field(place, name), depth + 1)) return found;
  }
  return std::nullopt;
}

std::optional<Violation> CheckArray(const OrderedJson& schema, const OrderedJson& value,
                                    const std::string& place, int depth) {
  if (auto found = CheckSize(schema, value.size(), false, place)) return found;
  const auto items = schema.find("items");
  if (items == schema.end()) return std::nullopt;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (auto found = CheckValue(*items, value[i], fmt::format("{}[{}]", place, i), depth + 1)) {
      return found;
    }
  }
  return std::nullopt;
}

std::optional<Violation> CheckAnyOf(const OrderedJson& branches, const OrderedJson& value,
                                    const std::string& place, int depth) {
  std::optional<Violation> deepest;
  for (const OrderedJson& branch : branches) {
    auto found = CheckValue(branch, value, place, depth + 1);
    if (!found) return std::nullopt;
    // The branch that got furthest is the one that was meant.
    if (!deepest || found->place.size() > deepest->place.size()) deepest = std::move(found);
  }
  if (deepest && deepest->place.size() > place.size()) return deepest;
  return Violation{place, "has none of the forms that are allowed here"};
}

std::optional<Violation> CheckValue(const OrderedJson& schema, const OrderedJson& value,
                                    const std::string& place, int depth) {
  if (depth > kMostDepth) return Violation{place, "is nested too deeply"};
  if (!schema.is_object()) return std::nullopt;
  if (const auto reference = schema.find("$ref"); reference != schema.end()) {
    const auto& target = reference->get_ref<const std::string&>();
    const OrderedJson* component =
        FindComponent(std::string_view(target).substr(kReference.size()));
    return component ? CheckValue(*component, value, place, depth + 1) : std::nullopt;
  }
  if (auto found = CheckType(schema, value, place)) return found;
  if (const auto only = schema.find("const"); only != schema.end() && value != *only)
    return Violation{place, "must be " + only->dump()};
  if (const auto words = schema.find("enum"); words != schema.end()) {
    bool known = false;
    for (const auto& word : *words) known = known || word == value;
    if (!known) return Violation{place, "must be one of " + words->dump()};
  }
  if (const auto any = schema.find("anyOf"); any != schema.end()) {
    if (auto found = CheckAnyOf(*any, value, place, depth)) return found;
  }
  if (value.is_number()) return CheckNumber(schema, value.get<double>(), place);
  if (value.is_string()) {
    return CheckSize(schema, Characters(value.get_ref<const std::string&>()), true, place);
  }
  if (value.is_array()) return CheckArray(schema, value, place, depth);
  if (value.is_object()) return CheckObject(schema, value, place, depth);
  return std::nullopt;
}

Status CheckKeywords(const OrderedJson& schema, const std::string& where) {
  static const std::set<std::string> kKnown = {
      "type",     "enum",     "const",    "properties", "required",    "additionalProperties",
      "items",    "minItems", "maxItems", "minLength",  "maxLength",   "minimum",
      "maximum",  "anyOf",    "$ref",     "title",      "description", "default",
      "examples", "format"};
  if (schema.is_boolean()) return {};
  if (!schema.is_object()) return Fail("a schema is not an object", where);
  for (const auto& [name, value] : schema.items()) {
    if (!kKnown.contains(name)) return Fail("unknown keyword " + name, where);
    if (name == "$ref") {
      const std::string target = value.get<std::string>();
      const bool known = target.starts_with(kReference) &&
                         FindComponent(target.substr(kReference.size())) != nullptr;
      if (!known) return Fail("unknown reference " + target, where);
    }
    if (name == "properties") {
      for (const auto& [property, inner] : value.items()) {
        if (auto fine = CheckKeywords(inner, where + "." + property); !fine) return fine;
      }
    }
    if (name == "items" || name == "additionalProperties") {
      if (auto fine = CheckKeywords(value, where + "." + name); !fine) return fine;
    }
    if (name != "anyOf") continue;
    for (const auto& branch : value) {
      if (auto fine = CheckKeywords(branch, where + ".anyOf"); !fine) return fine;
    }
  }
  return {};
}

}  // namespace

Result<Schema> Schema::Parse(std::string_view text, const std::string& where) {
  auto parsed = ParseOrderedJson(text, where);
  if (!parsed) return Fail(std::move(parsed));
  if (auto fine = CheckKeywords(*parsed, where); !fine) return Fail(std::move(fine));
  Schema schema;
  schema.document_ = std::move(*parsed);
  return schema;
}

std::optional<Violation> Schema::Check(const OrderedJson& value) const {
  return CheckValue(document_, value, "", 0);
}

}  // namespace ergo::serve
