// Shares of a row over F32; included inside a path's region and namespace, after softmax.inc.h.

/// y of ShareOrder; -inf for NaN: Max(value, lowest) is `lowest` there.
inline F32 ScaledLogit(F32 x, const ShareOrder& order) {
  return Max((x - F32::Set(order.shift)) * F32::Set(order.scale), F32::Set(-__builtin_inff()));
}

inline F32 OrderOf(F32 y, const ShareOrder& order) {
  return F32::Zero() - Abs(y - F32::Set(order.center));
}

/// The first n values, the other lanes -inf; n <= kLanes.
inline F32 LoadLogits(const float* x, std::size_t n) {
  if (n >= F32::kLanes) return F32::Load(x);
  float padded[F32::kLanes];
  for (std::size_t i = 0; i < F32::kLanes; ++i) padded[i] = i < n ? x[i] : -__builtin_inff();
  return F32::Load(padded);
}

/// Values that are summed before their sum joins the whole: long chains of additions lose digits.
inline constexpr std::size_t kSumBlock = 1024;

inline EntropySums SumEntropy(const float* x, std::size_t n, const ShareOrder& order) {
  F32 mass = F32::Zero();
  F32 weighted = F32::Zero();
  for (std::size_t first = 0; first < n; first += kSumBlock) {
    const std::size_t end = n - first < kSumBlock ? n : first + kSumBlock;
    F32 block_mass = F32::Zero();
    F32 block_weighted = F32::Zero();
    for (std::size_t i = first; i < end; i += F32::kLanes) {
      // At -100 the mass is 0 already, and 0 · -inf is kept out of the sum.
      const F32 y = Max(ScaledLogit(LoadLogits(x + i, end - i), order), F32::Set(-100.0f));
      const F32 e = Exp(y);
      block_mass = block_mass + e;
      block_weighted = Fma(y, e, block_weighted);
    }
    mass = mass + block_mass;
    weighted = weighted + block_weighted;
  }
  return {Sum(mass), Sum(weighted)};
}

inline void MassAbove(const float* x, std::size_t n, const ShareOrder& order,
                      const float* thresholds, float* masses) {
  static_assert(kShareThresholds == 4);
  F32 sum[4] = {F32::Zero(), F32::Zero(), F32::Zero(), F32::Zero()};
  for (std::size_t first = 0; first < n; first += kSumBlock) {
    const std::size_t end = n - first < kSumBlock ? n : first + kSumBlock;
    F32 block[4] = {F32::Zero(), F32::Zero(), F32::Zero(), F32::Zero()};
    for (std::size_t i = first; i < end; i += F32::kLanes) {
      const F32 y = ScaledLogit(LoadLogits(x + i, end - i), order);
      const F32 v = OrderOf(y, order);
      const F32 e = Exp(y);
#pragma GCC unroll 4
      for (std::size_t t = 0; t < 4; ++t) {
        block[t] = block[t] + WhereLess(v, F32::Set(thresholds[t]), F32::Zero(), e);
      }
    }
#pragma GCC unroll 4
    for (std::size_t t = 0; t < 4; ++t) sum[t] = sum[t] + block[t];
  }
#pragma GCC unroll 4
  for (std::size_t t = 0; t < 4; ++t) masses[t] = Sum(sum[t]);
}

inline void SplitAt(const float* x, std::size_t n, const ShareOrder& order, float threshold,
                    float* kept, float* below) {
  const F32 lowest = F32::Set(-__builtin_inff());
  const F32 limit = F32::Set(threshold);
  for (std::size_t first = 0; first < n; first += kMaximaBlock) {
    const std::size_t end = n - first < kMaximaBlock ? n : first + kMaximaBlock;
    F32 largest = lowest;
    for (std::size_t i = first; i < end; i += F32::kLanes) {
      const F32 value = LoadLogits(x + i, end - i);
      const F32 v = OrderOf(ScaledLogit(value, order), order);
      const F32 split = WhereLess(v, limit, lowest, value);
      if (end - i >= F32::kLanes) {
        split.Store(kept + i);
      } else {
        split.StorePart(kept + i, end - i);
      }
      largest = Max(WhereLess(v, limit, v, lowest), largest);
    }
    *below++ = Largest(largest);
  }
}
