// JSON for files and requests: untrusted text in, plain values out.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ergo {

/// Objects sorted by key: lookup in log n. For configs and vocabularies.
using Json = nlohmann::json;
/// Objects in the order of the text: for what is shown or rendered again.
using OrderedJson = nlohmann::ordered_json;

struct JsonLimits {
  std::size_t max_depth = 128;
  std::size_t max_bytes = std::size_t{1} << 30;
  /// Members of one object of an OrderedJson, whose lookup is linear.
  std::size_t max_ordered_members = 4096;
};

/// Parses UTF-8 JSON. Errors name `where`, the byte offset and the cause:
/// invalid UTF-8, nesting or size over the limits, duplicate keys, bad syntax.
Result<Json> ParseJson(std::string_view text, const std::string& where,
                       const JsonLimits& limits = {});
Result<OrderedJson> ParseOrderedJson(std::string_view text, const std::string& where,
                                     const JsonLimits& limits = {});

}  // namespace ergo
