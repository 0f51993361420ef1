// Product of panels with all rows, over a tile unit (amx_tile.h) of type Unit. Included inside a
// path's namespace with `Vec`, F32, I32, kPath, kParts, kMaxTile and BaseKernels() in scope: the
// kernels of the path with the same vectors and no unit, which unpack pieces and do everything
// else.
//
// Sixteen rows at a time: the unit makes the integer sums of a group of inputs (those that share a
// scale) with 32 outputs, starting from UnpackedBlock::start, and stores them; vectors apply the
// scales in the order of panel.inc.h. The sums are exact, so a row gets the same bits here as in a
// small tile, and fewer rows than kLeastUnitRows go through small tiles.
//
// Sums run kStage groups ahead of the scales: while the unit fills one half of a buffer, the
// vectors empty the other.

#include "kernels/matmul/row_access.inc.h"

inline constexpr int kLanes = static_cast<int>(Vec::kLanes);

/// Groups of inputs in a stage, and the rows that take their scales between two groups.
inline constexpr int kStage = 4;
inline constexpr int kRowsAtOnce = kUnitRows / kStage;

using GroupSums = std::int32_t[kUnitRows][32];

/// Registers: 0 and 1 activations, 2 and 3 weights, 4 to 7 sums.
inline TileShapes ShapesFor(int group) {
  TileShapes shapes = {};
  shapes.palette = 1;
  for (int tile = 0; tile < 8; ++tile) {
    const bool weights = tile == 2 || tile == 3;
    shapes.rows[tile] = static_cast<std::uint8_t>(weights ? group / 4 : kUnitRows);
    shapes.row_bytes[tile] = static_cast<std::uint16_t>(tile < 2 ? group : 64);
  }
  return shapes;
}

/// Up to kUnitRows rows against a piece.
template <int kGroupsPer32, bool kHasMinimum>
struct UnitTask {
  const UnpackedBlock<kGroupsPer32, kHasMinimum>* piece;
  int groups;               ///< of the piece
  const std::uint8_t* act;  ///< the tile's first block that belongs to the piece
  const float* from;        ///< sums to go on from, [rows][32]; null at the start
  float* out;
  std::size_t stride;
  int rows;  ///< that are stored
};

/// The sums of one group. Neighbouring groups use different registers.
template <typename Unit, int kSet, int kGroupsPer32, bool kHasMinimum>
[[gnu::always_inline]] inline void SumGroup(const UnitTask<kGroupsPer32, kHasMinimum>& task,
                                            int index, GroupSums& sums) {
  constexpr int kSteps = 8 / kGroupsPer32;
  constexpr int kLow = 4 + 2 * kSet;  // sums of outputs 0 … 15, and the next of 16 … 31
  const int b = index / kGroupsPer32;
  const int group = index % kGroupsPer32;
  const std::int32_t* start = task.piece[b].start[group];
  const auto* weights = task.piece[b].weights[group * kSteps];
  Unit::template LoadBroadcastRow<kLow>(start);
  Unit::template LoadBroadcastRow<kLow + 1>(start + 16);
  Unit::template Load<kSet>(
      task.act + static_cast<std::size_t>(b) * kActBlockBytes * kUnitRows + group * 4 * kSteps, 32);
  Unit::template Load<2>(weights[0], 128);
  Unit::template Load<3>(weights[16], 128);
  Unit::template DotUnsignedSigned<kLow, kSet, 2>();
  Unit::template DotUnsignedSigned<kLow + 1, kSet, 3>();
  Unit::template Store<kLow>(sums[0], 128);
  Unit::template Store<kLow + 1>(sums[0] + 16, 128);
}

/// Groups whose sums are there.
struct Stage {
  int first;
  int end;
  const float* from;  ///< what the rows hold before it, or null
  std::size_t stride;
  const GroupSums* sums;
};

/// Adds the groups of a stage to kRows rows.
template <int kGroupsPer32, bool kHasMinimum, int kRows>
void ScaleRows(const UnitTask<kGroupsPer32, kHasMinimum>& task, const Stage& stage, int row) {
  for (int output = 0; output < 32; output += kParts * kLanes) {
    float* out = task.out + static_cast<std::size_t>(row) * task.stride + output;
    F32 acc[kParts][kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int p = 0; p < kParts; ++p) {
        acc[p][r] = stage.from == nullptr
                        ? F32::Zero()
                        : F32::Load(stage.from + static_cast<std::size_t>(row + r) * stage.stride +
                                    output + p * kLanes);
      }
    }
    for (int i = stage.first; i < stage.end; ++i) {
      const int b = i / kGroupsPer32;
      const int group = i % kGroupsPer32;
      const auto* row_scale = reinterpret_cast<const float*>(
          task.act + (static_cast<std::size_t>(b) * kActBlockBytes + 32) * kUnitRows);
      const std::int32_t* sums = stage.sums[i - stage.first][row] + output;
      F32 scale[kParts];
      F32 minimum[kParts];
#pragma GCC unroll 4
      for (int p = 0; p < kParts; ++p) {
        scale[p] = F32::Load(&task.piece[b].scale[group][output + p * kLanes]);
        if constexpr (kHasMinimum) {
          minimum[p] = F32::Load(&task.piece[b].scale[kGroupsPer32 + group][output + p * kLanes]);
        }
      }
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const F32 own = F32::Set(row_scale[row + r]);
#pragma GCC unroll 4
        for (int p = 0; p < kParts; ++p) {
          acc[p][r] = Fma(ToF32(I32::Load(sums + 32 * r + p * kLanes)), scale[p] * own, acc[p][r]);
        }
        if constexpr (kHasMinimum) {
          const F32 scaled =
              F32::Set(ScaledSum<kGroupsPer32, kUnitRows>(row_scale, group, row + r));
#pragma GCC unroll 4
          for (int p = 0; p < kParts; ++p) acc[p][r] = Fma(minimum[p], scaled, acc[p][r]);
        }
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int p = 0; p < kParts; ++p) {
        acc[p][r].Store(out + static_cast<std::size_t>(r) * task.stride + p * kLanes);
      }
    }
  }
}

template <typename Unit, int kGroupsPer32, bool kHasMinimum>
void UnitTile(const UnitTask<kGroupsPer32, kHasMinimum>& task) {
  alignas(64) GroupSums sums[2][kStage];
  for (int first = 0; first < task.groups + kStage; first += kStage) {
    GroupSums* filling = sums[first / kStage % 2];
    const int end = first < task.groups ? first : task.groups;
    const bool later = first > kStage;
    const Stage ready = {first - kStage, end, later ? task.out : task.from,
                         later ? task.stride : 32, sums[(first / kStage + 1) % 2]};
    Unroll<kStage>([&](auto part) __attribute__((always_inline)) {
      if (first + part < task.groups) {
        SumGroup<Unit, part % 2>(task, first + part, filling[part]);
      }
      if (first == 0) return;
      constexpr int kRow = part * kRowsAtOnce;
      if (kRow + kRowsAtOnce <= task.rows) {
        ScaleRows<kGroupsPer32, kHasMinimum, kRowsAtOnce>(task, ready, kRow);
      } else {
        for (int row = kRow; row < task.rows; ++row) {
          ScaleRows<kGroupsPer32, kHasMinimum, 1>(task, ready, row);
        }
      }
    });
  }
}

/// The job's first `count` tiles, which have the unit's form, against the unpacked piece.
template <typename Unit, typename Format>
void PassUnitTiles(const PanelJob& job, const PieceRange& range, std::size_t count) {
  constexpr int kGroupsPer32 = 32 / Format::kGroup;
  for (std::size_t t = 0; t < count; ++t) {
    const Tile& tile = job.tiles[t];
    const TileSums sums = SumsOf(job, range, tile);
    UnitTile<Unit, kGroupsPer32, Format::kHasMinimum>(
        {PieceOf<Format>(job), static_cast<int>(range.count) * kGroupsPer32,
         ActivationsOf(job, range, tile), sums.begin ? nullptr : sums.waiting,
         sums.whole ? sums.out : sums.waiting, sums.whole ? job.out_stride : 32, tile.rows});
    FinishPart(job, range, tile, sums);
  }
}

template <typename Unit, typename Format>
void UnitPanels(const PanelJob& job) {
  std::size_t count = 0;
  while (count < job.tile_count && job.tiles[count].room == kUnitRows) ++count;
  if (job.streams || count == 0) return BaseKernels().find(Format::kDType)(job);
  const PieceKernels base = BaseKernels().find_piece(Format::kDType);
  Unit::Configure(ShapesFor(Format::kGroup));
  ForEachPiece<Format>(job, [&](const PieceRange& range) {
    base.unpack(job, range);
    PassUnitTiles<Unit, Format>(job, range, count);
    base.pass_rows(job, range, count);
  });
  Unit::Release();
}

/// As the base's; in the unit's form a row's 32 values of a block are contiguous.
inline void QuantizeUnitRow(const float* x, std::size_t n, const RowTarget& target) {
  if (target.rows != kUnitRows) return BaseKernels().quantize_row(x, n, target);
  const auto row = static_cast<std::size_t>(target.row);
  std::uint8_t* block = target.tile;
  for (std::size_t at = 0; at < n; at += 32, block += kActBlockBytes * kUnitRows) {
    alignas(64) std::uint8_t alone[kActBlockBytes];  // a tile of one row: its values, then 4 words
    BaseKernels().quantize_row(x + at, n - at < 32 ? n - at : 32, {alone, 1, 0});
    __builtin_memcpy(block + 32 * row, alone, 32);
    for (std::size_t word = 0; word < 4; ++word) {
      __builtin_memcpy(block + (32 + 4 * word) * kUnitRows + 4 * row, alone + 32 + 4 * word, 4);
    }
  }
}

/// Independent products of full registers.
template <typename Unit>
std::uint64_t RunUnitPeak(long turns) {
  alignas(64) std::int32_t row[16] = {static_cast<std::int32_t>(turns & 1)};
  Unit::Configure(ShapesFor(64));
  Unroll<8>([&](auto tile) { Unit::template LoadBroadcastRow<tile>(row); });
  for (long t = 0; t < turns; ++t) {
    Unit::template DotUnsignedSigned<4, 0, 2>();
    Unit::template DotUnsignedSigned<5, 0, 3>();
    Unit::template DotUnsignedSigned<6, 1, 2>();
    Unit::template DotUnsignedSigned<7, 1, 3>();
  }
  Unit::Release();
  constexpr std::uint64_t kOperations = std::uint64_t{4} * kUnitRows * 16 * 64 * 2;
  return static_cast<std::uint64_t>(turns) * kOperations;
}

template <typename Unit>
PanelKernel FindUnitKernel(DType dtype) {
  PanelKernel found = nullptr;
  const bool blocks =
      VisitFormat(dtype, [&]<typename Format>(Format) { found = &UnitPanels<Unit, Format>; });
  return blocks ? found : BaseKernels().find(dtype);
}

inline PieceKernels FindBasePiece(DType dtype) { return BaseKernels().find_piece(dtype); }

template <typename Unit>
inline constexpr PathKernels kUnitTable = {kPath,
                                           kMaxTile,
                                           kStreamRows,
                                           true,
                                           &FindUnitKernel<Unit>,
                                           &QuantizeUnitRow,
                                           &RunUnitPeak<Unit>,
                                           &FindBasePiece};
