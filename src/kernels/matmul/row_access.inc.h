// What kernels read of a tile of rows and of a piece, and where their sums go. Included inside a
// path's namespace, by panel.inc.h and amx_panel.inc.h.

/// Σq over the inputs of a group: the whole 32, or one half of them. `scale` is the first of the
/// block's numbers behind its bytes.
template <int kGroupsPer32, int kRows>
[[gnu::always_inline]] inline std::int32_t CodeSum(const float* scale, int group, int r) {
  const auto* sum = reinterpret_cast<const std::int32_t*>(scale + 2 * kRows);
  if constexpr (kGroupsPer32 == 1) return sum[r];
  const std::int32_t first = sum[kRows + r];
  return group == 0 ? first : sum[r] - first;
}

/// row_scale · Σq over the inputs of a group.
template <int kGroupsPer32, int kRows>
[[gnu::always_inline]] inline float ScaledSum(const float* scale, int group, int r) {
  if constexpr (kGroupsPer32 == 1) return scale[kRows + r];
  return scale[r] * static_cast<float>(CodeSum<kGroupsPer32, kRows>(scale, group, r));
}

/// Where a tile's sums come from and go to. Those of all pieces but the last wait in Scratch::sums,
/// where rows are contiguous.
struct TileSums {
  float* waiting;  ///< [rows][32]
  float* out;
  bool begin;   ///< nothing is waiting yet
  bool finish;  ///< the last piece
  bool whole;   ///< the last piece of a full panel: straight to `out`
};

inline TileSums SumsOf(const PanelJob& job, const PieceRange& range, const Tile& tile) {
  const std::size_t row = tile.first_row - job.first_row;
  const bool finish = range.first + range.count == job.blocks;
  return {job.scratch->sums[row], job.out + row * job.out_stride + range.panel * 32,
          range.first == 0, finish, finish && job.outputs - range.panel * 32 >= 32};
}

/// The outputs that a panel has, where they are fewer than 32.
inline void FinishPart(const PanelJob& job, const PieceRange& range, const Tile& tile,
                       const TileSums& sums) {
  if (!sums.finish || sums.whole) return;
  const int outputs = job.outputs - range.panel * 32;
  const float* from = sums.waiting;
  float* to = sums.out;
  for (int r = 0; r < tile.rows; ++r, from += 32, to += job.out_stride) {
    for (int c = 0; c < outputs; ++c) to[c] = from[c];
  }
}

inline const std::uint8_t* ActivationsOf(const PanelJob& job, const PieceRange& range,
                                         const Tile& tile) {
  return job.activations + tile.offset +
         range.first * kActBlockBytes * static_cast<std::size_t>(tile.room);
}

/// The piece that a thread works on, as the blocks of a format.
template <typename Format>
UnpackedBlock<32 / Format::kGroup, Format::kHasMinimum>* PieceOf(const PanelJob& job) {
  return reinterpret_cast<UnpackedBlock<32 / Format::kGroup, Format::kHasMinimum>*>(
      job.scratch->piece.bytes);
}

/// Calls pass(range) for each piece of the job's panels, in order.
template <typename Format, typename Pass>
void ForEachPiece(const PanelJob& job, const Pass& pass) {
  constexpr std::size_t kPer = Format::kBlock / 32;
  const std::size_t pieces = (job.blocks + kPieceBlocks - 1) / kPieceBlocks;
  const std::size_t each = (job.blocks + pieces * kPer - 1) / (pieces * kPer) * kPer;
  for (int panel = 0; panel < job.panel_count; ++panel) {
    for (std::size_t first = 0; first < job.blocks; first += each) {
      const std::size_t left = job.blocks - first;
      pass(PieceRange{panel, first, left < each ? left : each});
    }
  }
}
