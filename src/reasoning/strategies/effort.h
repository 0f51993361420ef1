// Words for how much to reason, and what they stand for.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace ergo::reasoning {

struct EffortLevel {
  std::string_view name;
  std::string_view strategy;
  std::size_t tokens;  ///< most to draw, discarded ones included
};

inline constexpr std::array<EffortLevel, 4> kEffortLevels = {{{"low", "auto", 512},
                                                              {"medium", "auto", 2048},
                                                              {"high", "auto", 8192},
                                                              {"auto", "auto", 2048}}};

/// "auto" for a name that is none of them.
constexpr const EffortLevel& EffortLevelOf(std::string_view name) {
  for (const EffortLevel& level : kEffortLevels) {
    if (level.name == name) return level;
  }
  return kEffortLevels.back();
}

}  // namespace ergo::reasoning
