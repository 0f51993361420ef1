// Attention with AVX2. Compiled for it: see CMakeLists.txt.
#include "kernels/attention/paths.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/simd/i8_avx2.h"
#include "kernels/simd/unroll.h"

namespace ergo::kernels {
namespace avx2 {
namespace {

inline constexpr int kMaxTogether = 4;  ///< query vectors
inline constexpr int kParts = 2;        ///< vectors of tokens, or of dimensions

I32 DotPairs(I32 sum, Bytes query, Bytes key) {
  return {_mm256_add_epi32(sum.v, _mm256_madd_epi16(query.v, key.v))};
}

I32 DotUnsigned(I32 sum, Bytes share, Bytes value) { return Dot<8>(sum, share, value); }

// clang-format off
#include "kernels/simd/math.inc.h"
#include "kernels/attention/kv_numbers.inc.h"
#include "kernels/attention/attention.inc.h"
#include "kernels/attention/kv_int12.inc.h"
// clang-format on

}  // namespace
}  // namespace avx2

const KvFormats kKvAvx2 = {{&avx2::Int12::Store, &avx2::AttendTask<avx2::Int12>}};

}  // namespace ergo::kernels

#else

namespace ergo::kernels {

const KvFormats kKvAvx2 = kKvPortable;

}  // namespace ergo::kernels

#endif
