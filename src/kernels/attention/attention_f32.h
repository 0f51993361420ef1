// Attention over keys and values in fp32: the reference that the other formats are measured
// against. Contracts: attention.h.
//
// Tile of one block, layer and KV head:  keys [head_dim][64] | values [64][head_dim], fp32.
// Keys lie transposed, so that the scores of 64 tokens are formed side by side.
#pragma once

#include "kernels/attention/attention.h"

namespace ergo::kernels {

std::size_t TileBytesF32(std::size_t head_dim);

void StoreKvF32(const KvLayer& kv, const std::int32_t* blocks, std::size_t position,
                const float* key, const float* value);

void AttendF32(Worker& worker, const KvLayer& kv, const AttentionParams& params,
               std::span<const SequenceRows> sequences, const AttentionArrays& arrays);

}  // namespace ergo::kernels
