// Int8 attention in plain C++.
#include "kernels/attention/int8_path.h"
#include "kernels/simd/i8_portable.h"

namespace ergo::kernels {
namespace portable {
namespace {

inline constexpr int kMaxTogether = 4;  ///< query vectors
inline constexpr int kKeyParts = 2;     ///< vectors of tokens, or of dimensions
inline constexpr bool kBiased = false;

I32 LoadStart(const std::int32_t* /*start*/) { return I32::Zero(); }

I32 DotQuery(I32 sum, Bytes query, Bytes key) {
  return {sum.v + SignedByte<0>(query) * SignedByte<0>(key) +
          SignedByte<1>(query) * SignedByte<1>(key) + SignedByte<2>(query) * SignedByte<2>(key) +
          SignedByte<3>(query) * SignedByte<3>(key)};
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
