// One sentence of controlled Chinese as rules.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "reasoning/verify/logic_theory.h"

namespace ergo::reasoning {

/// The rules of a sentence, or nothing if any part of it is not understood. Names are added to the
/// theory either way; rules are not.
std::optional<std::vector<LogicRule>> ReadChinese(std::string_view sentence, LogicTheory& theory);

}  // namespace ergo::reasoning
