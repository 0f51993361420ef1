#include "kernels/matmul/matmul.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "kernels/matmul/impl.h"

namespace ergo::kernels {

void FreeDeleter::operator()(void* p) const { std::free(p); }

AlignedBytes AllocateAligned(std::size_t bytes) {
  constexpr std::size_t kHuge = std::size_t{2} << 20;
  const std::size_t alignment = bytes >= 2 * kHuge ? kHuge : 64;
  bytes = std::max<std::size_t>((bytes + alignment - 1) / alignment * alignment, alignment);
  auto* data = static_cast<std::uint8_t*>(std::aligned_alloc(alignment, bytes));
  if (data != nullptr && alignment == kHuge) ::madvise(data, bytes, MADV_HUGEPAGE);
  return AlignedBytes(data);
}

const PathKernels& ActiveKernels() {
  static const PathKernels& kernels = []() -> const PathKernels& {
    switch (ChooseCpuPath().value_or(CpuPath::kPortable)) {
      case CpuPath::kAmx:
        return AmxKernels();
      case CpuPath::kAvx512:
        return Avx512Kernels();
      case CpuPath::kAvx2:
        return HostCpu().avx_vnni ? AvxVnniKernels() : Avx2Kernels();
      case CpuPath::kPortable:
        break;
    }
    return PortableKernels();
  }();
  return kernels;
}

namespace {

/// Panels that a thread claims at a time when there are many rows: enough to use a piece of the
/// activations several times while it is in the second-level cache.
constexpr std::size_t kPromptPanels = 4;
constexpr std::size_t kManyRows = 16;

/// Panels of one claim: at least four claims a thread, so that the threads end close together;
/// with few rows about 32 KB of weights, a stream long enough for the prefetcher.
std::size_t PanelsEach(const PackedMatrix::Impl& weights, std::size_t rows, int threads) {
  const std::size_t even =
      std::max<std::size_t>(1, weights.panels / static_cast<std::size_t>(4 * threads));
  if (rows >= kManyRows) return std::min(even, kPromptPanels);
  constexpr std::size_t kStream = std::size_t{32} << 10;
  return std::clamp<std::size_t>(kStream / weights.panel_bytes, 1, even);
}

void RunPanels(const Product& product, const Activations::Impl& in, std::size_t first,
               std::size_t end) {
  static thread_local std::unique_ptr<Piece> piece = std::make_unique<Piece>();
  const PackedMatrix::Impl& weights = product.weights->impl();
  PanelJob job;
  job.panels = weights.data.get() + first * weights.panel_bytes;
  job.panel_bytes = weights.panel_bytes;
  job.panel_count = static_cast<int>(end - first);
  job.outputs =
      static_cast<int>(std::min(end * kPanelOutputs, weights.outputs) - first * kPanelOutputs);
  job.inputs = in.inputs;
  job.blocks = in.blocks;
  job.activations = in.int8.get();
  job.tiles = in.tiles.data();
  job.tile_count = in.tiles.size();
  job.rows = in.rows;
  job.floats = reinterpret_cast<const float*>(in.f32.get());
  job.float_stride = in.f32_stride;
  job.out = product.out + first * kPanelOutputs;
  job.out_stride = product.out_stride;
  job.piece = piece.get();
  weights.kernel(job);
}

}  // namespace

void MatMul(Worker& worker, const Activations& in, std::span<const Product> products) {
  const Activations::Impl& rows = in.impl();
  std::size_t claimed = worker.Claim();
  std::size_t base = 0;
  for (const Product& product : products) {
    const PackedMatrix::Impl& weights = product.weights->impl();
    const std::size_t each = PanelsEach(weights, rows.rows, worker.count());
    const std::size_t pieces = (weights.panels + each - 1) / each;
    for (; claimed < base + pieces; claimed = worker.Claim()) {
      const std::size_t first = (claimed - base) * each;
      RunPanels(product, rows, first, std::min(weights.panels, first + each));
    }
    base += pieces;
  }
}

}  // namespace ergo::kernels
