#include "kernels/attention/attention.h"

#include <limits>

#include "base/cpu.h"
#include "kernels/attention/paths.h"

namespace ergo::kernels {
namespace {

const KvFormats& ActiveFormats() {
  static const KvFormats& formats = []() -> const KvFormats& {
    switch (ChooseCpuPath().value_or(CpuPath::kPortable)) {
      case CpuPath::kAmx:
      case CpuPath::kAvx512:
        return kKvAvx512;
      case CpuPath::kAvx2:
        return kKvAvx2;
      case CpuPath::kPortable:
        break;
    }
    return kKvPortable;
  }();
  return formats;
}

const KvFormat& FormatOf(KvType type) {
  switch (type) {
    case KvType::kF16:
      return ActiveFormats().f16;
    case KvType::kBf16:
      return ActiveFormats().bf16;
    case KvType::kInt12:
      return ActiveFormats().int12;
    case KvType::kInt8:
      return ActiveFormats().int8;
    case KvType::kInt4:
      return ActiveFormats().int4;
    case KvType::kF32:
      break;
  }
  return kKvF32;
}

/// Of the tokens of a tile: the keys' scale, and the logarithm and the inverse of the values'.
constexpr std::size_t kScaleBytes = 3 * kBlockTokens * sizeof(float);

}  // namespace

std::span<const KvType> KvTypes() {
  static constexpr KvType kAll[] = {KvType::kF32,   KvType::kF16,  KvType::kBf16,
                                    KvType::kInt12, KvType::kInt8, KvType::kInt4};
  return kAll;
}

std::string_view Name(KvType type) {
  switch (type) {
    case KvType::kF16:
      return "f16";
    case KvType::kBf16:
      return "bf16";
    case KvType::kInt12:
      return "int12";
    case KvType::kInt8:
      return "int8";
    case KvType::kInt4:
      return "int4";
    case KvType::kF32:
      break;
  }
  return "f32";
}

std::size_t KvLayout::TileBytes() const {
  const std::size_t numbers = kBlockTokens * head_dim;  // of the keys, and of the values
  switch (type) {
    case KvType::kF16:
    case KvType::kBf16:
      return 4 * numbers;
    case KvType::kInt12:
      return 3 * numbers + kScaleBytes;
    case KvType::kInt8:
      return 2 * numbers + kScaleBytes;
    case KvType::kInt4:
      return kBlockTokens * ((head_dim + 7) / 8 * 4 + (head_dim + 31) / 32 * 16) + kScaleBytes;
    case KvType::kF32:
      break;
  }
  return 8 * numbers;
}

void StoreKv(const KvLayer& kv, const std::int32_t* blocks, std::size_t position, const float* key,
             const float* value) {
  const KvFormat& format = FormatOf(kv.layout->type);
  const std::size_t head_dim = kv.layout->head_dim;
  for (std::size_t head = 0; head < kv.layout->kv_heads; ++head) {
    format.store(key + head * head_dim, value + head * head_dim, head_dim, position % kBlockTokens,
                 kv.Tile(blocks[position / kBlockTokens], head));
  }
}

void Attend(Worker& worker, const KvLayer& kv, const AttentionParams& params,
            const AttentionPlan& plan, const AttentionArrays& arrays) {
  const KvFormat& format = FormatOf(kv.layout->type);
  const std::size_t head_dim = kv.layout->head_dim;
  const std::size_t kv_heads = kv.layout->kv_heads;
  const std::size_t group = params.heads / kv_heads;
  QueryVector vectors[kMostVectors];
  for (std::size_t claim = worker.Claim(); claim < plan.parts().size() * kv_heads;
       claim = worker.Claim()) {
    const AttentionPlan::Part& part = plan.parts()[claim / kv_heads];
    const std::size_t kv_head = claim % kv_heads;
    for (std::size_t v = part.begin; v < part.end; ++v) {
      const AttentionPlan::Row& row = plan.rows()[v / group];
      const std::size_t head = kv_head * group + v % group;
      const std::size_t offset = row.row * arrays.stride + head * head_dim;
      vectors[v - part.begin] = {
          arrays.q + offset, arrays.out + offset, row.position,
          params.sinks != nullptr ? params.sinks[head] : -std::numeric_limits<float>::infinity(),
          row.blocks};
    }
    format.attend({kv.Tile(0, kv_head), kv.layout->BlockBytes(), head_dim, params.scale,
                   params.soft_cap, params.window, vectors,
                   static_cast<int>(part.end - part.begin)});
  }
}

}  // namespace ergo::kernels
