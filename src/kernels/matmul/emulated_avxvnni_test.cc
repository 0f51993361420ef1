// The AVX-VNNI path with its dot product made of AVX2 instructions; called where the host can run
// AVX2.
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

// The order matters: what is included after begin_avx2.h is compiled for it.
// clang-format off
#include "kernels/simd/begin_avx2.h"
#include "kernels/simd/unroll.h"
#include "kernels/simd/i8_avx2.h"
#include "kernels/quant/formats.h"

namespace ergo::kernels {
namespace emulated_avxvnni {

using namespace avx2;

inline constexpr CpuPath kPath = CpuPath::kAvx2;
inline constexpr int kParts = 1;
inline constexpr int kMaxTile = 6;
inline constexpr bool kBiased = true;

inline I32 DotActivations(I32 sum, Bytes values, Bytes weights) {
  return Dot<8>(sum, values, weights);
}

inline I32 LoadStart(const std::int32_t* start) { return I32::Load(start); }

#include "kernels/matmul/panel.inc.h"

}  // namespace emulated_avxvnni

const PathKernels& EmulatedAvxVnni() { return emulated_avxvnni::kTable; }

}  // namespace ergo::kernels

#include "kernels/simd/end.h"
// clang-format on

#else

namespace ergo::kernels {

const PathKernels& EmulatedAvxVnni() { return PortableKernels(); }

}  // namespace ergo::kernels

#endif
