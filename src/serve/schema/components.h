// Schemas that several endpoints share: "#/components/schemas/NAME".
#pragma once

#include <span>
#include <string_view>

#include "base/json.h"

namespace ergo::serve {

struct Component {
  std::string_view name;
  std::string_view schema;  ///< JSON text
};

/// Sorted by name (components.cc).
std::span<const Component> Components();

/// The parsed schema of a component; nullptr if there is none.
const OrderedJson* FindComponent(std::string_view name);

}  // namespace ergo::serve
