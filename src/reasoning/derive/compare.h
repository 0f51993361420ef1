// Several solutions of one question, side by side.
#pragma once

#include <string>

#include "reasoning/derive/derivation.h"

namespace ergo::reasoning {

/// For a person: where `other`, which came to another value than `winner`, goes its own way, and
/// what checks have against it.
std::string HowItDiffers(const Derivation& other, const Derivation& winner);

}  // namespace ergo::reasoning
