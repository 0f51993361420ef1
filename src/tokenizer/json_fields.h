// Reading members of JSON objects that may be missing or of the wrong kind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace ergo::tokenizer {

/// The member, or nullptr when `object` is no object, lacks it, or holds null there.
inline const Json* Member(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

/// The string member, or nullptr.
inline const std::string* StringMember(const Json& object, std::string_view key) {
  const Json* member = Member(object, key);
  return member != nullptr && member->is_string() ? member->get_ptr<const std::string*>() : nullptr;
}

inline std::string StringOr(const Json& object, std::string_view key, std::string_view otherwise) {
  const std::string* text = StringMember(object, key);
  return text == nullptr ? std::string(otherwise) : *text;
}

inline bool BoolOr(const Json& object, std::string_view key, bool otherwise) {
  const Json* member = Member(object, key);
  return member != nullptr && member->is_boolean() ? member->get<bool>() : otherwise;
}

/// An integer that fits, or nothing.
inline std::optional<std::int64_t> IntMember(const Json& object, std::string_view key) {
  const Json* member = Member(object, key);
  if (member == nullptr || !member->is_number_integer()) return std::nullopt;
  if (member->is_number_unsigned() && member->get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  return member->get<std::int64_t>();
}

}  // namespace ergo::tokenizer
