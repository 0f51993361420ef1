// The products with AMX for many rows, and AVX-512 with VNNI for few. Compiled for them: see
// CMakeLists.txt.
#include "kernels/matmul/impl.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/matmul/amx_tile.h"
#include "kernels/quant/formats.h"
#include "kernels/simd/i8_avx512.h"
#include "kernels/simd/unroll.h"

namespace ergo::kernels {
namespace amx {

using namespace avx512;

inline constexpr CpuPath kPath = CpuPath::kAmx;
inline constexpr int kParts = 2;    ///< vectors of outputs that are worked on together
inline constexpr int kMaxTile = 6;  ///< of the base
inline constexpr std::size_t kStreamRows = kLeastUnitRows - 1;
inline const PathKernels& BaseKernels() { return Avx512Kernels(); }

#include "kernels/matmul/amx_panel.inc.h"

}  // namespace amx

const PathKernels& AmxKernels() { return amx::kUnitTable<AmxUnit>; }

}  // namespace ergo::kernels

#else

namespace ergo::kernels {

const PathKernels& AmxKernels() { return PortableKernels(); }

}  // namespace ergo::kernels

#endif
