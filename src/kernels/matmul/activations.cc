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
  // Rows that a tile has room for, but nobody sets, are computed with: they must not be slow.
  if (*buffer) std::memset(buffer->get(), 0, bytes);
  *capacity = *buffer ? bytes : 0;
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
    std::size_t count = TileRows(left, path.max_tile);
    int room = 0;  // where it is not what the rows take
    if (rows > 1 && rows <= path.stream_rows) {
      room = kStreamTileRows;
    } else if (path.has_unit && left >= kLeastUnitRows) {
      room = kUnitRows;
    }
    if (room != 0) count = std::min(left, static_cast<std::size_t>(room));
    if (room == 0) room = static_cast<int>(count);
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
  const std::size_t row_bytes = impl.blocks * kActBlockBytes;
  if (!same_tiles) {
    impl.tiles = CutIntoTiles(rows, row_bytes, ActiveKernels());
    impl.tile_of_row.clear();
    for (std::size_t t = 0; t < impl.tiles.size(); ++t) {
      impl.tile_of_row.insert(impl.tile_of_row.end(), static_cast<std::size_t>(impl.tiles[t].rows),
                              static_cast<std::uint32_t>(t));
    }
  }
  if (!as_int8 || rows == 0) return;
  const Tile& last = impl.tiles.back();
  Grow(last.offset + static_cast<std::size_t>(last.room) * row_bytes, &impl.int8,
       &impl.int8_capacity);
}

void Activations::SetRow(std::size_t row, const float* values) {
  SetPart(row, 0, {values, impl_->inputs});
}

void Activations::SetPart(std::size_t row, std::size_t first, std::span<const float> values) {
  Impl& impl = *impl_;
  if (impl.has_f32) {
    std::memcpy(impl.f32.get() + (row * impl.f32_stride + first) * sizeof(float), values.data(),
                values.size_bytes());
  }
  if (impl.has_int8) {
    const Tile& tile = impl.tiles[impl.tile_of_row[row]];
    const std::size_t block_bytes = kActBlockBytes * static_cast<std::size_t>(tile.room);
    ActiveKernels().quantize_row(values.data(), values.size(),
                                 {impl.int8.get() + tile.offset + first / kActBlock * block_bytes,
                                  tile.room, static_cast<int>(row - tile.first_row)});
  }
}

std::size_t Activations::rows() const { return impl_->rows; }
std::size_t Activations::inputs() const { return impl_->inputs; }

}  // namespace ergo::kernels
