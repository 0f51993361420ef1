// How keys, queries and values become whole numbers. Included before attention.inc.h.

inline constexpr int kLanes = static_cast<int>(Vec::kLanes);
inline constexpr int kTokens = 64;

/// What PrepareQuery of a format leaves.
struct QueryNumbers {
  float scale;             ///< of a score
  std::int32_t start = 0;  ///< what a score's sum begins with
};

/// One stage inside vectors: pairs of lanes at kDistance become their sum and their difference.
template <int kDistance>
inline void HadamardLanes(float* x, std::size_t n) {
  alignas(64) float signs[Vec::kLanes];
  for (std::size_t i = 0; i < Vec::kLanes; ++i) signs[i] = (i & kDistance) != 0 ? -1.0f : 1.0f;
  const F32 sign = F32::Load(signs);
  for (std::size_t i = 0; i < n; i += Vec::kLanes) {
    const F32 v = F32::Load(x + i);
    Fma(v, sign, Swapped<kDistance>(v)).Store(x + i);
  }
}

/// In place, not normalized; n is a power of two, at least the lanes of a vector.
inline void Hadamard(float* x, std::size_t n) {
  HadamardLanes<1>(x, n);
  HadamardLanes<2>(x, n);
  if constexpr (Vec::kLanes > 4) HadamardLanes<4>(x, n);
  if constexpr (Vec::kLanes > 8) HadamardLanes<8>(x, n);
  for (std::size_t half = Vec::kLanes; half < n; half *= 2) {
    for (std::size_t i = 0; i < n; i += 2 * half) {
      for (std::size_t j = i; j < i + half; j += Vec::kLanes) {
        const F32 a = F32::Load(x + j);
        const F32 b = F32::Load(x + j + half);
        (a + b).Store(x + j);
        (a - b).Store(x + j + half);
      }
    }
  }
}

inline float LargestOf(const float* x, std::size_t n) {
  F32 most = F32::Zero();
  for (std::size_t i = 0; i < n; i += Vec::kLanes) most = Max(most, Abs(F32::Load(x + i)));
  return Largest(most);
}

/// Copies n values and fills the last vector up with zeros; returns the length then.
inline std::size_t CopyPadded(const float* x, std::size_t n, float* to) {
  std::size_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) F32::Load(x + i).Store(to + i);
  if (i < n) F32::LoadPart(x + i, n - i).Store(to + i);
  return (n + Vec::kLanes - 1) / Vec::kLanes * Vec::kLanes;
}

/// A vector, turned by a Hadamard matrix where n is a power of two: q·k stays as it is, and
/// channels of large keys are spread over all dimensions (QuaRot, Ashkboos et al. 2024).
struct Turned {
  alignas(64) float x[kMaxHeadDim];  ///< in whole vectors
  std::size_t padded;
  float norm;  ///< the product of two such vectors is too large by 1 / norm²
};
inline void Turn(const float* x, std::size_t n, Turned* turned) {
  turned->padded = CopyPadded(x, n, turned->x);
  turned->norm = 1.0f;
  if (n == turned->padded && (n & (n - 1)) == 0) {
    Hadamard(turned->x, n);
    turned->norm = 1.0f / __builtin_sqrtf(static_cast<float>(n));
  }
}

/// The largest magnitude of keys and queries whose dot products fit into 31 bits.
inline float LargestFixed(std::size_t head_dim) {
  return static_cast<float>(
      static_cast<int>(__builtin_sqrtf(2147483000.0f / static_cast<float>(head_dim))));
}

/// A key or a query as whole numbers up to `limit`, turned; returns their scale. `q` has room for
/// whole vectors.
inline float FixedPoint(const float* x, std::size_t n, float limit, std::int16_t* q) {
  Turned turned;
  Turn(x, n, &turned);
  const float largest = LargestOf(turned.x, turned.padded);
  const F32 inverse = F32::Set(largest > 1e-30f ? limit / largest : 0.0f);
  for (std::size_t i = 0; i < turned.padded; i += Vec::kLanes) {
    (F32::Load(turned.x + i) * inverse).StoreI16(q + i);
  }
  return largest / limit * turned.norm;
}

/// The least scale of a value's numbers; its logarithm and inverse must be ordinary numbers.
inline constexpr float kLeastScale = 1e-15f;

/// n values, in whole vectors, as numbers in [-kMost, kMost]; returns their scale.
template <int kMost>
inline float QuantizeValue(const float* x, std::size_t n, std::int8_t* q) {
  const float wanted = LargestOf(x, n) / static_cast<float>(kMost);
  const float scale = wanted > kLeastScale ? wanted : kLeastScale;
  const F32 inverse = F32::Set(1.0f / scale);
  for (std::size_t i = 0; i < n; i += Vec::kLanes) (F32::Load(x + i) * inverse).StoreI8(q + i);
  return scale;
}
