// Code that a model writes into a block which its answer has begun.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "base/result.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/stage/work.h"

namespace ergo::reasoning {

struct FencedDraw {
  std::size_t count = 1;
  float temperature = 0.0f;
  std::size_t max_tokens = 256;
};
/// Hears of a sample that has ended, while the others go on.
using HearSample = std::function<void(std::size_t index, const Drawn& drawn)>;

/// Draws blocks up to their closing fence, all in one batch; as many as were asked for, of which
/// some may have no token. An error if none has, because the model failed. `hear` hears of those
/// that have some.
Result<std::vector<Drawn>> DrawFenced(Work& work, const Prompt& prompt, const FencedDraw& draw,
                                      const HearSample& hear);

/// The derivation of a block, without a value.
Derivation ToProgram(const Drawn& drawn);

/// Adds a block with its findings to the trace, as one step.
void RecordProgram(Work& work, const Drawn& drawn, Derivation* derivation);

}  // namespace ergo::reasoning
