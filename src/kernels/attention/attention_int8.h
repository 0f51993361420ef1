// Attention over values in int8 and keys in fixed-point int16, one scale per token and KV head.
//
// Tile of one block of 64 tokens, layer and KV head (d = head_dim):
//   keys    int16 [d/2][64][2]   two consecutive dimensions of one token are a word
//   values  int8  [16][d][4]     four consecutive tokens of one dimension are a word
//   key_scale      fp32 [64]
//   value_log      fp32 [64]     log2 of the values' scale
//   value_inverse  fp32 [64]     1 / scale
// so that a vector of words is multiplied with one broadcast word of the query, or of the
// probabilities. Appending a token writes single words and bytes and never moves others.
//
// Keys are more sensitive than values: in int8 they raise the perplexity of models with large key
// biases (Qwen2) by percents. 12 bits don't, and their dot products cost twice those of int8, not
// more. Keys and queries are turned by a Hadamard matrix first (where d is a power of two), which
// leaves q·k as it is and spreads channels of large keys over all dimensions (QuaRot, Ashkboos et
// al. 2024). Probabilities times the values' scales are rounded to 8 bits against the largest of
// their block.
#pragma once

#include "kernels/attention/attention.h"

namespace ergo::kernels {

std::size_t TileBytesInt8(std::size_t head_dim);

void StoreKvInt8(const KvLayer& kv, const std::int32_t* blocks, std::size_t position,
                 const float* key, const float* value);

void AttendInt8(Worker& worker, const KvLayer& kv, const AttentionParams& params,
                std::span<const SequenceRows> sequences, const AttentionArrays& arrays);

}  // namespace ergo::kernels
