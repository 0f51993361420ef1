// Int8 attention over the vectors of one path. Included inside a path's namespace, after its i8
// header and math.inc.h, with DotUnsigned, DotPairs, kMaxTogether and kKeyParts in scope.
//
// For each block of 64 tokens and up to kMaxTogether query vectors: scores by int16 dot products,
// softmax in fp32, and the values by int8 dot products. The partial result of a block is
// merged into the sum of the blocks before it; blocks come in ascending order, so that a vector's
// result depends on its own query and the cache alone.

inline constexpr int kLanes = static_cast<int>(Vec::kLanes);
inline constexpr int kTokens = 64;
/// Vectors that hold one number per token of a block.
inline constexpr int kTokenVectors = kTokens / kLanes;

inline Int8Tile TileAt(std::byte* tile, std::size_t head_dim) {
  auto* keys = reinterpret_cast<std::int16_t*>(tile);
  auto* values = reinterpret_cast<std::int8_t*>(keys + kTokens * head_dim);
  auto* scales = reinterpret_cast<float*>(values + kTokens * head_dim);
  return {keys, values, scales, scales + kTokens};
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
  const F32 inverse = F32::Set(largest > 1e-30f ? 127.0f / largest : 0.0f);
  for (std::size_t i = 0; i < n; i += Vec::kLanes) (F32::Load(padded + i) * inverse).StoreI8(q + i);
  tile.value_scale[token] = largest / 127.0f;
  std::int8_t* column = tile.values + token / 4 * 4 * head_dim + token % 4;
  for (std::size_t i = 0; i < head_dim; ++i) column[4 * i] = q[i];
}

/// State of the vectors of a task.
struct Running {
  alignas(64) float out[kMaxVectors][kMaxHeadDim];
  alignas(64) std::int16_t query[kMaxHeadDim / 2][kMaxVectors][2];
  float query_scale[kMaxVectors];  ///< with the scale of the scores
  float highest[kMaxVectors];
  float sum[kMaxVectors];
};

/// kCount vectors from number `first` on against one block.
template <int kCount>
void AttendBlock(const Int8Task& task, const Int8Tile& tile, std::size_t base, int first,
                 Running* running) {
  alignas(64) float scores[kCount][kTokens];
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
        const Bytes query = Bytes::Broadcast4(
            reinterpret_cast<const std::int8_t*>(running->query[step][first + v]));
#pragma GCC unroll 8
        for (int p = 0; p < kKeyParts; ++p) dot[p][v] = DotPairs(dot[p][v], query, key[p]);
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < kKeyParts; ++p) {
      const F32 key_scale = F32::Load(tile.key_scale + (part + p) * kLanes);
#pragma GCC unroll 8
      for (int v = 0; v < kCount; ++v) {
        const F32 score =
            ToF32(dot[p][v]) * (key_scale * F32::Set(running->query_scale[first + v]));
        score.Store(scores[v] + (part + p) * kLanes);
      }
    }
  }

  alignas(64) std::uint8_t shares[kCount][kTokens];
  float share_scale[kCount];
  for (int v = 0; v < kCount; ++v) {
    const QueryVector& vector = task.vectors[first + v];
    const std::size_t end = vector.position + 1;  // tokens [begin, end) are seen
    const std::size_t begin = task.window != 0 && end > task.window ? end - task.window : 0;
    const int from = begin > base ? static_cast<int>(begin - base) : 0;
    const int to = end >= base + kTokens ? kTokens : end > base ? static_cast<int>(end - base) : 0;
    share_scale[v] = 0.0f;
    if (from >= to) {
      __builtin_memset(shares[v], 0, kTokens);
      continue;
    }
    float* score = scores[v];
    if (task.soft_cap != 0.0f) {
      const F32 cap = F32::Set(task.soft_cap);
      for (int t = 0; t < kTokens; t += kLanes) {
        (cap * Tanh(F32::Load(score + t) / cap)).Store(score + t);
      }
    }
    for (int t = 0; t < from; ++t) score[t] = -__builtin_inff();
    for (int t = to; t < kTokens; ++t) score[t] = -__builtin_inff();
    F32 most = F32::Load(score);
    for (int t = kLanes; t < kTokens; t += kLanes) most = Max(most, F32::Load(score + t));
    const float before = running->highest[first + v];
    const float block = Largest(most);
    const float highest = block > before ? block : before;
    const F32 shift = F32::Set(highest);
    F32 sum = F32::Zero();
    F32 largest = F32::Zero();
    const F32 nothing = F32::Zero();
    for (int t = 0; t < kTokens; t += kLanes) {
      const F32 s = F32::Load(score + t);
      const F32 share = Exp(s - shift);
      sum = sum + share;
      // Scales of tokens that are not there may be anything.
      const F32 weighted =
          WhereLess(nothing, share, share * F32::Load(tile.value_scale + t), nothing);
      largest = Max(largest, weighted);
      weighted.Store(score + t);
    }
    const float keep = highest == before ? 1.0f : First(Exp(F32::Set(before - highest)));
    running->highest[first + v] = highest;
    running->sum[first + v] = running->sum[first + v] * keep + Sum(sum);
    if (keep != 1.0f) {
      float* out = running->out[first + v];
      for (std::size_t i = 0; i < task.head_dim; i += Vec::kLanes) {
        (F32::Load(out + i) * F32::Set(keep)).Store(out + i);
      }
    }
    const float top = Largest(largest);
    share_scale[v] = top / 255.0f;
    const F32 inverse = F32::Set(top > 1e-30f ? 255.0f / top : 0.0f);
    const F32 middle = F32::Set(128.0f);  // StoreI8 is signed; the bits are turned back below
    alignas(64) std::int8_t rounded[kTokens];
    for (int t = 0; t < kTokens; t += kLanes) {
      (F32::Load(score + t) * inverse - middle).StoreI8(rounded + t);
    }
    for (int t = 0; t < kTokens; t += 4 * kLanes) {
      const Bytes biased = Bytes::Load(reinterpret_cast<const std::uint8_t*>(rounded) + t);
      (biased ^ Bytes::Set(128)).Store(shares[v] + t);
    }
  }

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
            Bytes::Broadcast4(reinterpret_cast<const std::int8_t*>(shares[v] + 4 * t));
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
        Fma(ToF32(dot[p][v]), F32::Set(share_scale[v]), F32::Load(out)).Store(out);
      }
    }
  }
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
    running.query_scale[v] = FixedPoint(task.vectors[v].q, head_dim, q) * task.scale;
    for (std::size_t i = 0; i < head_dim; i += 2) {
      __builtin_memcpy(running.query[i / 2][v], q + i, 4);
    }
    // Low but finite, so that differences of it are never NaN.
    const bool sink = task.vectors[v].sink > -1e30f;
    running.highest[v] = sink ? task.vectors[v].sink : -1e30f;
    running.sum[v] = sink ? 1.0f : 0.0f;
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
    const F32 inverse = F32::Set(1.0f / running.sum[v]);
    const float* from = running.out[v];
    float* to = task.vectors[v].out;
    std::size_t i = 0;
    for (; i + Vec::kLanes <= head_dim; i += Vec::kLanes) {
      (F32::Load(from + i) * inverse).Store(to + i);
    }
    if (i < head_dim) (F32::Load(from + i) * inverse).StorePart(to + i, head_dim - i);
  }
}
