// The products with AVX-512 and VNNI. Compiled for them: see CMakeLists.txt.
#include "kernels/matmul/impl.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/matmul/dot_avx512.h"
#include "kernels/quant/formats.h"
#include "kernels/simd/i8_avx512.h"
#include "kernels/simd/unroll.h"

namespace ergo::kernels {
namespace avx512 {

inline constexpr CpuPath kPath = CpuPath::kAvx512;
inline constexpr int kParts = 2;  ///< vectors of outputs that are worked on together
inline constexpr int kMaxTile = 6;
inline constexpr bool kBiased = true;

#include "kernels/matmul/panel.inc.h"

}  // namespace avx512

const PathKernels& Avx512Kernels() { return avx512::kTable; }

}  // namespace ergo::kernels

#else

namespace ergo::kernels {

const PathKernels& Avx512Kernels() { return PortableKernels(); }

}  // namespace ergo::kernels

#endif
