// What attention asks of a format of keys and values. Plain data only: files that are compiled for
// one processor include it and must not share inline functions with others.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ergo::kernels {

inline constexpr std::size_t kMaxHeadDim = 512;
/// Most query vectors (heads of one KV head's group, row after row) that are taken together.
inline constexpr std::size_t kMostVectors = 24;

/// One query head of one row.
struct QueryVector {
  const float* q;
  float* out;
  std::size_t position;
  float sink;                  ///< −infinity: none
  const std::int32_t* blocks;  ///< of the row's sequence
};

/// Vectors that a thread takes together, on one KV head. Vectors of sequences that share blocks are
/// neighbours.
struct AttentionTask {
  std::byte* arena;         ///< tile of block 0 for this layer and KV head
  std::size_t block_bytes;  ///< from a block's tile to the next block's
  std::size_t head_dim;
  float scale;
  float soft_cap;
  std::size_t window;
  const QueryVector* vectors;
  int count;  ///< at most kMostVectors
};

/// A format of keys and values on one path.
struct KvFormat {
  /// Stores a key and a value [head_dim] as number `token` of a tile.
  void (*store)(const float* key, const float* value, std::size_t head_dim, std::size_t token,
                std::byte* tile);
  void (*attend)(const AttentionTask& task);
};

}  // namespace ergo::kernels
