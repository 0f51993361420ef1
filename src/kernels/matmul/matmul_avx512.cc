// The products with AVX-512 and VNNI. Compiled for them: see CMakeLists.txt.
#include "kernels/matmul/impl.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/quant/formats.h"
#include "kernels/simd/i8_avx512.h"
#include "kernels/simd/unroll.h"

namespace ergo::kernels {
namespace avx512 {

inline constexpr CpuPath kPath = CpuPath::kAvx512;
inline constexpr int kParts = 2;  ///< vectors of outputs that are worked on together
inline constexpr int kMaxTile = 6;
inline constexpr bool kBiased = true;

/// The activations are unsigned (q + 128); Piece::start takes the 128 back. In assembly, because
/// g++ 12 otherwise copies accumulators between registers, and copies take the ports of the dot
/// products: half of the speed.
inline I32 DotActivations(I32 sum, Bytes values, Bytes weights) {
  __asm__ volatile("vpdpbusd %2, %1, %0" : "+v"(sum.v) : "v"(values.v), "v"(weights.v));
  return sum;
}

/// A load of its own for each accumulator, for the same reason.
inline I32 LoadStart(const std::int32_t* start) {
  I32 value;
  __asm__ volatile("vmovdqa64 %1, %0"
                   : "=v"(value.v)
                   : "m"(*reinterpret_cast<const __m512i*>(start)));
  return value;
}

#include "kernels/matmul/panel.inc.h"

}  // namespace avx512

const PathKernels& Avx512Kernels() { return avx512::kTable; }

}  // namespace ergo::kernels

#else

namespace ergo::kernels {

const PathKernels& Avx512Kernels() { return PortableKernels(); }

}  // namespace ergo::kernels

#endif
