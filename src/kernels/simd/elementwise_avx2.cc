#include "kernels/simd/elementwise.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/softmax/softmax.h"

// clang-format off: the order of these matters
#include "kernels/simd/begin_avx2.h"
#include "kernels/simd/f32_avx2.h"

namespace ergo::kernels::avx2 {
#include "kernels/simd/elementwise.inc.h"
}  // namespace ergo::kernels::avx2

#include "kernels/simd/end.h"
// clang-format on

namespace ergo::kernels {

const ElementwiseKernels kElementwiseAvx2 = avx2::kElementwise;

}  // namespace ergo::kernels

#endif
