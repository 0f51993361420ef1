// What kernels read of a tile of rows and of their outputs. Included inside a path's namespace, by
// panel.inc.h and amx_panel.inc.h.

/// row_scale · Σq over the inputs of a group: the whole 32, or one half of them.
template <int kGroupsPer32, int kRows>
[[gnu::always_inline]] inline float ScaledSum(const float* scale, int group, int r) {
  if constexpr (kGroupsPer32 == 1) {
    return scale[kRows + r];
  } else {
    const auto* sum = reinterpret_cast<const std::int32_t*>(scale + 2 * kRows);
    const std::int32_t first = sum[kRows + r];
    return scale[r] * static_cast<float>(group == 0 ? first : sum[r] - first);
  }
}

/// Copies `columns` floats of each of `rows` rows.
inline void CopyRows(const float* from, std::size_t from_stride, float* to, std::size_t to_stride,
                     int rows, int columns) {
  for (int r = 0; r < rows; ++r, from += from_stride, to += to_stride) {
    for (int c = 0; c < columns; ++c) to[c] = from[c];
  }
}
