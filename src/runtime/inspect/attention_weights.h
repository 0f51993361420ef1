// What attention looks at, as probabilities.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/attention/attention.h"

namespace ergo::runtime {

/// One query and the keys that it may meet, both after RoPE.
struct HeadQuery {
  const float* query = nullptr;  ///< [head_dim]
  const float* keys = nullptr;   ///< of token 0, [head_dim]; of the query's KV head
  std::size_t stride = 0;        ///< floats from one token's key to the next one's
  std::size_t head_dim = 0;
  std::size_t head = 0;      ///< of the query, for its sink
  std::size_t position = 0;  ///< of the query; there are keys up to here
};

/// Softmax over tokens 0 … position, in double precision and plain steps: probabilities of the
/// tokens, zero before the window and behind the position. With a sink they sum to less than 1.
/// `weights` and `scratch` have room for position + 1 tokens at least; all of `weights` is set.
void AttentionWeights(const kernels::AttentionParams& params, const HeadQuery& of,
                      std::span<double> scratch, std::span<float> weights);

}  // namespace ergo::runtime
