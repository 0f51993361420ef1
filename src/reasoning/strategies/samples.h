// Derivations drawn within a stage, and how many of them a budget allows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "reasoning/derive/derivation.h"
#include "reasoning/stage/work.h"

namespace ergo::reasoning {

struct SampleCost {
  std::size_t tokens = 340;   ///< that one mostly takes
  std::size_t unbounded = 8;  ///< as many where the budget has no limit
  std::size_t most = 32;
};

inline std::size_t SamplesFor(Work& work, const SampleCost& cost) {
  const std::size_t left = work.budget().tokens_left();
  if (left == Limits::kNoLimit) return cost.unbounded;
  return std::clamp<std::size_t>(left / cost.tokens, 1, cost.most);
}

/// Runs `draw` as a stage and appends what it gives. An error only if there was room to draw and
/// nothing is there at all.
inline Status DeriveStage(Work& work, std::string_view name, std::vector<Derivation>* derivations,
                          const std::function<Result<std::vector<Derivation>>()>& draw) {
  Status status = work.Stage(name, {}, [&]() -> Status {
    auto drawn = draw();
    if (!drawn) return Fail(std::move(drawn));
    std::move(drawn->begin(), drawn->end(), std::back_inserter(*derivations));
    return {};
  });
  if (!derivations->empty() || work.budget().Exhausted()) return {};
  return status;
}

}  // namespace ergo::reasoning
