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

/// Two bytes of every lane as two int16.
Bytes WidenToPairs(const std::uint8_t* p) {
  return {_mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}

void StoreF16(F32 x, std::uint16_t* p) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                   _mm256_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

/// Rounded to nearest even.
void StoreBf16(F32 x, std::uint16_t* p) {
  const __m256i bits = _mm256_castps_si256(x.v);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_srli_epi32(
      _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF))), 16);
  const __m256i packed = _mm256_packus_epi32(rounded, rounded);  // by halves
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                   _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08)));
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
}  // namespace avx2

const KvFormats kKvAvx2 = avx2::kFormats;

}  // namespace ergo::kernels

#else

namespace ergo::kernels {

const KvFormats kKvAvx2 = kKvPortable;

}  // namespace ergo::kernels

#endif
