// Int8 attention in plain C++.
#include "kernels/attention/int8_path.h"
#include "kernels/simd/i8_portable.h"

namespace ergo::kernels {
namespace portable {
namespace {

inline constexpr int kMaxTogether = 4;  ///< query vectors
inline constexpr int kKeyParts = 2;     ///< vectors of tokens, or of dimensions

I32 DotPairs(I32 sum, Bytes query, Bytes key) {
  const auto low = [](Bytes x) { return reinterpret_cast<IntVector>(x.v << 16) >> 16; };
  const auto high = [](Bytes x) { return reinterpret_cast<IntVector>(x.v) >> 16; };
  return {sum.v + low(query) * low(key) + high(query) * high(key)};
}

I32 DotUnsigned(I32 sum, Bytes share, Bytes value) { return Dot<8>(sum, share, value); }

// clang-format off
#include "kernels/simd/math.inc.h"
#include "kernels/attention/attention_int8.inc.h"
// clang-format on

}  // namespace
}  // namespace portable

const Int8Attention kInt8AttentionPortable = {&portable::StoreToken, &portable::AttendTask};

}  // namespace ergo::kernels
