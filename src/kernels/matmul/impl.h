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
// Where a path takes few rows without unpacking panels, up to PathKernels::stream_rows of them come
// in tiles of 4, the last with room to spare; one row alone is a tile of 1.
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

/// Rows of a tile when panels are not unpacked (but where there is one row), and the most rows for
/// which that pays.
inline constexpr int kStreamTileRows = 4;
inline constexpr std::size_t kMostStreamRows = 24;

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

/// A block of 32 inputs of one row, as a tile of one row.
struct alignas(64) RemainderBlock {
  std::uint8_t tile[kActBlockBytes];
  std::uint32_t number;  ///< of the block in the row
};

struct Remainders::Impl {
  std::size_t kept = 0;                ///< of a row
  std::vector<RemainderBlock> blocks;  ///< [rows, kept]
};

/// Inputs of a piece, in blocks of 32: 16 KB of weights.
inline constexpr std::size_t kPieceBlocks = 16;

/// How far ahead of its use a panel is fetched: past the hardware prefetcher's page limit.
inline constexpr int kPrefetchBytes = 4096;

/// A block of 32 inputs of a panel, unpacked. The groups are the whole block or its two halves.
template <int kGroups, bool kHasMinimum>
struct alignas(64) UnpackedBlock {
  std::uint8_t weights[8][32][4];                    ///< int8: four inputs of an output are a word
  std::int32_t start[kGroups][32];                   ///< −128 · Σw, for biased activations
  float scale[kGroups * (kHasMinimum ? 2 : 1)][32];  ///< scales, then minimums
};

/// A piece of a panel, unpacked: UnpackedBlocks in a row.
struct alignas(64) Piece {
  std::uint8_t bytes[kPieceBlocks * sizeof(UnpackedBlock<2, true>)];
};

/// Rows that pass over a piece before it is unpacked anew: their activations and sums stay in the
/// second-level cache.
inline constexpr std::size_t kPassRows = 512;
/// A tile may begin before the limit and end after it.
inline constexpr std::size_t kMostPassRows = kPassRows + 16;

/// One panel's outputs for the rows of a pass.
using PanelSums = float[kMostPassRows][kPanelOutputs];

/// What a thread works in.
struct alignas(64) Scratch {
  Piece piece;
  PanelSums sums;  ///< of the pieces so far
  PanelSums gate;
  PanelSums up;
};

/// Consecutive panels of one matrix against the rows of some tiles. Plain data: the kernels' files
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
  bool streams;  ///< see PathKernels::stream_rows
  bool cached;   ///< the panels are in a cache already
  std::size_t first_row;
  std::size_t rows;
  const float* floats;  ///< of first_row
  std::size_t float_stride;
  float* out;  ///< first_row, first output of the first panel
  std::size_t out_stride;
  Scratch* scratch;  ///< this thread's
};

/// Where one quantized row goes inside its tile.
struct RowTarget {
  std::uint8_t* tile;
  int rows;  ///< that the tile has room for
  int row;   ///< in the tile
};

using PanelKernel = void (*)(const PanelJob& job);

/// Blocks [first, first + count) of 32 inputs of a panel of a job.
struct PieceRange {
  int panel;
  std::size_t first;
  std::size_t count;
};

/// The two halves of a product with a block format: pieces of panels are unpacked into the job's
/// scratch, and its tiles from `first_tile` on pass over each.
struct PieceKernels {
  void (*unpack)(const PanelJob& job, const PieceRange& range);
  void (*pass_rows)(const PanelJob& job, const PieceRange& range, std::size_t first_tile);
};

/// Kernels of one path.
struct PathKernels {
  CpuPath path;
  int max_tile;                      ///< 4 or 6
  std::size_t stream_rows;           ///< up to so many rows, panels are not unpacked to memory
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
