#include "kernels/attention/attention.h"

#include "kernels/attention/attention_f32.h"

namespace ergo::kernels {

std::size_t KvLayout::TileBytes() const { return TileBytesF32(head_dim); }

void StoreKv(const KvLayer& kv, const std::int32_t* blocks, std::size_t position, const float* key,
             const float* value) {
  StoreKvF32(kv, blocks, position, key, value);
}

void Attend(Worker& worker, const KvLayer& kv, const AttentionParams& params,
            std::span<const SequenceRows> sequences, const AttentionArrays& arrays) {
  AttendF32(worker, kv, params, sequences, arrays);
}

}  // namespace ergo::kernels
