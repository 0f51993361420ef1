// Int8 attention over the vectors of one path. Included inside a path's namespace, after its i8
// header and math.inc.h, with DotUnsigned, DotPairs, kMaxTogether and kKeyParts in scope.
//
// For each block of 64 tokens and up to kMaxTogether query vectors: scores by int16 dot products,
// softmax in fp32, and the values by int8 dot products. The partial result of a block is
// merged into the sum of the blocks before it; blocks come in ascending order, so that a vector's
// result depends on its own query and the cache alone.
//
// The scales of values are put into the softmax as logarithms: a weight is 2^(score + log2 scale),
// and the highest weight of a block, which its bytes are rounded against, is known before any
// power is taken. Scores are in units of log2. A step is done for all vectors before the next one
// begins: reductions of single vectors are long chains that would otherwise be waited for.

inline constexpr int kLanes = static_cast<int>(Vec::kLanes);
inline constexpr int kTokens = 64;
/// Vectors that hold one number per token of a block.
inline constexpr int kTokenVectors = kTokens / kLanes;

inline constexpr float kLog2E = 1.44269504f;
inline constexpr float kLog2Of255 = 7.99435344f;
/// log2 of the weight of a token that isn't seen: below every other one, and finite.
inline constexpr float kUnseen = -1e30f;
/// Where nothing was seen yet. Above kUnseen, whose weight is then 0.
inline constexpr float kNothingYet = -1e29f;
/// The least scale of a value's int8 numbers; its logarithm and inverse must be ordinary numbers.
inline constexpr float kLeastScale = 1e-15f;

struct TokenNumbers {
  float at[kTokens];
  constexpr TokenNumbers() : at() {
    for (int i = 0; i < kTokens; ++i) at[i] = static_cast<float>(i);
  }
};
inline constexpr TokenNumbers kTokenNumbers;

inline Int8Tile TileAt(std::byte* tile, std::size_t head_dim) {
  auto* keys = reinterpret_cast<std::int16_t*>(tile);
  auto* values = reinterpret_cast<std::int8_t*>(keys + kTokens * head_dim);
  auto* scales = reinterpret_cast<float*>(values + kTokens * head_dim);
  return {keys, values, scales, scales + kTokens, scales + 2 * kTokens};
}

/// The largest magnitude of keys and queries whose dot products fit into 31 bits.
inline float LargestFixed(std::size_t head_dim) {
  return static_cast<float>(
      static_cast<int>(__builtin_sqrtf(2147483000.0f / static_cast<float>(head_dim))));
}

/// One stage inside vectors: pairs of lanes at kDistance become their sum and their difference.
template <int kDistance>
inline void HadamardLanes(float* x, std::size_t n) {
  alignas(64) float signs[Vec::kLanes];
  for (int i = 0; i < kLanes; ++i) signs[i] = (i & kDistance) != 0 ? -1.0f : 1.0f;
  const F32 sign = F32::Load(signs);
  for (std::size_t i = 0; i < n; i += Vec::kLanes) {
    const F32 v = F32::Load(x + i);
    Fma(v, sign, Swapped<kDistance>(v)).Store(x + i);
  }
}

/// In place, not normalized; n is a power of two, at least kLanes.
inline void Hadamard(float* x, std::size_t n) {
  HadamardLanes<1>(x, n);
  HadamardLanes<2>(x, n);
  if constexpr (kLanes > 4) HadamardLanes<4>(x, n);
  if constexpr (kLanes > 8) HadamardLanes<8>(x, n);
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

/// A key or a query, turned where that is possible, as fixed-point numbers; returns the scale.
/// `q` has room for whole vectors.
inline float FixedPoint(const float* x, std::size_t n, std::int16_t* q) {
  alignas(64) float turned[kMaxHeadDim];
  const std::size_t padded = CopyPadded(x, n, turned);
  float norm = 1.0f;
  if (n == padded && (n & (n - 1)) == 0) {
    Hadamard(turned, n);
    norm = 1.0f / __builtin_sqrtf(static_cast<float>(n));
  }
  const float largest = LargestOf(turned, padded);
  const float limit = LargestFixed(n);
  const F32 inverse = F32::Set(largest > 1e-30f ? limit / largest : 0.0f);
  for (std::size_t i = 0; i < padded; i += Vec::kLanes) {
    (F32::Load(turned + i) * inverse).StoreI16(q + i);
  }
  return largest / limit * norm;
}

inline void StoreToken(const float* key, const float* value, std::size_t head_dim,
                       std::size_t token, std::byte* at) {
  const Int8Tile tile = TileAt(at, head_dim);
  alignas(64) std::int16_t fixed[kMaxHeadDim];
  tile.key_scale[token] = FixedPoint(key, head_dim, fixed);
  for (std::size_t i = 0; i < head_dim; i += 2) {
    __builtin_memcpy(tile.keys + i * kTokens + 2 * token, fixed + i, 4);
  }
  alignas(64) float padded[kMaxHeadDim];
  alignas(64) std::int8_t q[kMaxHeadDim];
  const std::size_t n = CopyPadded(value, head_dim, padded);
  const float largest = LargestOf(padded, n);
  const float scale = largest / 127.0f > kLeastScale ? largest / 127.0f : kLeastScale;
  const F32 inverse = F32::Set(1.0f / scale);
  for (std::size_t i = 0; i < n; i += Vec::kLanes) (F32::Load(padded + i) * inverse).StoreI8(q + i);
  tile.value_log[token] = __builtin_log2f(scale);
  tile.value_inverse[token] = 1.0f / scale;
  std::int8_t* column = tile.values + token / 4 * 4 * head_dim + token % 4;
  for (std::size_t i = 0; i < head_dim; ++i) column[4 * i] = q[i];
}

/// State of the vectors of a task.
struct Running {
  alignas(64) float out[kMaxVectors][kMaxHeadDim];
  alignas(64) float sum[kMaxVectors][Vec::kLanes];  ///< of shares, in parts
  alignas(64) std::int16_t query[kMaxHeadDim / 2][kMaxVectors][2];
  float query_scale[kMaxVectors];  ///< with the scale of the scores and log2(e)
  float highest[kMaxVectors];      ///< what weights and shares are powers of two against
};

/// What kCount vectors make of one block.
template <int kCount>
struct Partial {
  /// log2 of the weights: of shares times scales of values; then 255 times the weights, from the
  /// highest.
  alignas(64) float weights[kCount][kTokens];
  alignas(64) std::uint8_t bytes[kCount][kTokens];  ///< the latter, rounded
  alignas(64) float top[Vec::kLanes];               ///< the highest of a vector's weights
  alignas(64) float keep[Vec::kLanes];              ///< factor of what was before
  alignas(64) float add[Vec::kLanes];               ///< factor of this block
};

/// Scores by int16 dot products, plus the logarithms of the values' scales.
template <int kCount>
void FindWeights(const Int8Task& task, const Int8Tile& tile, int first, const Running& running,
                 Partial<kCount>* partial) {
  const int steps = static_cast<int>(task.head_dim / 2);
  for (int part = 0; part < kTokenVectors; part += kKeyParts) {
    I32 dot[kKeyParts][kCount];
#pragma GCC unroll 8
    for (int p = 0; p < kKeyParts; ++p) {
#pragma GCC unroll 8
      for (int v = 0; v < kCount; ++v) dot[p][v] = I32::Zero();
    }
    const std::int16_t* keys = tile.keys + part * kLanes * 2;
    for (int step = 0; step < steps; ++step, keys += kTokens * 2) {
      Bytes key[kKeyParts];
#pragma GCC unroll 8
      for (int p = 0; p < kKeyParts; ++p) {
        key[p] = Bytes::Load(reinterpret_cast<const std::uint8_t*>(keys + p * kLanes * 2));
      }
#pragma GCC unroll 8
      for (int v = 0; v < kCount; ++v) {
        const Bytes query =
            Bytes::Broadcast4(reinterpret_cast<const std::int8_t*>(running.query[step][first + v]));
#pragma GCC unroll 8
        for (int p = 0; p < kKeyParts; ++p) dot[p][v] = DotPairs(dot[p][v], query, key[p]);
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < kKeyParts; ++p) {
      const int at = (part + p) * kLanes;
      const F32 key_scale = F32::Load(tile.key_scale + at);
      const F32 value_log = F32::Load(tile.value_log + at);
#pragma GCC unroll 8
      for (int v = 0; v < kCount; ++v) {
        F32 score = ToF32(dot[p][v]) * key_scale;
        const F32 query_scale = F32::Set(running.query_scale[first + v]);
        if (task.soft_cap != 0.0f) {
          const F32 cap = F32::Set(task.soft_cap * kLog2E);
          score = cap * Tanh(score * query_scale / cap) + value_log;
        } else {
          score = Fma(score, query_scale, value_log);
        }
        score.Store(partial->weights[v] + at);
      }
    }
  }
}

/// Sets the weights of tokens that a vector doesn't see to kUnseen. Scales of tokens that are not
/// there may be anything.
inline void HideUnseen(const Int8Task& task, std::size_t position, std::size_t base,
                       float* weights) {
  const std::size_t end = position + 1;  // tokens [begin, end) are seen
  const std::size_t begin = task.window != 0 && end > task.window ? end - task.window : 0;
  const F32 from = F32::Set(begin > base ? static_cast<float>(begin - base) : 0.0f);
  const F32 to = F32::Set(end > base ? static_cast<float>(end - base) : 0.0f);
  const F32 unseen = F32::Set(kUnseen);
  for (int t = 0; t < kTokens; t += kLanes) {
    const F32 token = F32::Load(kTokenNumbers.at + t);
    const F32 early = WhereLess(token, to, F32::Load(weights + t), unseen);
    WhereLess(token, from, unseen, early).Store(weights + t);
  }
}

/// Weights as bytes against the highest of the block, and the sums of the shares. kWhole: every
/// vector sees every token.
template <int kCount, bool kWhole>
void FindShares(const Int8Tile& tile, int first, Running* running, Partial<kCount>* partial) {
  for (int v = 0; v < kCount; ++v) {
    const float* weights = partial->weights[v];
    F32 most = F32::Load(weights);
    for (int t = kLanes; t < kTokens; t += kLanes) most = Max(most, F32::Load(weights + t));
    partial->top[v] = Largest(most);
  }
  const F32 top = F32::LoadPart(partial->top, kCount);
  const F32 before = F32::LoadPart(running->highest + first, kCount);
  const F32 highest = Max(before, top);
  highest.StorePart(running->highest + first, kCount);
  Exp2(before - highest).Store(partial->keep);
  (Exp2(top - highest) * F32::Set(1.0f / 255.0f)).Store(partial->add);

  for (int v = 0; v < kCount; ++v) {
    const float* weights = partial->weights[v];
    const F32 shift = F32::Set(partial->top[v] - kLog2Of255);
    F32 sum = F32::Zero();
    for (int t = 0; t < kTokens; t += 4 * kLanes) {
      F32 weight[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        const F32 power = F32::Load(weights + t + i * kLanes);
        weight[i] = Exp2(power - shift);
        const F32 more = Fma(weight[i], F32::Load(tile.value_inverse + t + i * kLanes), sum);
        sum = kWhole ? more : WhereLess(F32::Set(kUnseen), power, more, sum);
      }
      RoundToBytes(weight).Store(partial->bytes[v] + t);
    }
    float* total = running->sum[first + v];
    const F32 kept = F32::Load(total) * F32::Set(partial->keep[v]);
    Fma(sum, F32::Set(partial->add[v]), kept).Store(total);
  }
}

/// The values by int8 dot products, merged into the sum of the blocks before.
template <int kCount>
void AddValues(const Int8Task& task, const Int8Tile& tile, int first,
               const Partial<kCount>& partial, Running* running) {
  const int dims = static_cast<int>(task.head_dim);
  for (int at = 0; at < dims; at += kKeyParts * kLanes) {
    I32 dot[kKeyParts][kCount];
#pragma GCC unroll 8
    for (int p = 0; p < kKeyParts; ++p) {
#pragma GCC unroll 8
      for (int v = 0; v < kCount; ++v) dot[p][v] = I32::Zero();
    }
    const std::int8_t* values = tile.values + at * 4;
    for (int t = 0; t < kTokens / 4; ++t, values += 4 * dims) {
      Bytes value[kKeyParts];
#pragma GCC unroll 8
      for (int p = 0; p < kKeyParts; ++p) {
        value[p] = Bytes::Load(reinterpret_cast<const std::uint8_t*>(values) + p * kLanes * 4);
      }
#pragma GCC unroll 8
      for (int v = 0; v < kCount; ++v) {
        const Bytes share =
            Bytes::Broadcast4(reinterpret_cast<const std::int8_t*>(partial.bytes[v] + 4 * t));
#pragma GCC unroll 8
        for (int p = 0; p < kKeyParts; ++p) dot[p][v] = DotUnsigned(dot[p][v], share, value[p]);
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < kKeyParts; ++p) {
      if (at + p * kLanes >= dims) break;
#pragma GCC unroll 8
      for (int v = 0; v < kCount; ++v) {
        float* out = running->out[first + v] + at + p * kLanes;
        const F32 kept = F32::Load(out) * F32::Set(partial.keep[v]);
        Fma(ToF32(dot[p][v]), F32::Set(partial.add[v]), kept).Store(out);
      }
    }
  }
}

/// kCount vectors from number `first` on against one block, whose first token is `base`.
template <int kCount>
void AttendBlock(const Int8Task& task, const Int8Tile& tile, std::size_t base, int first,
                 Running* running) {
  static_assert(kCount <= kLanes);
  Partial<kCount> partial;
  FindWeights<kCount>(task, tile, first, *running, &partial);
  const std::size_t last = task.vectors[first + kCount - 1].position;
  const bool whole = task.vectors[first].position >= base + kTokens - 1 &&
                     (task.window == 0 || last < base + task.window);
  if (whole) {
    FindShares<kCount, true>(tile, first, running, &partial);
  } else {
    for (int v = 0; v < kCount; ++v) {
      HideUnseen(task, task.vectors[first + v].position, base, partial.weights[v]);
    }
    FindShares<kCount, false>(tile, first, running, &partial);
  }
  AddValues<kCount>(task, tile, first, partial, running);
}

inline void BlockBySize(const Int8Task& task, const Int8Tile& tile, std::size_t base, int first,
                        int count, Running* running) {
  switch (count) {
    case 1:
      return AttendBlock<1>(task, tile, base, first, running);
    case 2:
      return AttendBlock<2>(task, tile, base, first, running);
    case 3:
      return AttendBlock<3>(task, tile, base, first, running);
    case 4:
      return AttendBlock<4>(task, tile, base, first, running);
    default:
      if constexpr (kMaxTogether == 6) AttendBlock<6>(task, tile, base, first, running);
  }
}

/// Vectors of the next group when `left` are left.
inline int GroupOf(int left) {
  if (kMaxTogether == 6 && left >= 6 && left != 7 && left != 8) return 6;
  if (left == 5) return 3;
  return left < 4 ? left : 4;
}

inline void AttendTask(const Int8Task& task) {
  thread_local Running running;
  const std::size_t head_dim = task.head_dim;
  std::size_t begin = task.vectors[0].position + 1;
  begin = task.window != 0 && begin > task.window ? begin - task.window : 0;
  const std::size_t end = task.vectors[task.count - 1].position + 1;
  for (int v = 0; v < task.count; ++v) {
    alignas(64) std::int16_t q[kMaxHeadDim];
    running.query_scale[v] = FixedPoint(task.vectors[v].q, head_dim, q) * task.scale * kLog2E;
    for (std::size_t i = 0; i < head_dim; i += 2) {
      __builtin_memcpy(running.query[i / 2][v], q + i, 4);
    }
    const bool sink = task.vectors[v].sink > -1e29f;
    running.highest[v] = sink ? task.vectors[v].sink * kLog2E : kNothingYet;
    F32::Zero().Store(running.sum[v]);
    running.sum[v][0] = sink ? 1.0f : 0.0f;
    for (std::size_t i = 0; i < head_dim; i += Vec::kLanes) F32::Zero().Store(running.out[v] + i);
  }
  for (std::size_t block = begin / kTokens; block * kTokens < end; ++block) {
    const Int8Tile tile = TileAt(
        task.arena + static_cast<std::size_t>(task.blocks[block]) * task.block_bytes, head_dim);
    for (int first = 0; first < task.count;) {
      const int count = GroupOf(task.count - first);
      // Rows that end before this block see nothing of it.
      if (task.vectors[first + count - 1].position >= block * kTokens) {
        BlockBySize(task, tile, block * kTokens, first, count, &running);
      }
      first += count;
    }
  }
  for (int v = 0; v < task.count; ++v) {
    const F32 inverse = F32::Set(1.0f / Sum(F32::Load(running.sum[v])));
    const float* from = running.out[v];
    float* to = task.vectors[v].out;
    std::size_t i = 0;
    for (; i + Vec::kLanes <= head_dim; i += Vec::kLanes) {
      (F32::Load(from + i) * inverse).Store(to + i);
    }
    if (i < head_dim) (F32::Load(from + i) * inverse).StorePart(to + i, head_dim - i);
  }
}
