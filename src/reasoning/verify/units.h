// Units of measure in English and Chinese, with exact factors.
#pragma once

#include <array>
#include <string_view>

#include "reasoning/verify/number.h"

namespace ergo::reasoning {

enum class Dimension { kTime, kLength, kMass, kVolume, kMoney, kCount };
inline constexpr std::size_t kDimensions = static_cast<std::size_t>(Dimension::kCount);

/// Exponents by Dimension, and what one of the unit is in seconds, metres, grams, millilitres or
/// dollars (of whatever currency).
struct Unit {
  std::array<int, kDimensions> power = {};
  Rational scale = 1;
};

/// The unit of that name (lower case English, singular, plural or abbreviated; Chinese), or null.
const Unit* FindUnit(std::string_view name);

}  // namespace ergo::reasoning
