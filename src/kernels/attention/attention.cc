#include "kernels/attention/attention.h"

#include "kernels/attention/attention_f32.h"
#include "kernels/attention/attention_int8.h"

namespace ergo::kernels {

std::size_t KvLayout::TileBytes() const {
  return type == KvType::kInt8 ? TileBytesInt8(head_dim) : TileBytesF32(head_dim);
}

void StoreKv(const KvLayer& kv, const std::int32_t* blocks, std::size_t position, const float* key,
             const float* value) {
  if (kv.layout->type == KvType::kInt8) return StoreKvInt8(kv, blocks, position, key, value);
  StoreKvF32(kv, blocks, position, key, value);
}

void Attend(Worker& worker, const KvLayer& kv, const AttentionParams& params,
            std::span<const SequenceRows> sequences, const AttentionArrays& arrays) {
  if (kv.layout->type == KvType::kInt8) return AttendInt8(worker, kv, params, sequences, arrays);
  AttendF32(worker, kv, params, sequences, arrays);
}

}  // namespace ergo::kernels
