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
inline constexpr bool kBiased = false;

I32 LoadStart(const std::int32_t* /*start*/) { return I32::Zero(); }

/// The sign of the query moves to the key: vpmaddubsw wants one factor unsigned.
I32 DotQuery(I32 sum, Bytes query, Bytes key) {
  const __m256i pairs =
      _mm256_maddubs_epi16(_mm256_abs_epi8(query.v), _mm256_sign_epi8(key.v, query.v));
  return {_mm256_add_epi32(sum.v, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))};
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
