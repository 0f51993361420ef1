// Reductions over F32; included inside a path's region and namespace, after simd/math.inc.h.

/// Largest value, NaN counting as -inf; -inf if n is 0.
inline float LargestOf(const float* x, std::size_t n) {
  constexpr std::size_t kStep = 4 * F32::kLanes;
  const F32 lowest = F32::Set(-__builtin_inff());
  F32 best[4] = {lowest, lowest, lowest, lowest};
  std::size_t i = 0;
  // Max(value, best) is `best` where the value is NaN.
  for (; i + kStep <= n; i += kStep) {
#pragma GCC unroll 4
    for (std::size_t c = 0; c < 4; ++c) best[c] = Max(F32::Load(x + i + c * F32::kLanes), best[c]);
  }
  for (; i + F32::kLanes <= n; i += F32::kLanes) best[0] = Max(F32::Load(x + i), best[0]);
  float largest = Largest(Max(Max(best[0], best[1]), Max(best[2], best[3])));
  for (; i < n; ++i) {
    if (x[i] > largest) largest = x[i];
  }
  return largest;
}

/// Sum of function(vector of x), whose lanes past n count as zero; four chains.
template <typename Function>
inline float SumOf(const float* x, std::size_t n, const Function& function) {
  constexpr std::size_t kStep = 4 * F32::kLanes;
  F32 sum[4] = {F32::Zero(), F32::Zero(), F32::Zero(), F32::Zero()};
  std::size_t i = 0;
  for (; i + kStep <= n; i += kStep) {
#pragma GCC unroll 4
    for (std::size_t c = 0; c < 4; ++c) {
      sum[c] = sum[c] + function(F32::Load(x + i + c * F32::kLanes));
    }
  }
  for (; i + F32::kLanes <= n; i += F32::kLanes) {
    sum[0] = sum[0] + function(F32::Load(x + i));
  }
  float total = Sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
  if (i == n) return total;
  float rest[F32::kLanes];
  function(F32::LoadPart(x + i, n - i)).Store(rest);
  for (std::size_t k = 0; i + k < n; ++k) total += rest[k];
  return total;
}

struct Same {
  F32 operator()(F32 x) const { return x; }
};

struct ExpFrom {
  F32 shift;
  F32 operator()(F32 x) const { return Exp(x - shift); }
};

struct ScaledExpFrom {
  F32 shift;
  F32 scale;
  F32 operator()(F32 x) const {
    // Max(value, lowest) is `lowest` where the value is NaN.
    return Exp(Max((x - shift) * scale, F32::Set(-__builtin_inff())));
  }
};

inline float SumExp(const float* x, std::size_t n, float shift, float scale) {
  return SumOf(x, n, ScaledExpFrom{F32::Set(shift), F32::Set(scale)});
}

/// Σ e^(x[i] - shift).
inline float SumExpFrom(const float* x, std::size_t n, float shift) {
  return SumOf(x, n, ExpFrom{F32::Set(shift)});
}

inline void Softmax(const float* x, std::size_t n, float* out) {
  const float largest = LargestOf(x, n);
  const bool none = largest == -__builtin_inff();
  const F32 shift = F32::Set(none ? 0.0f : largest);
  std::size_t i = 0;
  for (; i + F32::kLanes <= n; i += F32::kLanes) Exp(F32::Load(x + i) - shift).Store(out + i);
  if (i < n) Exp(F32::LoadPart(x + i, n - i) - shift).StorePart(out + i, n - i);
  const float sum = SumOf(out, n, Same());
  const F32 scale = F32::Set(sum == 0.0f ? 0.0f : 1.0f / sum);
  for (i = 0; i + F32::kLanes <= n; i += F32::kLanes) (F32::Load(out + i) * scale).Store(out + i);
  if (i < n) (F32::LoadPart(out + i, n - i) * scale).StorePart(out + i, n - i);
}

inline std::size_t ArgMax(const float* x, std::size_t n) {
  constexpr std::size_t kBlock = 512;
  float best = -__builtin_inff();
  std::size_t where = n;
  for (std::size_t i = 0; i < n; i += kBlock) {
    const float largest = LargestOf(x + i, n - i < kBlock ? n - i : kBlock);
    if (largest > best) {
      best = largest;
      where = i;
    }
  }
  // Where nothing is above -inf, the first -inf wins over the NaNs before it.
  for (std::size_t i = where == n ? 0 : where; i < n; ++i) {
    if (x[i] == best) return i;
  }
  return 0;
}

inline void SoftCap(float* x, std::size_t n, float cap) {
  const F32 scale = F32::Set(cap);
  std::size_t i = 0;
  for (; i + F32::kLanes <= n; i += F32::kLanes) {
    (scale * Tanh(F32::Load(x + i) / scale)).Store(x + i);
  }
  if (i < n) (scale * Tanh(F32::LoadPart(x + i, n - i) / scale)).StorePart(x + i, n - i);
}

inline void BlockMaxima(const float* x, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; i += kMaximaBlock) {
    *out++ = LargestOf(x + i, n - i < kMaximaBlock ? n - i : kMaximaBlock);
  }
}
