#include "kernels/matmul/matmul.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "kernels/activation/activation.h"
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

/// Panels [begin, end).
struct PanelRange {
  std::size_t begin;
  std::size_t end;
};

/// The panels of a claim when `panels` are shared out: half of an even share of what is left, so
/// that threads read long streams at first and end close together. Empty behind the last.
PanelRange GuidedShare(std::size_t claim, std::size_t panels, int threads) {
  std::size_t begin = 0;
  for (std::size_t i = 0; begin < panels; ++i) {
    const std::size_t size = (panels - begin) / (2 * static_cast<std::size_t>(threads)) + 1;
    const std::size_t end = std::min(panels, begin + size);
    if (i == claim) return {begin, end};
    begin = end;
  }
  return {panels, panels};
}

/// Calls body(panels) for each share that this thread gets.
template <typename Body>
void ForEachShare(Worker& worker, std::size_t panels, Body body) {
  for (;;) {
    const PanelRange share = GuidedShare(worker.Claim(), panels, worker.count());
    if (share.begin == share.end) return;
    body(share);
  }
}

Scratch& ThreadScratch() {
  static thread_local const std::unique_ptr<Scratch> kScratch(new Scratch);
  return *kScratch;
}

/// Tiles [begin, end), which pass over a piece together.
struct TileRange {
  std::size_t begin;
  std::size_t end;
};

TileRange NextPass(const Activations::Impl& in, std::size_t begin) {
  std::size_t end = begin;
  for (std::size_t rows = 0; end < in.tiles.size() && rows < kPassRows; ++end) {
    rows += static_cast<std::size_t>(in.tiles[end].rows);
  }
  return {begin, end};
}

/// Calls body(tiles) for each pass over the rows.
template <typename Body>
void ForEachPass(const Activations::Impl& in, Body body) {
  for (TileRange tiles = NextPass(in, 0); tiles.begin < in.tiles.size();
       tiles = NextPass(in, tiles.end)) {
    body(tiles);
  }
}

/// Rows [begin, end) of a pass.
struct RowRange {
  std::size_t begin;
  std::size_t end;
  std::size_t count() const { return end - begin; }
};

RowRange RowsOf(const Activations::Impl& in, const TileRange& tiles) {
  const Tile& last = in.tiles[tiles.end - 1];
  return {in.tiles[tiles.begin].first_row, last.first_row + static_cast<std::size_t>(last.rows)};
}

std::size_t OutputsOf(const PackedMatrix::Impl& weights, const PanelRange& panels) {
  return std::min(panels.end * kPanelOutputs, weights.outputs) - panels.begin * kPanelOutputs;
}

/// A job without rows.
PanelJob JobOf(const PackedMatrix::Impl& weights, const PanelRange& panels) {
  PanelJob job = {};
  job.panels = weights.data.get() + panels.begin * weights.panel_bytes;
  job.panel_bytes = weights.panel_bytes;
  job.panel_count = static_cast<int>(panels.end - panels.begin);
  job.outputs = static_cast<int>(OutputsOf(weights, panels));
  job.scratch = &ThreadScratch();
  return job;
}

/// The rows of some tiles against some panels; `out` is where the first row's first output goes.
void RunPanels(const PackedMatrix::Impl& weights, const Activations::Impl& in,
               const PanelRange& panels, const TileRange& tiles, float* out,
               std::size_t out_stride) {
  const RowRange rows = RowsOf(in, tiles);
  PanelJob job = JobOf(weights, panels);
  job.inputs = in.inputs;
  job.blocks = in.blocks;
  job.activations = in.int8.get();
  job.tiles = in.tiles.data() + tiles.begin;
  job.tile_count = tiles.end - tiles.begin;
  job.streams = in.rows <= ActiveKernels().stream_rows;
  job.first_row = rows.begin;
  job.rows = rows.count();
  job.floats = reinterpret_cast<const float*>(in.f32.get()) + rows.begin * in.f32_stride;
  job.float_stride = in.f32_stride;
  job.out = out;
  job.out_stride = out_stride;
  weights.kernel(job);
}

/// Panels that remainders pass over while they are in the second-level cache.
constexpr std::size_t kRemainderPanels = 8;

/// Adds one block of one row's remainder against some panels, at most kRemainderPanels, to `out`.
void AddRemainder(const PackedMatrix::Impl& weights, const RemainderBlock& block,
                  const PanelRange& panels, float* out) {
  static constexpr Tile kOneRow = {0, 1, 1, 0};
  float sums[kRemainderPanels * kPanelOutputs];
  PanelJob job = JobOf(weights, panels);
  job.panels += block.number * (weights.panel_bytes / (weights.inputs / kActBlock));
  job.inputs = kActBlock;
  job.blocks = 1;
  job.activations = block.tile;
  job.tiles = &kOneRow;
  job.tile_count = 1;
  job.streams = ActiveKernels().stream_rows >= 1;
  job.cached = true;
  job.rows = 1;
  job.out = sums;
  job.out_stride = kRemainderPanels * kPanelOutputs;
  weights.kernel(job);
  AddInPlace(out, sums, OutputsOf(weights, panels));
}

/// Activates one panel of outputs and quantizes it into `out`: rows of kPanelOutputs floats.
void GatePanel(const GatedProduct& product, std::size_t panel, const RowRange& rows,
               Activations& out) {
  Scratch& scratch = ThreadScratch();
  float* gate = scratch.gate[0];
  float* up = scratch.up[0];
  const std::size_t first = panel * kPanelOutputs;
  const std::size_t outputs = std::min(kPanelOutputs, product.gate->outputs() - first);
  for (std::size_t r = 0; r < rows.count(); ++r) {
    if (product.gate_bias) AddInPlace(scratch.gate[r], product.gate_bias + first, outputs);
    if (product.up_bias) AddInPlace(scratch.up[r], product.up_bias + first, outputs);
  }
  switch (product.gating) {
    case Gating::kSilu:
      SwiGlu(gate, up, rows.count() * kPanelOutputs, gate);
      break;
    case Gating::kGeluTanh:
      GeGluTanh(gate, up, rows.count() * kPanelOutputs, gate);
      break;
  }
  for (std::size_t r = 0; r < rows.count(); ++r) {
    out.SetPart(rows.begin + r, first, {scratch.gate[r], outputs});
  }
}

}  // namespace

void GatedMatMul(Worker& worker, const Activations& in, const GatedProduct& product,
                 Activations& out) {
  const Activations::Impl& input = in.impl();
  const PackedMatrix::Impl& gate = product.gate->impl();
  const PackedMatrix::Impl& up = product.up->impl();
  Scratch& scratch = ThreadScratch();
  ForEachShare(worker, gate.panels, [&](const PanelRange& share) {
    ForEachPass(input, [&](const TileRange& tiles) {
      for (std::size_t panel = share.begin; panel < share.end; ++panel) {
        RunPanels(gate, input, {panel, panel + 1}, tiles, scratch.gate[0], kPanelOutputs);
        RunPanels(up, input, {panel, panel + 1}, tiles, scratch.up[0], kPanelOutputs);
        GatePanel(product, panel, RowsOf(input, tiles), out);
      }
    });
  });
}

void MatMul(Worker& worker, const Activations& in, std::span<const Product> products) {
  const Activations::Impl& input = in.impl();
  std::size_t panels = 0;
  for (const Product& product : products) panels += product.weights->panels();
  ForEachShare(worker, panels, [&](const PanelRange& share) {
    std::size_t base = 0;  // the first panel of a product among those of all
    for (const Product& product : products) {
      const PackedMatrix::Impl& weights = product.weights->impl();
      const std::size_t begin = std::max(share.begin, base);
      const std::size_t end = std::min(share.end, base + weights.panels);
      if (begin < end) {
        ForEachPass(input, [&](const TileRange& tiles) {
          float* out = product.out + RowsOf(input, tiles).begin * product.out_stride;
          RunPanels(weights, input, {begin - base, end - base}, tiles,
                    out + (begin - base) * kPanelOutputs, product.out_stride);
        });
      }
      base += weights.panels;
    }
  });
}

void MatMul(Worker& worker, const Activations& in, const Remainders& rest, const Product& product) {
  const Activations::Impl& input = in.impl();
  const Remainders::Impl& remainders = rest.impl();
  // Of one row, the remainder follows while the panel is in the first-level cache; several rows
  // fetch the next panels meanwhile.
  const std::size_t together = input.rows == 1 ? 1 : kRemainderPanels;
  const PackedMatrix::Impl& weights = product.weights->impl();
  const auto run = [&](const PanelRange& panels, const TileRange& tiles) {
    const RowRange rows = RowsOf(input, tiles);
    float* out = product.out + rows.begin * product.out_stride + panels.begin * kPanelOutputs;
    RunPanels(weights, input, panels, tiles, out, product.out_stride);
    for (std::size_t row = rows.begin; row < rows.end; ++row, out += product.out_stride) {
      for (std::size_t i = 0; i < remainders.kept; ++i) {
        AddRemainder(weights, remainders.blocks[row * remainders.kept + i], panels, out);
      }
    }
  };
  ForEachShare(worker, weights.panels, [&](const PanelRange& share) {
    ForEachPass(input, [&](const TileRange& tiles) {
      for (std::size_t panel = share.begin; panel < share.end; panel += together) {
        run({panel, std::min(panel + together, share.end)}, tiles);
      }
    });
  });
}

bool TakesRemainders(const PackedMatrix& weights) {
  return weights.reads_int8() && Info(weights.dtype()).block_elements == kActBlock;
}

}  // namespace ergo::kernels
