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

/// Two bytes of every lane as two int16.
Bytes WidenToPairs(const std::uint8_t* p) {
  return {_mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}

void StoreF16(F32 x, std::uint16_t* p) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm512_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

/// Rounded to nearest even.
void StoreBf16(F32 x, std::uint16_t* p) {
  const __m512i bits = _mm512_castps_si512(x.v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
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
}  // namespace avx512

const KvFormats kKvAvx512 = avx512::kFormats;

}  // namespace ergo::kernels

#else

namespace ergo::kernels {

const KvFormats kKvAvx512 = kKvPortable;

}  // namespace ergo::kernels

#endif
