// Product of panels with all rows, over the vectors of one path. Included inside a path's
// namespace with `Vec`, F32, I32, Bytes, kBiased and kMaxTile in scope.
//
// A piece of a panel (32 outputs, some blocks of 32 inputs) is unpacked once to signed bytes and
// fp32 scales that stay in the first-level cache while all rows pass over it. So a number format
// is compiled once per path, and the products once per tile size, and neither knows the other.
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

#include "kernels/matmul/row_access.inc.h"

/// Unpacks blocks [first, first + blocks) of 32 inputs of a panel.
template <typename Format>
void Unpack(const std::uint8_t* panel, std::size_t first, int blocks, Piece* piece) {
  constexpr int kPer = Format::kBlock / 32;
  constexpr int kGroupsPer32 = 32 / Format::kGroup;
  constexpr int kStepsPerGroup = Format::kGroup / 4;
  const Bytes offset = Bytes::Set(Format::kOffset);
  panel += first / kPer * Format::kPanelBytes;
  for (int b = 0; b < blocks; b += kPer, panel += Format::kPanelBytes) {
    for (int line = 0; line < Format::kPanelBytes; line += 64) {
      __builtin_prefetch(panel + kPrefetchBytes + line);
    }
    for (int output = 0; output < 32; output += kLanes) {
      Unroll<kPer * kGroupsPer32>([&](auto group) __attribute__((always_inline)) {
        constexpr int kSub = group / kGroupsPer32;
        constexpr int kGroup = group % kGroupsPer32;
        // −128 · Σw, where w = code − offset; the codes are unsigned, so −128 is the signed factor.
        I32 start = I32::Set(128 * Format::kOffset * Format::kGroup);
        Unroll<kStepsPerGroup>([&](auto step) __attribute__((always_inline)) {
          constexpr int kStep = group * kStepsPerGroup + step;
          const Bytes codes = Format::template Codes<Vec, kStep>(panel, output);
          const Bytes weights = Format::kOffset == 0 ? codes : Subtract(codes, offset);
          weights.Store(piece->weights[b + kSub][kStep % 8][output]);
          if constexpr (kBiased) start = Dot<8>(start, codes, Bytes::Set(128));
        });
        if constexpr (kBiased) start.Store(&piece->start[b + kSub][kGroup][output]);
        Format::template Scale<Vec>(panel, group, output)
            .Store(&piece->scale[b + kSub][kGroup][output]);
        if constexpr (Format::kHasMinimum) {
          Format::template Minimum<Vec>(panel, group, output)
              .Store(&piece->minimum[b + kSub][kGroup][output]);
        }
      });
    }
  }
}

/// What a tile of rows works on.
struct PieceRows {
  int blocks;
  const std::uint8_t* act;
  float* out;
  std::size_t stride;
  bool resume;  ///< continue from what the outputs hold
};

/// kRows rows against a piece, kParts vectors of outputs at a time.
template <int kGroupsPer32, bool kHasMinimum, int kRows>
void PieceTile(const Piece& piece, const PieceRows& rows) {
  constexpr int kStepsPerGroup = 8 / kGroupsPer32;
  for (int output = 0; output < 32; output += kParts * kLanes) {
    F32 acc[kParts][kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const float* from = rows.out + static_cast<std::size_t>(r) * rows.stride + output;
#pragma GCC unroll 4
      for (int p = 0; p < kParts; ++p) {
        acc[p][r] = rows.resume ? F32::Load(from + p * kLanes) : F32::Zero();
      }
    }
    const std::uint8_t* act = rows.act;
    for (int b = 0; b < rows.blocks; ++b, act += kActBlockBytes * kRows) {
      const float* row_scale = reinterpret_cast<const float*>(act + 32 * kRows);
#pragma GCC unroll 2
      for (int group = 0; group < kGroupsPer32; ++group) {
        I32 dot[kParts][kRows];
#pragma GCC unroll 4
        for (int p = 0; p < kParts; ++p) {
#pragma GCC unroll 8
          for (int r = 0; r < kRows; ++r) {
            dot[p][r] = LoadStart(&piece.start[b][group][output + p * kLanes]);
          }
        }
#pragma GCC unroll 8
        for (int s = 0; s < kStepsPerGroup; ++s) {
          const int step = group * kStepsPerGroup + s;
          Bytes weights[kParts];
#pragma GCC unroll 4
          for (int p = 0; p < kParts; ++p) {
            weights[p] = Bytes::Load(piece.weights[b][step][output + p * kLanes]);
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
          const F32 scale = F32::Load(&piece.scale[b][group][at]);
#pragma GCC unroll 8
          for (int r = 0; r < kRows; ++r) {
            acc[p][r] = Fma(ToF32(dot[p][r]), scale * F32::Set(row_scale[r]), acc[p][r]);
          }
          if constexpr (kHasMinimum) {
            const F32 minimum = F32::Load(&piece.minimum[b][group][at]);
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
void TileBySize(const Piece& piece, int size, const PieceRows& rows) {
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

/// All rows of the input against one piece of panel number `panel` of the job.
template <int kGroupsPer32, bool kHasMinimum>
void PassRows(const Piece& piece, const PanelJob& job, int panel, std::size_t first_block,
              int blocks) {
  const bool resume = first_block != 0;
  const int outputs = job.outputs - panel * 32;
  alignas(64) float whole[kMaxTile * 32];  // the last panel's rows, filled up to whole vectors
  for (std::size_t t = 0; t < job.tile_count; ++t) {
    const Tile& tile = job.tiles[t];
    const std::uint8_t* act = job.activations + tile.offset +
                              first_block * kActBlockBytes * static_cast<std::size_t>(tile.rows);
    float* out = job.out + tile.first_row * job.out_stride + panel * 32;
    if (outputs >= 32) {
      TileBySize<kGroupsPer32, kHasMinimum>(piece, tile.rows,
                                            {blocks, act, out, job.out_stride, resume});
      continue;
    }
    if (resume) CopyRows(out, job.out_stride, whole, 32, tile.rows, outputs);
    TileBySize<kGroupsPer32, kHasMinimum>(piece, tile.rows, {blocks, act, whole, 32, resume});
    CopyRows(whole, 32, out, job.out_stride, tile.rows, outputs);
  }
}

template <typename Format>
void Panels(const PanelJob& job) {
  const std::size_t most = job.tile_count > 1 ? kPieceBlocks : kPieceBlocks / 2;
  for (std::size_t first = 0; first < job.blocks; first += most) {
    const std::size_t left = job.blocks - first;
    const int blocks = static_cast<int>(left < most ? left : most);
    for (int panel = 0; panel < job.panel_count; ++panel) {
      Unpack<Format>(job.panels + static_cast<std::size_t>(panel) * job.panel_bytes, first, blocks,
                     job.piece);
      PassRows<32 / Format::kGroup, Format::kHasMinimum>(*job.piece, job, panel, first, blocks);
    }
  }
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
    F32 halves[2] = {F32::Zero(), F32::Zero()};  // sums of small integers: exact in any order
    for (std::size_t i = 0; i < kVectorsPerBlock; ++i) {
      const F32 rounded = RoundNearest(F32::Load(from + i * Vec::kLanes) * inverse);
      rounded.StoreI8(q + i * Vec::kLanes);
      halves[2 * i / kVectorsPerBlock] = halves[2 * i / kVectorsPerBlock] + rounded;
    }
    const auto first = static_cast<std::int32_t>(Sum(halves[0]));
    const std::int32_t sum = first + static_cast<std::int32_t>(Sum(halves[1]));
    for (std::size_t g = 0; g < 8; ++g) {
      std::uint32_t word;
      __builtin_memcpy(&word, q + 4 * g, 4);
      if constexpr (kBiased) word ^= 0x80808080u;
      __builtin_memcpy(block + (g * rows + row) * 4, &word, 4);
    }
    const float scaled = scale * static_cast<float>(sum);
    std::uint8_t* tail = block + 32 * rows + 4 * row;
    __builtin_memcpy(tail, &scale, 4);
    __builtin_memcpy(tail + 4 * rows, &scaled, 4);
    __builtin_memcpy(tail + 8 * rows, &sum, 4);
    __builtin_memcpy(tail + 12 * rows, &first, 4);
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
    found = {&Unpack<Format>, &PassRows<32 / Format::kGroup, Format::kHasMinimum>};
  });
  return found;
}

inline constexpr PathKernels kTable = {
    kPath, kMaxTile, false, &FindKernel, &QuantizeRow, &RunInt8Peak, &FindPieceKernels};
