#include <algorithm>
#include <cstring>
#include <vector>

#include "base/float_bits.h"
#include "kernels/matmul/impl.h"
#include "kernels/quant/formats.h"

namespace ergo::kernels {
namespace {

std::size_t PanelBytes(DType dtype, std::size_t inputs) {
  if (!IsBlockFormat(dtype)) return inputs * kPanelOutputs * Info(dtype).block_bytes;
  std::size_t bytes = 0;
  VisitFormat(dtype, [&]<typename Format>(Format) {
    constexpr auto kBlock = static_cast<std::size_t>(Format::kBlock);
    bytes = (inputs + kBlock - 1) / kBlock * Format::kPanelBytes;
  });
  return bytes;
}

/// Rows of a panel, as the panel's formats want them.
struct PanelSource {
  const TensorView* view;
  std::size_t first_row;
  int rows;
  std::size_t inputs;
};

template <typename Format>
void PackBlocks(const typename Format::Block* first, std::size_t blocks, int rows,
                std::uint8_t* panel) {
  for (std::size_t b = 0; b < blocks; ++b, panel += Format::kPanelBytes) {
    Format::Pack(PanelRows<typename Format::Block>(first + b, blocks, rows), panel);
  }
}

/// 16- or 32-bit elements, transposed as they are.
template <typename Element>
void PackElements(const PanelSource& source, std::uint8_t* panel) {
  const auto* from =
      reinterpret_cast<const Element*>(source.view->data.data()) + source.first_row * source.inputs;
  auto* to = reinterpret_cast<Element*>(panel);
  constexpr std::size_t kStep = 16;
  for (std::size_t k0 = 0; k0 < source.inputs; k0 += kStep) {
    const std::size_t end = std::min(source.inputs, k0 + kStep);
    for (std::size_t o = 0; o < kPanelOutputs; ++o) {
      const std::size_t row = std::min(o, static_cast<std::size_t>(source.rows) - 1);
      for (std::size_t k = k0; k < end; ++k)
        to[k * kPanelOutputs + o] = from[row * source.inputs + k];
    }
  }
}

void PackDecoded(const PanelSource& source, std::uint8_t* panel) {
  std::vector<float> row(source.inputs);
  auto* to = reinterpret_cast<float*>(panel);
  for (std::size_t o = 0; o < kPanelOutputs; ++o) {
    const std::size_t r = std::min(o, static_cast<std::size_t>(source.rows) - 1);
    DecodeRow(*source.view, source.first_row + r, row.data());
    for (std::size_t k = 0; k < source.inputs; ++k) to[k * kPanelOutputs + o] = row[k];
  }
}

/// Float rows quantized to a block format; the last block is padded with zeros.
template <typename Format>
void PackEncoded(const PanelSource& source, std::uint8_t* panel) {
  if constexpr (requires(const float* x, typename Format::Block& b) { Format::Encode(x, b); }) {
    constexpr auto kBlock = static_cast<std::size_t>(Format::kBlock);
    const std::size_t blocks = (source.inputs + kBlock - 1) / kBlock;
    std::vector<float> row(blocks * kBlock);
    std::vector<typename Format::Block> encoded(blocks * static_cast<std::size_t>(source.rows));
    for (int r = 0; r < source.rows; ++r) {
      DecodeRow(*source.view, source.first_row + static_cast<std::size_t>(r), row.data());
      for (std::size_t b = 0; b < blocks; ++b) {
        Format::Encode(row.data() + b * kBlock, encoded[static_cast<std::size_t>(r) * blocks + b]);
      }
    }
    PackBlocks<Format>(encoded.data(), blocks, source.rows, panel);
  }
}

void PackPanel(const PackedMatrix::Impl& impl, const PanelSource& source, std::uint8_t* panel) {
  if (!IsBlockFormat(impl.dtype)) {
    if (impl.source.dtype != impl.dtype) {
      PackDecoded(source, panel);
    } else if (impl.dtype == DType::kF32) {
      PackElements<std::uint32_t>(source, panel);
    } else {
      PackElements<std::uint16_t>(source, panel);
    }
    return;
  }
  VisitFormat(impl.dtype, [&]<typename Format>(Format) {
    if (impl.source.dtype != impl.dtype) {
      PackEncoded<Format>(source, panel);
      return;
    }
    const std::size_t blocks = source.inputs / Format::kBlock;
    const auto* first = reinterpret_cast<const typename Format::Block*>(source.view->data.data());
    PackBlocks<Format>(first + source.first_row * blocks, blocks, source.rows, panel);
  });
}

}  // namespace

DType PackedDType(DType source, PackAs as) {
  switch (as) {
    case PackAs::kF32:
      return DType::kF32;
    case PackAs::kInt8:
      return IsBlockFormat(source) ? source : DType::kQ8_0;
    case PackAs::kInt4:
      return IsBlockFormat(source) ? source : DType::kQ4_1;
    case PackAs::kSource:
      break;
  }
  return source == DType::kF64 ? DType::kF32 : source;
}

PackedMatrix::PackedMatrix() : impl_(std::make_unique<Impl>()) {}
PackedMatrix::~PackedMatrix() = default;
PackedMatrix::PackedMatrix(PackedMatrix&&) noexcept = default;
PackedMatrix& PackedMatrix::operator=(PackedMatrix&&) noexcept = default;

Result<PackedMatrix> PackedMatrix::Create(const TensorView& source, PackAs as) {
  const auto refuse = [&](const std::string& what) {
    return Fail(what, "tensor " + source.name, "use a model file in a supported format");
  };
  if (source.shape.size() != 2 || source.shape[0] < 1 || source.shape[1] < 1) {
    return refuse("a weight matrix needs two dimensions");
  }
  PackedMatrix matrix;
  Impl& impl = *matrix.impl_;
  impl.source = source;
  impl.as = as;
  impl.outputs = static_cast<std::size_t>(source.shape[0]);
  impl.inputs = static_cast<std::size_t>(source.shape[1]);
  impl.dtype = PackedDType(source.dtype, as);
  impl.panels = (impl.outputs + kPanelOutputs - 1) / kPanelOutputs;
  impl.kernel = ActiveKernels().find(impl.dtype);
  if (impl.kernel == nullptr) {
    return refuse("there is no kernel for weights in " + std::string(Info(impl.dtype).name));
  }
  if (impl.inputs % Info(source.dtype).block_elements != 0) {
    return refuse("rows are not whole blocks of " + std::string(Info(source.dtype).name));
  }
  const auto needed =
      BytesFor(source.dtype, static_cast<std::uint64_t>(impl.outputs) * impl.inputs);
  if (!needed || source.data.size() < *needed) return refuse("the data is shorter than the shape");
  impl.panel_bytes = PanelBytes(impl.dtype, impl.inputs);
  // A little more than the panels: kernels prefetch ahead and load whole vectors.
  impl.data = AllocateAligned(impl.panels * impl.panel_bytes + 64);
  if (impl.data == nullptr) {
    return Fail("no memory for " + std::to_string(impl.panels * impl.panel_bytes) + " bytes",
                "tensor " + source.name, "use a smaller model or stronger quantization");
  }
  return matrix;
}

void PackedMatrix::PackPanels(std::size_t begin, std::size_t end) {
  for (std::size_t p = begin; p < end; ++p) {
    const std::size_t first = p * kPanelOutputs;
    const PanelSource source{&impl_->source, first,
                             static_cast<int>(std::min(kPanelOutputs, impl_->outputs - first)),
                             impl_->inputs};
    PackPanel(*impl_, source, impl_->data.get() + p * impl_->panel_bytes);
  }
}

std::size_t PackedMatrix::outputs() const { return impl_->outputs; }
std::size_t PackedMatrix::inputs() const { return impl_->inputs; }
std::size_t PackedMatrix::panels() const { return impl_->panels; }
std::size_t PackedMatrix::bytes() const { return impl_->panels * impl_->panel_bytes; }
DType PackedMatrix::dtype() const { return impl_->dtype; }
bool PackedMatrix::reads_int8() const { return IsBlockFormat(impl_->dtype); }

std::string_view PackedMatrix::kernel() const {
  const bool int8 = reads_int8();
  switch (ActiveKernels().path) {
    case CpuPath::kPortable:
      return int8 ? "portable int8" : "portable f32";
    case CpuPath::kAvx2:
      if (int8 && HostCpu().avx_vnni) return "avx2 vnni int8";
      return int8 ? "avx2 int8" : "avx2 f32";
    case CpuPath::kAvx512:
      return int8 ? "avx512 vnni int8" : "avx512 f32";
    case CpuPath::kAmx:
      return int8 ? "amx int8" : "avx512 f32";
  }
  return "portable";
}

}  // namespace ergo::kernels
