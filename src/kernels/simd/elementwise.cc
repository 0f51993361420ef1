#include "kernels/simd/elementwise.h"

namespace ergo::kernels {

const ElementwiseKernels& ElementwiseFor(CpuPath path) {
#if defined(__x86_64__)
  switch (path) {
    case CpuPath::kPortable:
      break;
    case CpuPath::kAvx2:
      return kElementwiseAvx2;
    case CpuPath::kAvx512:
    case CpuPath::kAmx:
      return kElementwiseAvx512;
  }
#else
  static_cast<void>(path);
#endif
  return kElementwisePortable;
}

const ElementwiseKernels& Elementwise() {
  static const ElementwiseKernels& chosen =
      ElementwiseFor(ChooseCpuPath().value_or(CpuPath::kPortable));
  return chosen;
}

}  // namespace ergo::kernels
