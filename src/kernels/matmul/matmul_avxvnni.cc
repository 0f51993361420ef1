// The products with AVX2 and AVX-VNNI. Compiled for them: see CMakeLists.txt.
#include "kernels/matmul/impl.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/quant/formats.h"
#include "kernels/simd/i8_avx2.h"
#include "kernels/simd/unroll.h"

namespace ergo::kernels {
namespace avxvnni {

using namespace avx2;

inline constexpr CpuPath kPath = CpuPath::kAvx2;
inline constexpr int kParts = 1;  ///< vectors of outputs that are worked on together
inline constexpr int kMaxTile = 6;
inline constexpr bool kBiased = true;

/// The activations are unsigned (q + 128); Piece::start takes the 128 back. In assembly for the
/// reason given in dot_avx512.h.
inline I32 DotActivations(I32 sum, Bytes values, Bytes weights) {
  __asm__ volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum.v) : "x"(values.v), "x"(weights.v));
  return sum;
}

inline I32 LoadStart(const std::int32_t* start) { return I32::Load(start); }

#include "kernels/matmul/panel.inc.h"

}  // namespace avxvnni

const PathKernels& AvxVnniKernels() { return avxvnni::kTable; }

}  // namespace ergo::kernels

#else

namespace ergo::kernels {

const PathKernels& AvxVnniKernels() { return PortableKernels(); }

}  // namespace ergo::kernels

#endif
