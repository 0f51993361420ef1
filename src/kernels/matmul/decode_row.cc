#include <cassert>
#include <cstdint>
#include <cstring>

#include "base/float_bits.h"
#include "kernels/matmul/matmul.h"
#include "kernels/quant/formats.h"

namespace ergo::kernels {
namespace {

/// `count` elements as the file has them, at any address, each through `convert`.
template <typename Element, typename Convert>
void DecodePlain(const std::byte* from, std::size_t count, float* out, Convert convert) {
  for (std::size_t i = 0; i < count; ++i) {
    Element element;
    std::memcpy(&element, from + i * sizeof element, sizeof element);
    out[i] = convert(element);
  }
}

template <typename Format>
void DecodeBlocks(const std::byte* from, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; i += Format::kBlock) {
    typename Format::Block block;
    std::memcpy(&block, from, sizeof block);
    Format::Decode(block, out + i);
    from += sizeof block;
  }
}

}  // namespace

bool CanDecode(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16 ||
         dtype == DType::kF64 || VisitFormat(dtype, [](auto) {});
}

void DecodeRow(const TensorView& table, std::size_t row, float* out) {
  const DTypeInfo& info = Info(table.dtype);
  const auto columns = static_cast<std::size_t>(table.shape.back());
  const std::byte* from =
      table.data.data() + row * (columns / info.block_elements) * info.block_bytes;
  assert((row + 1) * (columns / info.block_elements) * info.block_bytes <= table.data.size());
  switch (table.dtype) {
    case DType::kF32:
      std::memcpy(out, from, columns * sizeof(float));
      return;
    case DType::kF16:
      DecodePlain<std::uint16_t>(from, columns, out, F16ToF32);
      return;
    case DType::kBF16:
      DecodePlain<std::uint16_t>(from, columns, out, Bf16ToF32);
      return;
    case DType::kF64:
      DecodePlain<double>(from, columns, out, [](double x) { return static_cast<float>(x); });
      return;
    default:
      break;
  }
  [[maybe_unused]] const bool decoded = VisitFormat(
      table.dtype, [&]<typename Format>(Format) { DecodeBlocks<Format>(from, columns, out); });
  assert(decoded);
}

}  // namespace ergo::kernels
