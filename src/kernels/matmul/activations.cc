#include <algorithm>
#include <cstring>

#include "kernels/matmul/impl.h"

namespace ergo::kernels {
namespace {

/// Grows `buffer` to at least `bytes`; never shrinks.
void Grow(std::size_t bytes, AlignedBytes* buffer, std::size_t* capacity) {
  if (bytes <= *capacity) return;
  buffer->reset();
  *buffer = AllocateAligned(bytes);
  *capacity = bytes;
}

/// Rows of the next tile when `left` are left: 6 (or 4) at a time, with an even end: 7 = 4 + 3,
/// 8 = 4 + 4, 11 = 4 + 4 + 3, 5 = 3 + 2.
std::size_t TileRows(std::size_t left, int max_tile) {
  if (max_tile < 6) return left == 5 ? 3 : std::min<std::size_t>(left, 4);
  if (left == 7 || left == 8 || left == 11) return 4;
  if (left == 5) return 3;
  return std::min<std::size_t>(left, 6);
}

}  // namespace

std::vector<Tile> CutIntoTiles(std::size_t rows, std::size_t row_bytes, const PathKernels& path) {
  std::vector<Tile> tiles;
  std::size_t offset = 0;
  for (std::size_t first = 0; first < rows;) {
    const std::size_t left = rows - first;
    const bool unit = path.has_unit && left >= kLeastUnitRows;
    const std::size_t count =
        unit ? std::min<std::size_t>(left, kUnitRows) : TileRows(left, path.max_tile);
    const int room = unit ? kUnitRows : static_cast<int>(count);
    tiles.push_back({first, static_cast<int>(count), room, offset});
    offset += static_cast<std::size_t>(room) * row_bytes;
    first += count;
  }
  return tiles;
}

Activations::Activations() : impl_(std::make_unique<Impl>()) {}
Activations::~Activations() = default;
Activations::Activations(Activations&&) noexcept = default;
Activations& Activations::operator=(Activations&&) noexcept = default;

void Activations::Reset(std::size_t rows, std::size_t inputs, bool as_f32, bool as_int8) {
  const PathKernels& kernels = ActiveKernels();
  Impl& impl = *impl_;
  const bool same_tiles = impl.rows == rows && !impl.tiles.empty() && impl.inputs == inputs;
  impl.rows = rows;
  impl.inputs = inputs;
  impl.blocks = (inputs + kActBlock - 1) / kActBlock;
  impl.has_f32 = as_f32;
  impl.has_int8 = as_int8;
  if (as_f32) {
    impl.f32_stride = (inputs + 15) / 16 * 16;
    Grow(rows * impl.f32_stride * sizeof(float), &impl.f32, &impl.f32_capacity);
  }
  if (!as_int8) {
    impl.tiles.clear();
    return;
  }
  if (same_tiles || rows == 0) return;
  const std::size_t row_bytes = impl.blocks * kActBlockBytes;
  impl.tiles = CutIntoTiles(rows, row_bytes, kernels);
  impl.tile_of_row.clear();
  for (std::size_t t = 0; t < impl.tiles.size(); ++t) {
    impl.tile_of_row.insert(impl.tile_of_row.end(), static_cast<std::size_t>(impl.tiles[t].rows),
                            static_cast<std::uint32_t>(t));
  }
  const Tile& last = impl.tiles.back();
  Grow(last.offset + static_cast<std::size_t>(last.room) * row_bytes, &impl.int8,
       &impl.int8_capacity);
}

void Activations::SetRow(std::size_t row, const float* values) {
  Impl& impl = *impl_;
  if (impl.has_f32) {
    std::memcpy(impl.f32.get() + row * impl.f32_stride * sizeof(float), values,
                impl.inputs * sizeof(float));
  }
  if (impl.has_int8) {
    const Tile& tile = impl.tiles[impl.tile_of_row[row]];
    ActiveKernels().quantize_row(
        values, impl.inputs,
        {impl.int8.get() + tile.offset, tile.room, static_cast<int>(row - tile.first_row)});
  }
}

std::size_t Activations::rows() const { return impl_->rows; }
std::size_t Activations::inputs() const { return impl_->inputs; }

}  // namespace ergo::kernels
