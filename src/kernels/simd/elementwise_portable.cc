#include "kernels/simd/elementwise.h"
#include "kernels/simd/f32_portable.h"
#include "kernels/softmax/softmax.h"

namespace ergo::kernels::portable {
#include "kernels/simd/elementwise.inc.h"
}  // namespace ergo::kernels::portable

namespace ergo::kernels {

const ElementwiseKernels kElementwisePortable = portable::kElementwise;

}  // namespace ergo::kernels
