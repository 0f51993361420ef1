// Keys and values in blocks of 64 tokens, and attention over them through a block table.
//
// One logical block holds 64 tokens of every layer and KV head of a layer class; its bytes lie in
// one arena at an address found by arithmetic. Partial results are formed per absolute 64-token
// block and merged from left to right, so that a row's result does not depend on how the prompt
// was cut, on the other rows or on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/compute_pool.h"
#include "kernels/attention/plan.h"

namespace ergo::kernels {

inline constexpr std::size_t kBlockTokens = 64;

/// How keys and values are held. In what has scales, each token and KV head has one for its key and
/// one for its value.
enum class KvType {
  kF32,  ///< the reference
  kF16,
  kBf16,
  kInt12,  ///< keys in 12 bits or a little more, held as int16, values in int8
  kInt8,
  kInt4,
};
/// All types, the most exact first.
std::span<const KvType> KvTypes();
std::string_view Name(KvType type);

/// Geometry of one layer class; plain data.
struct KvLayout {
  KvType type = KvType::kF32;
  std::size_t layers = 0;
  std::size_t kv_heads = 0;
  std::size_t head_dim = 0;  ///< a multiple of 4, at most kMaxHeadDim

  /// Bytes of the keys and values of one block, layer and KV head (keys, then values, then what
  /// the type adds); a multiple of 64.
  std::size_t TileBytes() const;
  /// Bytes of one block: all layers and heads.
  std::size_t BlockBytes() const { return layers * kv_heads * TileBytes(); }
};

/// One layer's view of the arena, which is aligned to 64 bytes.
struct KvLayer {
  const KvLayout* layout;
  std::byte* arena;
  std::size_t layer;

  std::byte* Tile(std::int32_t block, std::size_t kv_head) const {
    return arena + static_cast<std::size_t>(block) * layout->BlockBytes() +
           (layer * layout->kv_heads + kv_head) * layout->TileBytes();
  }
};

struct AttentionParams {
  std::size_t heads = 0;         ///< query heads; a multiple of kv_heads
  float scale = 1.0f;            ///< of q·k
  float soft_cap = 0.0f;         ///< 0: none; else cap · tanh(score / cap)
  std::size_t window = 0;        ///< 0: all; else a token sees itself and the window - 1 before it
  const float* sinks = nullptr;  ///< one logit per head that takes part in the softmax only
};

/// Stores the key and the value [kv_heads · head_dim] (after RoPE) of one position. Any thread;
/// positions of one sequence by one thread or in any order.
void StoreKv(const KvLayer& kv, const std::int32_t* blocks, std::size_t position, const float* key,
             const float* value);

/// Arrays [rows, heads · head_dim] of a step.
struct AttentionArrays {
  const float* q;
  float* out;
  std::size_t stride;  ///< floats from row to row in both
};
/// Causal attention of the rows of a plan, which was made for params.heads and params.window. Every
/// thread of the run calls it; a phase of its own, after a Barrier that completes the stores.
void Attend(Worker& worker, const KvLayer& kv, const AttentionParams& params,
            const AttentionPlan& plan, const AttentionArrays& arrays);

}  // namespace ergo::kernels
