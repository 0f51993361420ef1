// The AMX path with AVX-512 vectors over emulated tiles; called where the host can run AVX-512.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "base/float_bits.h"
#include "kernels/matmul/emulated_paths_test.h"
#include "tensor/dtype.h"

#if defined(__x86_64__)

#include <immintrin.h>

// The order matters: what is included after begin_avx512.h is compiled for it.
// clang-format off
#include "kernels/simd/begin_avx512.h"
#include "kernels/simd/unroll.h"
#include "kernels/simd/i8_avx512.h"
#include "kernels/quant/formats.h"

namespace ergo::kernels {
namespace amx_avx512 {

using namespace avx512;

inline constexpr CpuPath kPath = CpuPath::kAmx;
inline constexpr int kParts = 2;
inline constexpr int kMaxTile = 6;  ///< of the base
inline constexpr std::size_t kStreamRows = kLeastUnitRows - 1;
inline const PathKernels& BaseKernels() { return Avx512Kernels(); }

#include "kernels/matmul/amx_panel.inc.h"

}  // namespace amx_avx512

const PathKernels& EmulatedAmxAvx512() { return amx_avx512::kUnitTable<EmulatedUnit>; }

}  // namespace ergo::kernels

#include "kernels/simd/end.h"
// clang-format on

#else

namespace ergo::kernels {

const PathKernels& EmulatedAmxAvx512() { return EmulatedAmxPortable(); }

}  // namespace ergo::kernels

#endif
