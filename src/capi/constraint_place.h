// Where in a constrained text a sequence stands.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "capi/boundary.h"
#include "capi/model_state.h"

namespace ergo::capi {

/// Takes a hook from its start to where `drawn` and then `appended` lead to. `drawn` was drawn
/// under such a hook; a failure if `appended` does not go on as it may.
Outcome<std::unique_ptr<runtime::LogitHook>> HookAfter(std::unique_ptr<runtime::LogitHook> hook,
                                                       std::span<const std::int32_t> drawn,
                                                       std::span<const std::int32_t> appended,
                                                       std::size_t vocabulary);

/// A hook that allows everything, for a branch that leaves its parent's constraint behind.
std::unique_ptr<runtime::LogitHook> NoConstraint();

}  // namespace ergo::capi
