// The AMX path with portable vectors over emulated tiles.
#include "kernels/matmul/emulated_paths_test.h"
#include "kernels/quant/formats.h"
#include "kernels/simd/i8_portable.h"
#include "kernels/simd/unroll.h"

namespace ergo::kernels {
namespace amx_portable {

using namespace portable;

inline constexpr CpuPath kPath = CpuPath::kAmx;
inline constexpr int kParts = 1;
inline constexpr int kMaxTile = 6;
inline constexpr bool kBiased = true;

inline I32 DotActivations(I32 sum, Bytes values, Bytes weights) {
  return Dot<8>(sum, values, weights);
}

inline I32 LoadStart(const std::int32_t* start) { return I32::Load(start); }

// clang-format off
#include "kernels/matmul/panel.inc.h"
#include "kernels/matmul/amx_panel.inc.h"
// clang-format on

}  // namespace amx_portable

const PathKernels& EmulatedAmxPortable() { return amx_portable::kUnitTable<EmulatedUnit>; }

}  // namespace ergo::kernels
