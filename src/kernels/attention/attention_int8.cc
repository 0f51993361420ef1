#include "kernels/attention/attention_int8.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/cpu.h"
#include "kernels/attention/int8_path.h"

namespace ergo::kernels {
namespace {

const Int8Attention& ActiveAttention() {
  static const Int8Attention& kernels = []() -> const Int8Attention& {
    switch (ChooseCpuPath().value_or(CpuPath::kPortable)) {
      case CpuPath::kAmx:
      case CpuPath::kAvx512:
        return kInt8AttentionAvx512;
      case CpuPath::kAvx2:
        return kInt8AttentionAvx2;
      case CpuPath::kPortable:
        break;
    }
    return kInt8AttentionPortable;
  }();
  return kernels;
}

/// Query vectors (heads of a group, row after row) of one claim. A single row is split so that all
/// threads have work; the parts read the same keys and values, but from a cache.
std::size_t VectorsEach(std::size_t rows, std::size_t group) {
  if (rows == 1) return std::min<std::size_t>((group + 1) / 2, kMaxVectors);
  return kMaxVectors;
}

}  // namespace

std::size_t TileBytesInt8(std::size_t head_dim) {
  return kBlockTokens * (3 * head_dim + 3 * sizeof(float));
}

void StoreKvInt8(const KvLayer& kv, const std::int32_t* blocks, std::size_t position,
                 const float* key, const float* value) {
  const std::size_t head_dim = kv.layout->head_dim;
  for (std::size_t head = 0; head < kv.layout->kv_heads; ++head) {
    ActiveAttention().store(key + head * head_dim, value + head * head_dim, head_dim,
                            position % kBlockTokens,
                            kv.Tile(blocks[position / kBlockTokens], head));
  }
}

void AttendInt8(Worker& worker, const KvLayer& kv, const AttentionParams& params,
                std::span<const SequenceRows> sequences, const AttentionArrays& arrays) {
  const std::size_t head_dim = kv.layout->head_dim;
  const std::size_t kv_heads = kv.layout->kv_heads;
  const std::size_t group = params.heads / kv_heads;
  QueryVector vectors[kMaxVectors];
  std::size_t claim = worker.Claim();
  std::size_t first_claim = 0;  // of the present sequence
  for (const SequenceRows& sequence : sequences) {
    const std::size_t each = VectorsEach(sequence.rows, group);
    const std::size_t parts = (sequence.rows * group + each - 1) / each;
    for (; claim < first_claim + parts * kv_heads; claim = worker.Claim()) {
      // The last rows, which see most, first: the threads then end close together.
      const std::size_t part = parts - 1 - (claim - first_claim) / kv_heads;
      const std::size_t kv_head = (claim - first_claim) % kv_heads;
      const std::size_t begin = part * each;
      const std::size_t end = std::min(begin + each, sequence.rows * group);
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t row = i / group;
        const std::size_t head = kv_head * group + i % group;
        const std::size_t offset = (sequence.first_row + row) * arrays.stride + head * head_dim;
        vectors[i - begin] = {
            arrays.q + offset, arrays.out + offset, sequence.first_position + row,
            params.sinks != nullptr ? params.sinks[head] : -std::numeric_limits<float>::infinity()};
      }
      ActiveAttention().attend({kv.Tile(0, kv_head), kv.layout->BlockBytes(), sequence.blocks,
                                head_dim, params.scale, params.soft_cap, params.window, vectors,
                                static_cast<int>(end - begin)});
    }
    first_claim += parts * kv_heads;
  }
}

}  // namespace ergo::kernels
