// What the files of this folder share; nobody else includes it.
//
// Int8 activations. Rows are held in tiles of 6 (where `max_tile` allows), 4, 3, 2 or 1 rows. A
// tile of R rows is contiguous; for each block of 32 inputs it holds, 48 · R bytes:
//   q[8][R][4]   int8    value = scale · q; four consecutive inputs of one row are one word
//   scale[R]     fp32
//   scaled[R]    fp32    scale · Σq
//   sum[R]       int32   Σq over the 32 inputs
//   first[R]     int32   Σq over the first 16
// On paths whose dot product wants them unsigned, each byte of q is q + 128 instead.
//
// On the path with a tile unit (amx_tile.h), the rows are first cut into tiles of 16, and a rest of
// 8 or more takes another such tile with room to spare; only what is left then has small tiles. A
// tile of the unit has the layout above with R = 16 but for q[16][32]: rows of 32 bytes, as the
// unit loads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/cpu.h"
#include "kernels/matmul/matmul.h"

namespace ergo::kernels {

inline constexpr std::size_t kActBlock = 32;
inline constexpr std::size_t kActBlockBytes = 48;  ///< for one row

struct FreeDeleter {
  void operator()(void* p) const;
};
/// Zeroed, 64-byte aligned; large ones on huge pages where the system has them. Null when there is
/// no memory.
using AlignedBytes = std::unique_ptr<std::uint8_t[], FreeDeleter>;
AlignedBytes AllocateAligned(std::size_t bytes);

/// Rows of a tile of the tile unit, and the fewest rows for which one is used.
inline constexpr int kUnitRows = 16;
inline constexpr int kLeastUnitRows = 8;

struct Tile {
  std::size_t first_row;
  int rows;
  int room;            ///< rows that the layout has room for: R
  std::size_t offset;  ///< bytes from the start of the int8 form
};

struct Activations::Impl {
  std::size_t rows = 0;
  std::size_t inputs = 0;
  std::size_t blocks = 0;  ///< of 32 inputs
  bool has_f32 = false;
  bool has_int8 = false;
  std::size_t f32_stride = 0;
  AlignedBytes f32;
  std::size_t f32_capacity = 0;
  AlignedBytes int8;
  std::size_t int8_capacity = 0;
  std::vector<Tile> tiles;
  std::vector<std::uint32_t> tile_of_row;
};

/// Inputs of a piece, in blocks of 32: 16 KB of weights.
inline constexpr std::size_t kPieceBlocks = 16;

/// How far ahead of its use a panel is fetched: past the hardware prefetcher's page limit.
inline constexpr int kPrefetchBytes = 4096;

/// A piece of a panel, unpacked. The groups are the 32 inputs of a block or its two halves.
struct alignas(64) Piece {
  std::uint8_t weights[kPieceBlocks][8][32][4];  ///< int8: four inputs of an output are a word
  std::int32_t start[kPieceBlocks][2][32];       ///< −128 · Σw, for biased activations
  float scale[kPieceBlocks][2][32];
  float minimum[kPieceBlocks][2][32];
};

/// Consecutive panels of one matrix against all rows of the input. Plain data: the kernels' files
/// are compiled for their processors and must not share inline functions with others.
struct PanelJob {
  const std::uint8_t* panels;
  std::size_t panel_bytes;
  int panel_count;
  int outputs;  ///< valid ones over all panels
  std::size_t inputs;
  std::size_t blocks;  ///< of 32 inputs
  const std::uint8_t* activations;
  const Tile* tiles;
  std::size_t tile_count;
  std::size_t rows;
  const float* floats;
  std::size_t float_stride;
  float* out;  ///< first row, first output of the first panel
  std::size_t out_stride;
  Piece* piece;  ///< this thread's
};

/// Where one quantized row goes inside its tile.
struct RowTarget {
  std::uint8_t* tile;
  int rows;  ///< that the tile has room for
  int row;   ///< in the tile
};

using PanelKernel = void (*)(const PanelJob& job);

/// The two halves of a product with a block format: pieces of panels are unpacked, and all tiles of
/// a job pass over each. Both take blocks [first, first + blocks) of 32 inputs of a panel.
struct PieceKernels {
  void (*unpack)(const std::uint8_t* panel, std::size_t first, int blocks, Piece* piece);
  void (*pass_rows)(const Piece& piece, const PanelJob& job, int panel, std::size_t first,
                    int blocks);
};

/// Kernels of one path.
struct PathKernels {
  CpuPath path;
  int max_tile;                      ///< 4 or 6
  bool has_unit;                     ///< a tile unit, for tiles of kUnitRows
  PanelKernel (*find)(DType dtype);  ///< null for formats without one
  void (*quantize_row)(const float* x, std::size_t n, const RowTarget& target);
  /// Runs `turns` rounds of independent dot products; returns how many operations they were.
  std::uint64_t (*run_int8_peak)(long turns);
  PieceKernels (*find_piece)(DType dtype);  ///< for block formats
};

/// Cuts rows into tiles for a path; `row_bytes` is what one row takes.
std::vector<Tile> CutIntoTiles(std::size_t rows, std::size_t row_bytes, const PathKernels& path);

const PathKernels& PortableKernels();
const PathKernels& Avx2Kernels();
/// As Avx2Kernels, bit for bit, for processors that have AVX-VNNI too.
const PathKernels& AvxVnniKernels();
const PathKernels& Avx512Kernels();
/// As Avx512Kernels, bit for bit.
const PathKernels& AmxKernels();
/// Those of ChooseCpuPath(), decided once.
const PathKernels& ActiveKernels();

struct PackedMatrix::Impl {
  TensorView source;
  PackAs as = PackAs::kSource;
  DType dtype = DType::kF32;  ///< of the panels
  std::size_t outputs = 0;
  std::size_t inputs = 0;
  std::size_t panels = 0;
  std::size_t panel_bytes = 0;
  AlignedBytes data;
  PanelKernel kernel = nullptr;
};

}  // namespace ergo::kernels
