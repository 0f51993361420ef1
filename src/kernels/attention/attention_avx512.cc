// Attention with AVX-512 and VNNI. Compiled for them: see CMakeLists.txt.
#include "kernels/attention/paths.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/simd/i8_avx512.h"
#include "kernels/simd/unroll.h"

namespace ergo::kernels {
namespace avx512 {
namespace {

inline constexpr int kMaxTogether = 6;  ///< query vectors
inline constexpr int kParts = 4;        ///< vectors of tokens, or of dimensions

/// In assembly, because g++ 12 otherwise copies accumulators between registers.
I32 DotUnsigned(I32 sum, Bytes share, Bytes value) {
  __asm__ volatile("vpdpbusd %2, %1, %0" : "+v"(sum.v) : "v"(share.v), "v"(value.v));
  return sum;
}

I32 DotPairs(I32 sum, Bytes query, Bytes key) {
  __asm__ volatile("vpdpwssd %2, %1, %0" : "+v"(sum.v) : "v"(query.v), "v"(key.v));
  return sum;
}

// clang-format off
#include "kernels/simd/math.inc.h"
#include "kernels/attention/kv_numbers.inc.h"
#include "kernels/attention/attention.inc.h"
#include "kernels/attention/kv_int12.inc.h"
// clang-format on

}  // namespace
}  // namespace avx512

const KvFormats kKvAvx512 = {{&avx512::Int12::Store, &avx512::AttendTask<avx512::Int12>}};

}  // namespace ergo::kernels

#else

namespace ergo::kernels {

const KvFormats kKvAvx512 = kKvPortable;

}  // namespace ergo::kernels

#endif
