// Norms over F32; included inside a path's region and namespace.

/// Σ (x[i] - shift)², in four chains of vectors.
inline float SumOfSquares(const float* x, float shift, std::size_t n) {
  constexpr std::size_t kStep = 4 * F32::kLanes;
  const F32 center = F32::Set(shift);
  F32 sum[4] = {F32::Zero(), F32::Zero(), F32::Zero(), F32::Zero()};
  std::size_t i = 0;
  for (; i + kStep <= n; i += kStep) {
#pragma GCC unroll 4
    for (std::size_t c = 0; c < 4; ++c) {
      const F32 d = F32::Load(x + i + c * F32::kLanes) - center;
      sum[c] = Fma(d, d, sum[c]);
    }
  }
  for (; i + F32::kLanes <= n; i += F32::kLanes) {
    const F32 d = F32::Load(x + i) - center;
    sum[0] = Fma(d, d, sum[0]);
  }
  float rest = 0.0f;
  for (; i < n; ++i) rest += (x[i] - shift) * (x[i] - shift);
  return Sum((sum[0] + sum[1]) + (sum[2] + sum[3])) + rest;
}

inline float SumOfValues(const float* x, std::size_t n) {
  constexpr std::size_t kStep = 4 * F32::kLanes;
  F32 sum[4] = {F32::Zero(), F32::Zero(), F32::Zero(), F32::Zero()};
  std::size_t i = 0;
  for (; i + kStep <= n; i += kStep) {
#pragma GCC unroll 4
    for (std::size_t c = 0; c < 4; ++c) sum[c] = sum[c] + F32::Load(x + i + c * F32::kLanes);
  }
  for (; i + F32::kLanes <= n; i += F32::kLanes) sum[0] = sum[0] + F32::Load(x + i);
  float rest = 0.0f;
  for (; i < n; ++i) rest += x[i];
  return Sum((sum[0] + sum[1]) + (sum[2] + sum[3])) + rest;
}

inline void RmsNorm(const float* x, const float* weight, float epsilon, std::size_t n, float* out) {
  const float mean = SumOfSquares(x, 0.0f, n) / static_cast<float>(n);
  const F32 scale = F32::Set(1.0f / __builtin_sqrtf(mean + epsilon));
  std::size_t i = 0;
  if (weight == nullptr) {
    for (; i + F32::kLanes <= n; i += F32::kLanes) (F32::Load(x + i) * scale).Store(out + i);
    if (i < n) (F32::LoadPart(x + i, n - i) * scale).StorePart(out + i, n - i);
    return;
  }
  for (; i + F32::kLanes <= n; i += F32::kLanes) {
    (F32::Load(x + i) * scale * F32::Load(weight + i)).Store(out + i);
  }
  if (i < n) {
    const F32 part = F32::LoadPart(x + i, n - i) * scale * F32::LoadPart(weight + i, n - i);
    part.StorePart(out + i, n - i);
  }
}

inline void LayerNorm(const float* x, const LayerNormWeights& weights, float epsilon, std::size_t n,
                      float* out) {
  const float mean = SumOfValues(x, n) / static_cast<float>(n);
  const float variance = SumOfSquares(x, mean, n) / static_cast<float>(n);
  const F32 center = F32::Set(mean);
  const F32 scale = F32::Set(1.0f / __builtin_sqrtf(variance + epsilon));
  for (std::size_t i = 0; i < n; i += F32::kLanes) {
    const std::size_t part = n - i;
    const bool full = part >= F32::kLanes;
    const auto load = [&](const float* p) {
      return full ? F32::Load(p + i) : F32::LoadPart(p + i, part);
    };
    F32 y = (load(x) - center) * scale;
    if (weights.weight != nullptr) y = y * load(weights.weight);
    if (weights.bias != nullptr) y = y + load(weights.bias);
    if (full) {
      y.Store(out + i);
    } else {
      y.StorePart(out + i, part);
    }
  }
}
