// Rotation of heads over F32; included inside a path's region and namespace.

/// Pairs (i, i + half).
inline void RotateHalves(const float* cos_sin, std::size_t half, const RopeHeads& heads) {
  for (std::size_t h = 0; h < heads.heads; ++h) {
    float* low = heads.x + h * heads.head_dim;
    float* high = low + half;
    std::size_t i = 0;
    for (; i + F32::kLanes <= half; i += F32::kLanes) {
      const F32 c = F32::Load(cos_sin + i);
      const F32 s = F32::Load(cos_sin + half + i);
      const F32 a = F32::Load(low + i);
      const F32 b = F32::Load(high + i);
      (a * c - b * s).Store(low + i);
      (b * c + a * s).Store(high + i);
    }
    for (; i < half; ++i) {
      const float a = low[i];
      const float b = high[i];
      low[i] = a * cos_sin[i] - b * cos_sin[half + i];
      high[i] = b * cos_sin[i] + a * cos_sin[half + i];
    }
  }
}

/// Pairs (2 i, 2 i + 1), some pairs of every head at a time: x · (c, c) + swapped x · (-s, s).
inline void RotatePairs(const float* cos_sin, std::size_t half, const RopeHeads& heads) {
  constexpr std::size_t kPairs = 64;
  static_assert(2 * kPairs % F32::kLanes == 0);
  float cosines[2 * kPairs];
  float sines[2 * kPairs];
  for (std::size_t first = 0; first < half; first += kPairs) {
    const std::size_t pairs = half - first < kPairs ? half - first : kPairs;
    for (std::size_t i = 0; i < pairs; ++i) {
      cosines[2 * i] = cosines[2 * i + 1] = cos_sin[first + i];
      sines[2 * i + 1] = cos_sin[half + first + i];
      sines[2 * i] = -sines[2 * i + 1];
    }
    const std::size_t n = 2 * pairs;
    for (std::size_t h = 0; h < heads.heads; ++h) {
      float* x = heads.x + h * heads.head_dim + 2 * first;
      std::size_t i = 0;
      for (; i + F32::kLanes <= n; i += F32::kLanes) {
        const F32 v = F32::Load(x + i);
        (v * F32::Load(cosines + i) + SwapPairs(v) * F32::Load(sines + i)).Store(x + i);
      }
      for (; i < n; i += 2) {
        const float a = x[i];
        const float b = x[i + 1];
        x[i] = a * cosines[i] + b * sines[i];
        x[i + 1] = b * cosines[i] + a * sines[i + 1];
      }
    }
  }
}
