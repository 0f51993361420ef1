// The products in plain C++.
#include "kernels/matmul/impl.h"
#include "kernels/quant/formats.h"
#include "kernels/simd/i8_portable.h"
#include "kernels/simd/unroll.h"

namespace ergo::kernels {
namespace portable {

inline constexpr CpuPath kPath = CpuPath::kPortable;
inline constexpr int kParts = 1;  ///< vectors of outputs that are worked on together
inline constexpr int kMaxTile = 2;
inline constexpr bool kBiased = false;

inline I32 DotActivations(I32 sum, Bytes values, Bytes weights) {
  for (std::size_t i = 0; i < Bytes::kLanes; ++i) {
    for (int shift = 0; shift < 32; shift += 8) {
      sum.v[i] += static_cast<std::int8_t>(values.v[i] >> shift & 0xFF) *
                  static_cast<std::int8_t>(weights.v[i] >> shift & 0xFF);
    }
  }
  return sum;
}

#include "kernels/matmul/panel.inc.h"

}  // namespace portable

const PathKernels& PortableKernels() { return portable::kTable; }

}  // namespace ergo::kernels
