// What attention_int8.cc asks of a path. Plain data only: the paths' files are compiled for their
// processors and must not share inline functions with others.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention/attention.h"

namespace ergo::kernels {

/// Query heads of one KV head and some rows of a sequence that a thread takes at once.
inline constexpr int kMaxVectors = 24;
inline constexpr std::size_t kMaxHeadDim = 512;

struct Int8Tile {
  std::int16_t* keys;
  std::int8_t* values;
  float* key_scale;
  float* value_log;      ///< log2 of the scale
  float* value_inverse;  ///< 1 / scale
};

/// One query head of one row.
struct QueryVector {
  const float* q;
  float* out;
  std::size_t position;
  float sink;  ///< −infinity: none
};

struct Int8Task {
  std::byte* arena;         ///< tile of block 0 for this layer and KV head
  std::size_t block_bytes;  ///< from a block's tile to the next block's
  const std::int32_t* blocks;
  std::size_t head_dim;
  float scale;
  float soft_cap;
  std::size_t window;
  const QueryVector* vectors;  ///< ascending positions
  int count;                   ///< at most kMaxVectors
};

struct Int8Attention {
  void (*store)(const float* key, const float* value, std::size_t head_dim, std::size_t token,
                std::byte* tile);
  void (*attend)(const Int8Task& task);
};

extern const Int8Attention kInt8AttentionPortable;
extern const Int8Attention kInt8AttentionAvx2;
extern const Int8Attention kInt8AttentionAvx512;

}  // namespace ergo::kernels
