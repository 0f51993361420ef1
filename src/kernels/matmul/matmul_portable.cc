// The products in plain C++.
#include "kernels/matmul/impl.h"
#include "kernels/quant/formats.h"
#include "kernels/simd/i8_portable.h"
#include "kernels/simd/unroll.h"

namespace ergo::kernels {
namespace portable {

inline constexpr CpuPath kPath = CpuPath::kPortable;
inline constexpr int kParts = 1;  ///< vectors of outputs that are worked on together
inline constexpr int kMaxTile = 4;
inline constexpr bool kBiased = false;

inline I32 DotActivations(I32 sum, Bytes values, Bytes weights) {
  return {sum.v + SignedByte<0>(values) * SignedByte<0>(weights) +
          SignedByte<1>(values) * SignedByte<1>(weights) +
          SignedByte<2>(values) * SignedByte<2>(weights) +
          SignedByte<3>(values) * SignedByte<3>(weights)};
}

inline I32 LoadStart(const std::int32_t* /*start*/) { return I32::Zero(); }

#include "kernels/matmul/panel.inc.h"

}  // namespace portable

const PathKernels& PortableKernels() { return portable::kTable; }

}  // namespace ergo::kernels
