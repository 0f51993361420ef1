// Int8 attention with AVX-512 and VNNI. Compiled for them: see CMakeLists.txt.
#include "kernels/attention/int8_path.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/simd/i8_avx512.h"

namespace ergo::kernels {
namespace avx512 {
namespace {

inline constexpr int kMaxTogether = 6;  ///< query vectors
inline constexpr int kKeyParts = 4;     ///< vectors of tokens, or of dimensions

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
#include "kernels/attention/attention_int8.inc.h"
// clang-format on

}  // namespace
}  // namespace avx512

const Int8Attention kInt8AttentionAvx512 = {&avx512::StoreToken, &avx512::AttendTask};

}  // namespace ergo::kernels

#else

namespace ergo::kernels {

const Int8Attention kInt8AttentionAvx512 = kInt8AttentionPortable;

}  // namespace ergo::kernels

#endif
