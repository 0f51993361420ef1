// The checks that there are.
#pragma once

#include <memory>
#include <span>

#include "reasoning/verify/check.h"

namespace ergo::reasoning {

/// In the order in which they are asked; a span that one of them has settled exactly is left to it.
std::span<const std::unique_ptr<const Check>> Checks();

}  // namespace ergo::reasoning
