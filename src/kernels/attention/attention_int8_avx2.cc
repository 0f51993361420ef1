// Int8 attention with AVX2. Compiled for it: see CMakeLists.txt.
#include "kernels/attention/int8_path.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/simd/i8_avx2.h"

namespace ergo::kernels {
namespace avx2 {
namespace {

inline constexpr int kMaxTogether = 4;  ///< query vectors
inline constexpr int kKeyParts = 2;     ///< vectors of tokens, or of dimensions

I32 DotPairs(I32 sum, Bytes query, Bytes key) {
  return {_mm256_add_epi32(sum.v, _mm256_madd_epi16(query.v, key.v))};
}

I32 DotUnsigned(I32 sum, Bytes share, Bytes value) { return Dot<8>(sum, share, value); }

// clang-format off
#include "kernels/simd/math.inc.h"
#include "kernels/attention/attention_int8.inc.h"
// clang-format on

}  // namespace
}  // namespace avx2

const Int8Attention kInt8AttentionAvx2 = {&avx2::StoreToken, &avx2::AttendTask};

}  // namespace ergo::kernels

#else

namespace ergo::kernels {

const Int8Attention kInt8AttentionAvx2 = kInt8AttentionPortable;

}  // namespace ergo::kernels

#endif
