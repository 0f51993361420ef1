// Code that a model writes into a block which its answer has begun.
#pragma once

#include <cstddef>
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
/// Draws blocks up to their closing fence, all in one batch; samples without a token are left out.
/// An error if there is none because the model failed.
Result<std::vector<Drawn>> DrawFenced(Work& work, const Prompt& prompt, const FencedDraw& draw);

/// The derivation of a block, without a value.
Derivation ToProgram(const Drawn& drawn);

/// Adds a block with its findings to the trace, as one step.
void RecordProgram(Work& work, const Drawn& drawn, Derivation* derivation);

}  // namespace ergo::reasoning
