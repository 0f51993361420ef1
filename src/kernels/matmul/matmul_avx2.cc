// The products with AVX2. Compiled for it: see CMakeLists.txt.
#include "kernels/matmul/impl.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/quant/formats.h"
#include "kernels/simd/i8_avx2.h"
#include "kernels/simd/unroll.h"

namespace ergo::kernels {
namespace avx2 {

inline constexpr CpuPath kPath = CpuPath::kAvx2;
inline constexpr int kParts = 1;  ///< vectors of outputs that are worked on together
inline constexpr int kMaxTile = 4;
inline constexpr bool kBiased = false;

/// vpmaddubsw wants one factor unsigned: the sign of the weight moves to the activation, whose
/// magnitude is at most 127, so that no pair saturates.
inline I32 DotActivations(I32 sum, Bytes values, Bytes weights) {
  const __m256i pairs =
      _mm256_maddubs_epi16(_mm256_abs_epi8(weights.v), _mm256_sign_epi8(values.v, weights.v));
  return {_mm256_add_epi32(sum.v, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))};
}

inline I32 LoadStart(const std::int32_t* /*start*/) { return I32::Zero(); }

#include "kernels/matmul/panel.inc.h"

}  // namespace avx2

const PathKernels& Avx2Kernels() { return avx2::kTable; }

}  // namespace ergo::kernels

#else

namespace ergo::kernels {

const PathKernels& Avx2Kernels() { return PortableKernels(); }

}  // namespace ergo::kernels

#endif
