// JSON schemas of requests: what validates them is what the OpenAPI document shows.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace ergo::serve {

/// What is wrong with a value.
struct Violation {
  std::string place;    ///< "messages[0].role"; empty: the value as a whole
  std::string message;  ///< "must be a string"
};

/// One schema of the subset that our endpoints are described with: type (a name or several), enum,
/// const, properties, required, additionalProperties (a boolean or a schema), items, minItems,
/// maxItems, minLength, maxLength, minimum, maximum, anyOf, $ref to "#/components/schemas/NAME"
/// (components.h), and annotations. Any other keyword is an error when it is parsed, so that
/// nothing stands in the document that is not checked.
class Schema {
 public:
  static Result<Schema> Parse(std::string_view text, const std::string& where);

  /// The first violation, outer ones first. Depth is bounded by that of the JSON parser.
  std::optional<Violation> Check(const OrderedJson& value) const;
  const OrderedJson& document() const { return document_; }

 private:
  OrderedJson document_;
};

}  // namespace ergo::serve
