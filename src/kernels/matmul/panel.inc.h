// Product of panels with all rows, over the vectors of one path. Included inside a path's
// namespace with `Vec`, F32, I32, Bytes, kBiased and kMaxTile in scope.
//
// A piece of a panel (32 outputs, some blocks of 32 inputs) is unpacked once to signed bytes and
// fp32 scales that stay in the first-level cache while all rows pass over it. So a number format
// is compiled once per path, and the products once per tile size, and neither knows the other.
// A few rows take another way, StreamPanel.
//
// The order of float operations for one output of one row is, for ascending groups of inputs:
//   acc = fma(float(Σ w·q), scale · row_scale, acc)
//   acc = fma(minimum, row_scale · Σq, acc)                          (formats with a minimum)
// whatever the tile, so that a row's result does not depend on its neighbours.
//
// Loops over rows and parts have constant bounds and are unrolled by the compiler, which keeps the
// accumulators in registers.

inline constexpr int kLanes = static_cast<int>(Vec::kLanes);
/// Vectors that make up the 32 outputs of a panel.
inline constexpr int kVectors = 32 / kLanes;
/// Rows up to which panels are not unpacked to memory: those for which there are registers.
inline constexpr std::size_t kStreamRows = kVectors <= 2 ? kMostStreamRows : kVectors <= 4 ? 1 : 0;

#include "kernels/matmul/row_access.inc.h"

template <typename Format>
void Unpack(const PanelJob& job, const PieceRange& range) {
  constexpr int kPer = Format::kBlock / 32;
  constexpr int kGroupsPer32 = 32 / Format::kGroup;
  constexpr int kStepsPerGroup = Format::kGroup / 4;
  const Bytes offset = Bytes::Set(Format::kOffset);
  const std::uint8_t* panel = job.panels + static_cast<std::size_t>(range.panel) * job.panel_bytes +
                              range.first / kPer * Format::kPanelBytes;
  auto* to = PieceOf<Format>(job);
  for (std::size_t b = 0; b < range.count; b += kPer, panel += Format::kPanelBytes, to += kPer) {
    for (int line = 0; line < Format::kPanelBytes; line += 64) {
      __builtin_prefetch(panel + kPrefetchBytes + line);
    }
    for (int output = 0; output < 32; output += kLanes) {
      Unroll<kPer * kGroupsPer32>([&](auto group) __attribute__((always_inline)) {
        auto& block = to[group / kGroupsPer32];
        constexpr int kGroup = group % kGroupsPer32;
        // −128 · Σw, where w = code − offset; the codes are unsigned, so −128 is the signed factor.
        I32 start = I32::Set(128 * Format::kOffset * Format::kGroup);
        Unroll<kStepsPerGroup>([&](auto step) __attribute__((always_inline)) {
          constexpr int kStep = group * kStepsPerGroup + step;
          const Bytes codes = Format::template Codes<Vec, kStep>(panel, output);
          const Bytes weights = Format::kOffset == 0 ? codes : Subtract(codes, offset);
          weights.Store(block.weights[kStep % 8][output]);
          if constexpr (kBiased) start = Dot<8>(start, codes, Bytes::Set(128));
        });
        if constexpr (kBiased) start.Store(&block.start[kGroup][output]);
        Format::template Scale<Vec>(panel, group, output).Store(&block.scale[kGroup][output]);
        if constexpr (Format::kHasMinimum) {
          Format::template Minimum<Vec>(panel, group, output)
              .Store(&block.scale[kGroupsPer32 + kGroup][output]);
        }
      });
    }
  }
}

/// Four activations of a row in every lane, without their bias.
[[gnu::always_inline]] inline Bytes SignedActivations(const std::uint8_t* values) {
  const Bytes bytes = Bytes::Broadcast4(reinterpret_cast<const std::int8_t*>(values));
  return kBiased ? bytes ^ Bytes::Set(128) : bytes;
}

/// sum + Σ code · q, codes unsigned and q signed: what DotActivations does where kBiased.
template <typename Format>
[[gnu::always_inline]] inline I32 DotCodes(I32 sum, Bytes codes, Bytes values) {
  if constexpr (kBiased) return DotActivations(sum, codes, values);
  return Dot<Format::kBits>(sum, codes, values);
}

/// What a tile of rows works on.
struct TileRows {
  int blocks;
  const std::uint8_t* act;
  const std::uint8_t* next;  ///< what the next tile reads, fetched meanwhile
  const float* from;         ///< sums to go on from, [kRows][32]; null at the start
  float* out;
  std::size_t stride;
};

/// kRows rows against a piece, kParts vectors of outputs at a time.
template <int kGroupsPer32, bool kHasMinimum, int kRows>
void PieceTile(const UnpackedBlock<kGroupsPer32, kHasMinimum>* piece, const TileRows& rows) {
  constexpr int kStepsPerGroup = 8 / kGroupsPer32;
  for (int output = 0; output < 32; output += kParts * kLanes) {
    F32 acc[kParts][kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int p = 0; p < kParts; ++p) {
        acc[p][r] = rows.from == nullptr ? F32::Zero()
                                         : F32::Load(rows.from + r * 32 + output + p * kLanes);
      }
    }
    const std::uint8_t* act = rows.act;
    const std::uint8_t* next = rows.next;
    const auto* end = piece + rows.blocks;
    for (const auto* block = piece; block != end; ++block, act += kActBlockBytes * kRows) {
      const float* row_scale = reinterpret_cast<const float*>(act + 32 * kRows);
#pragma GCC unroll 5
      for (int line = 0; line < static_cast<int>(kActBlockBytes) * kRows; line += 64) {
        __builtin_prefetch(next + line);
      }
      next += kActBlockBytes * kRows;
#pragma GCC unroll 2
      for (int group = 0; group < kGroupsPer32; ++group) {
        I32 dot[kParts][kRows];
#pragma GCC unroll 4
        for (int p = 0; p < kParts; ++p) {
#pragma GCC unroll 8
          for (int r = 0; r < kRows; ++r) {
            dot[p][r] = LoadStart(&block->start[group][output + p * kLanes]);
          }
        }
#pragma GCC unroll 8
        for (int s = 0; s < kStepsPerGroup; ++s) {
          const int step = group * kStepsPerGroup + s;
          Bytes weights[kParts];
#pragma GCC unroll 4
          for (int p = 0; p < kParts; ++p) {
            weights[p] = Bytes::Load(block->weights[step][output + p * kLanes]);
          }
#pragma GCC unroll 8
          for (int r = 0; r < kRows; ++r) {
            const Bytes values = Bytes::Broadcast4(reinterpret_cast<const std::int8_t*>(act) +
                                                   (step * kRows + r) * 4);
#pragma GCC unroll 4
            for (int p = 0; p < kParts; ++p) {
              dot[p][r] = DotActivations(dot[p][r], values, weights[p]);
            }
          }
        }
#pragma GCC unroll 4
        for (int p = 0; p < kParts; ++p) {
          const int at = output + p * kLanes;
          const F32 scale = F32::Load(&block->scale[group][at]);
#pragma GCC unroll 8
          for (int r = 0; r < kRows; ++r) {
            acc[p][r] = Fma(ToF32(dot[p][r]), scale * F32::Set(row_scale[r]), acc[p][r]);
          }
          if constexpr (kHasMinimum) {
            const F32 minimum = F32::Load(&block->scale[kGroupsPer32 + group][at]);
#pragma GCC unroll 8
            for (int r = 0; r < kRows; ++r) {
              const float scaled = ScaledSum<kGroupsPer32, kRows>(row_scale, group, r);
              acc[p][r] = Fma(minimum, F32::Set(scaled), acc[p][r]);
            }
          }
        }
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      float* to = rows.out + static_cast<std::size_t>(r) * rows.stride + output;
#pragma GCC unroll 4
      for (int p = 0; p < kParts; ++p) acc[p][r].Store(to + p * kLanes);
    }
  }
}

template <int kGroupsPer32, bool kHasMinimum>
void TileBySize(const UnpackedBlock<kGroupsPer32, kHasMinimum>* piece, int size,
                const TileRows& rows) {
  switch (size) {
    case 1:
      return PieceTile<kGroupsPer32, kHasMinimum, 1>(piece, rows);
    case 2:
      return PieceTile<kGroupsPer32, kHasMinimum, 2>(piece, rows);
    case 3:
      return PieceTile<kGroupsPer32, kHasMinimum, 3>(piece, rows);
    case 4:
      return PieceTile<kGroupsPer32, kHasMinimum, 4>(piece, rows);
    default:
      if constexpr (kMaxTile == 6) PieceTile<kGroupsPer32, kHasMinimum, 6>(piece, rows);
  }
}

/// Tiles [first_tile, job.tile_count) against the unpacked piece.
template <typename Format>
void PassRows(const PanelJob& job, const PieceRange& range, std::size_t first_tile) {
  for (std::size_t t = first_tile; t < job.tile_count; ++t) {
    const Tile& tile = job.tiles[t];
    const Tile& next = job.tiles[t + 1 < job.tile_count ? t + 1 : first_tile];
    const TileSums sums = SumsOf(job, range, tile);
    TileBySize<32 / Format::kGroup, Format::kHasMinimum>(
        PieceOf<Format>(job), tile.rows,
        {static_cast<int>(range.count), ActivationsOf(job, range, tile),
         ActivationsOf(job, range, next), sums.begin ? nullptr : sums.waiting,
         sums.whole ? sums.out : sums.waiting, sums.whole ? job.out_stride : 32});
    FinishPart(job, range, tile, sums);
  }
}

/// A few rows (kRows of the layout, of which a tile may use fewer) are multiplied while a panel is
/// read: the memory sets the pace, so that unpacking for each tile again costs nothing. The same
/// sums as in PieceTile, from unsigned codes and signed activations:
/// Σ (code − offset) · q = Σ code · q − offset · Σ q.
///
/// Several tiles take turns on a panel, and each fetches its part of the next panel meanwhile.
template <typename Format, int kRows>
void StreamPanel(const PanelJob& job, int panel, std::size_t number) {
  constexpr int kPer = Format::kBlock / 32;
  constexpr int kGroupsPer32 = 32 / Format::kGroup;
  constexpr int kStepsPerGroup = Format::kGroup / 4;
  const Tile& tile = job.tiles[number];
  const std::uint8_t* packed = job.panels + static_cast<std::size_t>(panel) * job.panel_bytes;
  const std::uint8_t* act = job.activations + tile.offset;
  // One tile fetches a little ahead, several their parts of the next panel.
  const std::size_t part = job.panel_bytes / job.tile_count;
  const std::uint8_t* fetched = packed;
  fetched += job.tile_count == 1 ? kPrefetchBytes : job.panel_bytes + number * part;
  const std::size_t each = job.cached ? 0 : part * kPer / job.blocks;
  F32 acc[kVectors][kRows];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) acc[v][r] = F32::Zero();
  }
  for (std::size_t b = 0; b < job.blocks; b += kPer, packed += Format::kPanelBytes) {
    for (const std::uint8_t* end = fetched + each; fetched < end; fetched += 64) {
      __builtin_prefetch(fetched);
    }
    Unroll<kPer * kGroupsPer32>([&](auto group) __attribute__((always_inline)) {
      constexpr int kHalf = group % kGroupsPer32;
      const std::uint8_t* block = act + group / kGroupsPer32 * kActBlockBytes * kRows;
      const float* row_scale = reinterpret_cast<const float*>(block + 32 * kRows);
      I32 dot[kVectors][kRows];
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        const std::int32_t sum = CodeSum<kGroupsPer32, kRows>(row_scale, kHalf, r);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          dot[v][r] = Format::kOffset == 0 ? I32::Zero() : I32::Set(-Format::kOffset * sum);
        }
      }
      Unroll<kStepsPerGroup>([&](auto step) __attribute__((always_inline)) {
        constexpr int kStep = group * kStepsPerGroup + step;
        Bytes codes[kVectors];
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          codes[v] = Format::template Codes<Vec, kStep>(packed, v * kLanes);
        }
#pragma GCC unroll 4
        for (int r = 0; r < kRows; ++r) {
          const Bytes values = SignedActivations(block + (kStep % 8 * kRows + r) * 4);
#pragma GCC unroll 4
          for (int v = 0; v < kVectors; ++v) {
            dot[v][r] = DotCodes<Format>(dot[v][r], codes[v], values);
          }
        }
      });
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const F32 scale = Format::template Scale<Vec>(packed, group, v * kLanes);
#pragma GCC unroll 4
        for (int r = 0; r < kRows; ++r) {
          acc[v][r] = Fma(ToF32(dot[v][r]), scale * F32::Set(row_scale[r]), acc[v][r]);
        }
        if constexpr (Format::kHasMinimum) {
          const F32 minimum = Format::template Minimum<Vec>(packed, group, v * kLanes);
#pragma GCC unroll 4
          for (int r = 0; r < kRows; ++r) {
            const float scaled = ScaledSum<kGroupsPer32, kRows>(row_scale, kHalf, r);
            acc[v][r] = Fma(minimum, F32::Set(scaled), acc[v][r]);
          }
        }
      }
    });
    act += kPer * kActBlockBytes * kRows;
  }
  const int outputs = job.outputs - panel * 32;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    if (r == tile.rows) return;
    const std::size_t row = tile.first_row - job.first_row + static_cast<std::size_t>(r);
    float* out = job.out + row * job.out_stride + panel * 32;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int left = outputs - v * kLanes;
      if (left >= kLanes) {
        acc[v][r].Store(out + v * kLanes);
      } else if (left > 0) {
        acc[v][r].StorePart(out + v * kLanes, static_cast<std::size_t>(left));
      }
    }
  }
}

template <typename Format, int kRows>
void StreamPanels(const PanelJob& job) {
  for (int panel = 0; panel < job.panel_count; ++panel) {
    for (std::size_t tile = 0; tile < job.tile_count; ++tile) {
      StreamPanel<Format, kRows>(job, panel, tile);
    }
  }
}

template <typename Format>
void Panels(const PanelJob& job) {
  if constexpr (kStreamRows > 1) {
    if (job.streams && job.rows > 1) return StreamPanels<Format, kStreamTileRows>(job);
  }
  if constexpr (kStreamRows > 0) {
    if (job.streams) return StreamPanels<Format, 1>(job);
  }
  ForEachPiece<Format>(job, [&](const PieceRange& range) {
    Unpack<Format>(job, range);
    PassRows<Format>(job, range, 0);
  });
}

/// Panels of plain floats: for each input 32 values, one per output.
struct FloatF32 {
  static constexpr std::size_t kBytes = 4;
  static F32 Load(const std::uint8_t* p) { return F32::Load(reinterpret_cast<const float*>(p)); }
};
struct FloatF16 {
  static constexpr std::size_t kBytes = 2;
  static F32 Load(const std::uint8_t* p) {
    return F32::LoadF16(reinterpret_cast<const std::uint16_t*>(p));
  }
};
struct FloatBf16 {
  static constexpr std::size_t kBytes = 2;
  static F32 Load(const std::uint8_t* p) {
    return F32::LoadBf16(reinterpret_cast<const std::uint16_t*>(p));
  }
};

/// Rows that are multiplied together with float weights.
inline constexpr int kFloatRows = 4;

template <typename Float, int kRows>
void FloatTile(const PanelJob& job, const std::uint8_t* panel, float* out, std::size_t first_row) {
  const float* in[kRows];
  for (int r = 0; r < kRows; ++r) {
    in[r] = job.floats + (first_row + static_cast<std::size_t>(r)) * job.float_stride;
  }
  alignas(64) float whole[32];
  for (int output = 0; output < 32; output += kParts * kLanes) {
    F32 acc[kParts][kRows];
#pragma GCC unroll 4
    for (int p = 0; p < kParts; ++p) {
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) acc[p][r] = F32::Zero();
    }
    const std::uint8_t* weights = panel + static_cast<std::size_t>(output) * Float::kBytes;
    for (std::size_t k = 0; k < job.inputs; ++k, weights += 32 * Float::kBytes) {
      F32 w[kParts];
#pragma GCC unroll 4
      for (int p = 0; p < kParts; ++p) {
        w[p] = Float::Load(weights + static_cast<std::size_t>(p * kLanes) * Float::kBytes);
      }
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const F32 a = F32::Set(in[r][k]);
#pragma GCC unroll 4
        for (int p = 0; p < kParts; ++p) acc[p][r] = Fma(w[p], a, acc[p][r]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      float* to = out + (first_row + static_cast<std::size_t>(r)) * job.out_stride;
      for (int p = 0; p < kParts; ++p) acc[p][r].Store(whole + p * kLanes);
      const int valid =
          job.outputs - output < kParts * kLanes ? job.outputs - output : kParts * kLanes;
      for (int c = 0; c < valid; ++c) to[output + c] = whole[c];
    }
  }
}

template <typename Float>
void FloatPanels(const PanelJob& job) {
  PanelJob one = job;
  for (int panel = 0; panel < job.panel_count; ++panel) {
    const std::uint8_t* weights = job.panels + static_cast<std::size_t>(panel) * job.panel_bytes;
    float* out = job.out + panel * 32;
    one.outputs = job.outputs - panel * 32 < 32 ? job.outputs - panel * 32 : 32;
    std::size_t row = 0;
    for (; row + kFloatRows <= job.rows; row += kFloatRows) {
      FloatTile<Float, kFloatRows>(one, weights, out, row);
    }
    for (; row < job.rows; ++row) FloatTile<Float, 1>(one, weights, out, row);
  }
}

/// Int8 with one scale per 32 values: the largest magnitude becomes 127.
inline void QuantizeRow(const float* x, std::size_t n, const RowTarget& target) {
  constexpr std::size_t kVectorsPerBlock = 32 / Vec::kLanes;
  alignas(64) float padded[32];
  std::uint8_t* block = target.tile;
  const auto rows = static_cast<std::size_t>(target.rows);
  const auto row = static_cast<std::size_t>(target.row);
  for (std::size_t at = 0; at < n; at += 32, block += kActBlockBytes * rows) {
    const float* from = x + at;
    if (n - at < 32) {
      for (std::size_t i = 0; i < 32; ++i) padded[i] = at + i < n ? from[i] : 0.0f;
      from = padded;
    }
    F32 most = F32::Zero();
    for (std::size_t i = 0; i < kVectorsPerBlock; ++i) {
      most = Max(most, Abs(F32::Load(from + i * Vec::kLanes)));
    }
    const float largest = Largest(most);
    const float scale = largest / 127.0f;
    const F32 inverse = F32::Set(largest > 1e-30f ? 127.0f / largest : 0.0f);
    alignas(64) std::int8_t q[32];
    for (std::size_t i = 0; i < kVectorsPerBlock; ++i) {
      (F32::Load(from + i * Vec::kLanes) * inverse).StoreI8(q + i * Vec::kLanes);
    }
    const HalfSums sums = SumHalves(q);
    const std::int32_t sum = sums.first + sums.last;
    std::uint8_t* to = block + 4 * row;
    for (int g = 0; g < 8; ++g, to += 4 * rows) {
      std::uint32_t word;
      __builtin_memcpy(&word, q + 4 * g, 4);
      if constexpr (kBiased) word ^= 0x80808080u;
      __builtin_memcpy(to, &word, 4);
    }
    const float scaled = scale * static_cast<float>(sum);
    __builtin_memcpy(to, &scale, 4);
    __builtin_memcpy(to + 4 * rows, &scaled, 4);
    __builtin_memcpy(to + 8 * rows, &sum, 4);
    __builtin_memcpy(to + 12 * rows, &sums.first, 4);
  }
}

/// The accumulators start from different values, or the compiler would see that they are equal.
inline std::uint64_t RunInt8Peak(long turns) {
  constexpr int kChains = 12;  // latency 5, two a cycle
  I32 acc[kChains];
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) acc[i] = I32::Set(i);
  const Bytes a = Bytes::Set(static_cast<std::uint8_t>(turns & 1));
  const Bytes b = Bytes::Set(2);
  for (long t = 0; t < turns; ++t) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) acc[i] = DotActivations(acc[i], a, b);
  }
  alignas(64) std::int32_t sink[kLanes];
  std::int32_t used = 0;
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) {
    acc[i].Store(sink);
    used |= sink[0];
  }
  const auto operations = static_cast<std::uint64_t>(turns) * kChains * kLanes * 8;
  return used == -1 ? 0 : operations;
}

inline PanelKernel FindKernel(DType dtype) {
  if (dtype == DType::kF32) return &FloatPanels<FloatF32>;
  if (dtype == DType::kF16) return &FloatPanels<FloatF16>;
  if (dtype == DType::kBF16) return &FloatPanels<FloatBf16>;
  PanelKernel found = nullptr;
  VisitFormat(dtype, [&]<typename Format>(Format) { found = &Panels<Format>; });
  return found;
}

inline PieceKernels FindPieceKernels(DType dtype) {
  PieceKernels found = {};
  VisitFormat(dtype, [&]<typename Format>(Format) {
    found = {&Unpack<Format>, &PassRows<Format>};
  });
  return found;
}

inline constexpr PathKernels kTable = {kPath,       kMaxTile,     kStreamRows,  false,
                                       &FindKernel, &QuantizeRow, &RunInt8Peak, &FindPieceKernels};
