// The AMX path with portable vectors over emulated tiles. The portable path takes activations with
// their sign, and the unit wants them biased: what the unit reads is changed here.
#include "kernels/matmul/emulated_paths_test.h"
#include "kernels/quant/formats.h"
#include "kernels/simd/i8_portable.h"
#include "kernels/simd/unroll.h"

namespace ergo::kernels {
namespace amx_portable {

using namespace portable;

inline constexpr CpuPath kPath = CpuPath::kAmx;
inline constexpr int kParts = 1;
inline constexpr int kMaxTile = 4;  ///< of the base
inline constexpr std::size_t kStreamRows = 0;

/// The portable kernel's, and the −128 · Σw of biased activations.
template <typename Format>
void UnpackWithStart(const PanelJob& job, const PieceRange& range) {
  PortableKernels().find_piece(Format::kDType).unpack(job, range);
  constexpr int kGroups = 32 / Format::kGroup;
  auto* block =
      reinterpret_cast<UnpackedBlock<kGroups, Format::kHasMinimum>*>(job.scratch->piece.bytes);
  for (std::size_t b = 0; b < range.count; ++b, ++block) {
    for (int step = 0; step < 8; ++step) {
      for (int output = 0; output < 32; ++output) {
        std::int32_t& start = block->start[step * kGroups / 8][output];
        if (step * kGroups % 8 == 0) start = 0;
        for (const std::uint8_t weight : block->weights[step][output]) {
          start -= 128 * static_cast<std::int8_t>(weight);
        }
      }
    }
  }
}

PieceKernels FindPiece(DType dtype) {
  PieceKernels found = PortableKernels().find_piece(dtype);
  VisitFormat(dtype, [&]<typename Format>(Format) { found.unpack = &UnpackWithStart<Format>; });
  return found;
}

const PathKernels& BaseKernels() {
  static const PathKernels kernels = [] {
    PathKernels out = PortableKernels();
    out.find_piece = &FindPiece;
    return out;
  }();
  return kernels;
}

#include "kernels/matmul/amx_panel.inc.h"

void QuantizeBiased(const float* x, std::size_t n, const RowTarget& target) {
  QuantizeUnitRow(x, n, target);
  if (target.rows != kUnitRows) return;
  for (std::size_t block = 0; block < (n + 31) / 32; ++block) {
    std::uint8_t* q = target.tile + block * kActBlockBytes * kUnitRows + 32 * target.row;
    for (int i = 0; i < 32; ++i) q[i] ^= 0x80;
  }
}

}  // namespace amx_portable

const PathKernels& EmulatedAmxPortable() {
  static const PathKernels kernels = [] {
    PathKernels out = amx_portable::kUnitTable<EmulatedUnit>;
    out.quantize_row = &amx_portable::QuantizeBiased;
    return out;
  }();
  return kernels;
}

}  // namespace ergo::kernels
