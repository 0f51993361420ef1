// Attention in plain C++.
#include "kernels/attention/paths.h"
#include "kernels/simd/i8_portable.h"
#include "kernels/simd/unroll.h"

namespace ergo::kernels {
namespace portable {
namespace {

inline constexpr int kMaxTogether = 4;  ///< query vectors
inline constexpr int kParts = 2;        ///< vectors of tokens, or of dimensions

I32 DotPairs(I32 sum, Bytes query, Bytes key) {
  const auto low = [](Bytes x) { return reinterpret_cast<IntVector>(x.v << 16) >> 16; };
  const auto high = [](Bytes x) { return reinterpret_cast<IntVector>(x.v) >> 16; };
  return {sum.v + low(query) * low(key) + high(query) * high(key)};
}

I32 DotUnsigned(I32 sum, Bytes share, Bytes value) { return Dot<8>(sum, share, value); }

/// Two bytes of every lane as two int16.
Bytes WidenToPairs(const std::uint8_t* p) {
  std::int16_t pairs[2 * Bytes::kLanes];
  for (std::size_t i = 0; i < 2 * Bytes::kLanes; ++i) pairs[i] = static_cast<std::int8_t>(p[i]);
  return Bytes::Load(reinterpret_cast<const std::uint8_t*>(pairs));
}

void StoreF16(F32 x, std::uint16_t* p) {
  for (std::size_t i = 0; i < F32::kLanes; ++i) p[i] = F32ToF16(x.v[i]);
}

void StoreBf16(F32 x, std::uint16_t* p) {
  for (std::size_t i = 0; i < F32::kLanes; ++i) p[i] = F32ToBf16(x.v[i]);
}

// clang-format off
#include "kernels/simd/math.inc.h"
#include "kernels/attention/kv_numbers.inc.h"
#include "kernels/attention/attention.inc.h"
#include "kernels/attention/kv_half.inc.h"
#include "kernels/attention/kv_scaled.inc.h"
#include "kernels/attention/kv_int12.inc.h"
#include "kernels/attention/kv_int8.inc.h"
#include "kernels/attention/kv_int4.inc.h"
// clang-format on

template <typename Format>
constexpr KvFormat Of() {
  return {&Format::Store, &AttendTask<Format>};
}

const KvFormats kFormats = {Of<Half<F16>>(), Of<Half<Bf16>>(), Of<Int12>(), Of<Int8>(), Of<Int4>()};

}  // namespace
}  // namespace portable

const KvFormats kKvPortable = portable::kFormats;

}  // namespace ergo::kernels
