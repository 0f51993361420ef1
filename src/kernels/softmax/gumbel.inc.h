// Gumbel-max over F32 and integers; included inside a path's region and namespace, after
// softmax.inc.h.

/// NoiseBits of softmax/gumbel.h; the loops over it are vectorized by the compiler.
inline std::uint32_t NoiseOf(NoiseKey key, std::uint32_t token) {
  std::uint32_t h = token ^ key.first;
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) * 0x846ca68bu;
  h = (h ^ (h >> 16)) + key.second;
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) * 0x846ca68bu;
  return h ^ (h >> 16);
}

inline double GumbelOf(std::uint32_t bits) {
  return -__builtin_log(-__builtin_log((static_cast<double>(bits) + 0.5) * 0x1p-32));
}

/// Noise comes only to tokens that it could make win. A block is passed over if its largest value
/// is too far below the best score so far: noise of d or more needs u >= 1 - e^-d.
inline std::size_t GumbelArgMax(const float* x, std::size_t n, double scale, NoiseKey key) {
  constexpr std::size_t kBlock = 256;
  constexpr double kMost = 22.9;  // more than any noise
  std::size_t winner = ArgMax(x, n);
  if (n == 0 || !(x[winner] > -__builtin_inff())) return n;
  if (x[winner] == __builtin_inff()) return winner;
  double best = x[winner] * scale + GumbelOf(NoiseOf(key, static_cast<std::uint32_t>(winner)));
  for (std::size_t first = 0; first < n; first += kBlock) {
    const std::size_t count = n - first < kBlock ? n - first : kBlock;
    const double missing = best - LargestOf(x + first, count) * scale;
    if (missing > kMost) continue;
    std::uint32_t noise[kBlock];
    for (std::size_t i = 0; i < kBlock; ++i) {
      noise[i] = NoiseOf(key, static_cast<std::uint32_t>(first + i));
    }
    // One part in 2^20 less, for the rounding of exp.
    const double least = missing > 0.0 ? 1.0 - __builtin_exp(-missing) * (1.0 + 0x1p-20) : 0.0;
    const auto least_bits = least > 0.0 ? static_cast<std::uint32_t>(least * 0x1p32) : 0u;
    std::uint32_t most = 0;
    for (std::size_t i = 0; i < kBlock; ++i) most = noise[i] > most ? noise[i] : most;
    if (most < least_bits) continue;
    for (std::size_t i = 0; i < count; ++i) {
      if (noise[i] < least_bits || !(x[first + i] > -__builtin_inff())) continue;
      const double score = x[first + i] * scale + GumbelOf(noise[i]);
      const bool before = score == best && first + i < winner;
      if (score > best || before) {
        best = score;
        winner = first + i;
      }
    }
  }
  return winner;
}
