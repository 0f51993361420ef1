// Checks of token ids that a caller gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "capi/boundary.h"
#include "capi/model_state.h"

namespace ergo::capi {

/// More than any context; a count beyond it was never meant.
inline constexpr std::size_t kMostTokens = std::size_t{1} << 31;

/// Fails if an id is not one of the model's.
Outcome<void> KnownTokens(const ModelState& model, std::span<const std::int32_t> ids,
                          const char* argument);

}  // namespace ergo::capi
