// Attention over the vectors of one path, for any format of keys and values. Included inside a
// path's namespace, after its i8 header and math.inc.h, with kMaxTogether and kParts in scope.
//
// For each block of 64 tokens and up to kMaxTogether query vectors: scores, softmax in fp32, and
// the sum of the values. The partial result of a block is merged into the sum of the blocks before
// it; blocks come in ascending order, so that a vector's result depends on its own query and the
// cache alone, whatever vectors share the way through a block.
//
// A format (kv_*.inc.h) is a class that says what keys, queries and values look like and how they
// are multiplied; see Scaled and Half. Scores are in units of log2. The scales of values are put
// into the softmax as logarithms: a weight is 2^(score + log2 scale), and the highest weight of a
// block, which bytes are rounded against, is known before any power is taken.
//
// A step is done for all vectors before the next one begins: reductions of single vectors are long
// chains that would otherwise be waited for.

/// Vectors that hold one number per token of a block.
inline constexpr int kTokenVectors = kTokens / kLanes;

inline constexpr float kLog2E = 1.44269504f;
inline constexpr float kLog2Of255 = 7.99435344f;
/// log2 of the weight of a token that isn't seen: below every other one, and finite.
inline constexpr float kUnseen = -1e30f;
/// Where nothing was seen yet. Above kUnseen, whose weight is then 0.
inline constexpr float kNothingYet = -1e29f;

struct TokenNumbers {
  float at[kTokens];
  constexpr TokenNumbers() : at() {
    for (int i = 0; i < kTokens; ++i) at[i] = static_cast<float>(i);
  }
};
inline constexpr TokenNumbers kTokenNumbers;

/// State of the vectors of a task. Rows are a cache line longer than they need be, else those of
/// several vectors would fall into the same few lines of the first-level cache.
struct Running {
  alignas(64) float out[kMostVectors][kMaxHeadDim + 16];
  alignas(64) std::uint8_t query[kMostVectors][4 * kMaxHeadDim + 64];  ///< words of the format
  alignas(64) float sum[kMostVectors][Vec::kLanes];                    ///< of shares, in parts
  float query_scale[kMostVectors];   ///< with the scale of the scores and log2(e)
  float highest[kMostVectors];       ///< what weights and shares are powers of two against
  std::int32_t start[kMostVectors];  ///< of a score's sum
  std::size_t begin[kMostVectors];   ///< blocks that are seen
  std::size_t end[kMostVectors];
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

inline F32 ToF32(F32 a) { return a; }

/// kCount vectors of a task, from number `first` on, and the block that they meet.
struct Meeting {
  const AttentionTask& task;
  Running& running;
  std::byte* tile;
  int first;
  int tokens;  ///< no vector sees more of the block; the rest is not read
};

/// Scores of the tokens of vectors [part, part + kWide) of tokens, plus the logarithms of the
/// values' scales.
template <typename Format, int kCount, int kWide>
void ScoreTokens(const Meeting& meeting, int part, Partial<kCount>* partial) {
  using Sum = typename Format::Sum;
  constexpr int kStep = Format::kDims * Format::kSubs;
  const Running& running = meeting.running;
  const auto tile = Format::TileAt(meeting.tile, meeting.task.head_dim);
  const int steps = (static_cast<int>(meeting.task.head_dim) + kStep - 1) / kStep;
  Sum dot[kWide][kCount];
#pragma GCC unroll 8
  for (int p = 0; p < kWide; ++p) {
#pragma GCC unroll 8
    for (int v = 0; v < kCount; ++v) dot[p][v] = Format::Start(running.start[meeting.first + v]);
  }
  const std::uint8_t* keys = tile.keys + part * kLanes * Format::kKeyBytes;
  const std::uint8_t* queries = running.query[meeting.first];
  for (int step = 0; step < steps; ++step, keys += kTokens * Format::kKeyBytes) {
    typename Format::Loaded loaded[kWide];
#pragma GCC unroll 8
    for (int p = 0; p < kWide; ++p) {
      loaded[p] = Format::LoadKeys(keys + p * kLanes * Format::kKeyBytes);
    }
    Unroll<Format::kSubs>([&](auto sub) __attribute__((always_inline)) {
#pragma GCC unroll 8
      for (int v = 0; v < kCount; ++v) {
        const auto query = Format::LoadQuery(queries + v * sizeof running.query[0] + 4 * sub);
#pragma GCC unroll 8
        for (int p = 0; p < kWide; ++p) {
          dot[p][v] = Format::DotKey(dot[p][v], query, Format::template Key<sub>(loaded[p]));
        }
      }
    });
    queries += 4 * Format::kSubs;
  }
  const bool capped = meeting.task.soft_cap != 0.0f;
#pragma GCC unroll 8
  for (int p = 0; p < kWide; ++p) {
    const int at = (part + p) * kLanes;
    const F32 value_log = capped ? F32::Zero() : Format::ValueLog(tile, at);
#pragma GCC unroll 8
    for (int v = 0; v < kCount; ++v) {
      const F32 query_scale = F32::Set(running.query_scale[meeting.first + v]);
      Fma(Format::ScoreOf(tile, at, dot[p][v]), query_scale, value_log)
          .Store(partial->weights[v] + at);
    }
  }
  if (!capped) return;
  const F32 cap = F32::Set(meeting.task.soft_cap * kLog2E);
  for (int v = 0; v < kCount; ++v) {
    for (int at = part * kLanes; at < (part + kWide) * kLanes; at += kLanes) {
      const F32 score = F32::Load(partial->weights[v] + at);
      (cap * Tanh(score / cap) + Format::ValueLog(tile, at)).Store(partial->weights[v] + at);
    }
  }
}

template <typename Format, int kCount>
void FindWeights(const Meeting& meeting, Partial<kCount>* partial) {
  if constexpr (kParts == kTokenVectors) {
    if (meeting.tokens <= kLanes) return ScoreTokens<Format, kCount, 1>(meeting, 0, partial);
    if (meeting.tokens <= 2 * kLanes) return ScoreTokens<Format, kCount, 2>(meeting, 0, partial);
  }
  for (int part = 0; part * kLanes < meeting.tokens; part += kParts) {
    ScoreTokens<Format, kCount, kParts>(meeting, part, partial);
  }
}

/// Sets the weights of tokens that a vector doesn't see to kUnseen. Scales of tokens that are not
/// there may be anything, and weights that were not computed too.
inline void HideUnseen(const AttentionTask& task, std::size_t position, std::size_t base,
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

/// Weights against the highest of the block, as the format wants them, and the sums of the shares.
/// kWhole: every vector sees every token.
template <typename Format, int kCount, bool kWhole>
void FindShares(const Meeting& meeting, Partial<kCount>* partial) {
  Running& running = meeting.running;
  const auto tile = Format::TileAt(meeting.tile, meeting.task.head_dim);
  for (int v = 0; v < kCount; ++v) {
    const float* weights = partial->weights[v];
    F32 most = F32::Load(weights);
    for (int t = kLanes; t < kTokens; t += kLanes) most = Max(most, F32::Load(weights + t));
    partial->top[v] = Largest(most);
  }
  const F32 top = F32::LoadPart(partial->top, kCount);
  const F32 before = F32::LoadPart(running.highest + meeting.first, kCount);
  const F32 highest = Max(before, top);
  highest.StorePart(running.highest + meeting.first, kCount);
  Exp2(before - highest).Store(partial->keep);
  (Exp2(top - highest) * F32::Set(1.0f / 255.0f)).Store(partial->add);

  for (int v = 0; v < kCount; ++v) {
    float* weights = partial->weights[v];
    const F32 shift = F32::Set(partial->top[v] - kLog2Of255);
    F32 sum = F32::Zero();
    for (int t = 0; t < kTokens; t += 4 * kLanes) {
      F32 weight[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        const F32 power = F32::Load(weights + t + i * kLanes);
        weight[i] = Exp2(power - shift);
        const F32 more = Format::AddShare(tile, t + i * kLanes, weight[i], sum);
        sum = kWhole ? more : WhereLess(F32::Set(kUnseen), power, more, sum);
      }
      if constexpr (Format::kFloats) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
          const F32 power = F32::Load(weights + t + i * kLanes);
          const F32 seen = WhereLess(F32::Set(kUnseen), power, weight[i], F32::Zero());
          (kWhole ? weight[i] : seen).Store(weights + t + i * kLanes);
        }
      } else {
        RoundToBytes(weight).Store(partial->bytes[v] + t);
      }
    }
    float* total = running.sum[meeting.first + v];
    const F32 kept = F32::Load(total) * F32::Set(partial->keep[v]);
    Fma(sum, F32::Set(partial->add[v]), kept).Store(total);
  }
}

/// Merges what a block gives for a vector of dimensions from `dim` on into the sum of the blocks
/// before.
template <int kCount, typename Sum>
[[gnu::always_inline]] inline void Merge(const Meeting& meeting, const Partial<kCount>& partial,
                                         std::size_t dim, const Sum (&sums)[kCount]) {
#pragma GCC unroll 8
  for (int v = 0; v < kCount; ++v) {
    float* out = meeting.running.out[meeting.first + v] + dim;
    const F32 kept = F32::Load(out) * F32::Set(partial.keep[v]);
    Fma(ToF32(sums[v]), F32::Set(partial.add[v]), kept).Store(out);
  }
}

/// The values times the weights' bytes.
template <typename Format, int kCount>
void AddWords(const Meeting& meeting, const Partial<kCount>& partial) {
  constexpr int kSubs = Format::kValueSubs;
  constexpr int kLoads = kParts / kSubs;
  const std::size_t lanes = Format::ValueLanes(meeting.task.head_dim);
  const int words = (meeting.tokens + 3) / 4;
  const std::uint8_t* from = Format::TileAt(meeting.tile, meeting.task.head_dim).values;
  for (std::size_t at = 0; at < lanes; at += kLoads * Vec::kLanes) {
    I32 dot[kParts][kCount];
#pragma GCC unroll 8
    for (int p = 0; p < kParts; ++p) {
#pragma GCC unroll 8
      for (int v = 0; v < kCount; ++v) dot[p][v] = I32::Zero();
    }
    const std::uint8_t* values = from + at * 4;
    for (int t = 0; t < words; ++t, values += 4 * lanes) {
      Bytes loaded[kLoads];
#pragma GCC unroll 8
      for (int p = 0; p < kLoads; ++p) loaded[p] = Bytes::Load(values + p * kLanes * 4);
      Unroll<kSubs>([&](auto sub) __attribute__((always_inline)) {
#pragma GCC unroll 8
        for (int v = 0; v < kCount; ++v) {
          const Bytes share =
              Bytes::Broadcast4(reinterpret_cast<const std::int8_t*>(partial.bytes[v] + 4 * t));
#pragma GCC unroll 8
          for (int p = 0; p < kLoads; ++p) {
            I32& sum = dot[sub * kLoads + p][v];
            sum = DotUnsigned(sum, share, Format::template Value<sub>(loaded[p]));
          }
        }
      });
    }
    Unroll<kSubs>([&](auto sub) __attribute__((always_inline)) {
#pragma GCC unroll 8
      for (int p = 0; p < kLoads; ++p) {
        const std::size_t lane = at + static_cast<std::size_t>(p) * Vec::kLanes;
        if (lane >= lanes) break;
        Merge<kCount>(meeting, partial, Format::template DimOf<sub>(lane), dot[sub * kLoads + p]);
      }
    });
  }
}

/// The values times the weights. Tokens that no vector sees may hold anything and are not read.
template <typename Format, int kCount>
void AddFloats(const Meeting& meeting, const Partial<kCount>& partial) {
  const std::size_t dims = meeting.task.head_dim;
  const std::uint8_t* values = Format::TileAt(meeting.tile, dims).values;
  for (std::size_t at = 0; at < dims; at += kParts * Vec::kLanes) {
    F32 sum[kParts][kCount];
#pragma GCC unroll 8
    for (int p = 0; p < kParts; ++p) {
#pragma GCC unroll 8
      for (int v = 0; v < kCount; ++v) sum[p][v] = F32::Zero();
    }
    for (int t = 0; t < meeting.tokens; ++t) {
      F32 value[kParts];
#pragma GCC unroll 8
      for (int p = 0; p < kParts; ++p) {
        const std::size_t first = at + static_cast<std::size_t>(p * kLanes);
        value[p] = Format::LoadValues(values, static_cast<std::size_t>(t) * dims + first);
      }
#pragma GCC unroll 8
      for (int v = 0; v < kCount; ++v) {
        const F32 weight = F32::Set(partial.weights[v][t]);
#pragma GCC unroll 8
        for (int p = 0; p < kParts; ++p) sum[p][v] = Fma(weight, value[p], sum[p][v]);
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < kParts; ++p) {
      const std::size_t dim = at + static_cast<std::size_t>(p) * Vec::kLanes;
      if (dim >= dims) break;
      Merge<kCount>(meeting, partial, dim, sum[p]);
    }
  }
}

template <typename Format, int kCount>
void AddValues(const Meeting& meeting, const Partial<kCount>& partial) {
  if constexpr (Format::kFloats) {
    AddFloats<Format, kCount>(meeting, partial);
  } else {
    AddWords<Format, kCount>(meeting, partial);
  }
}

/// kCount vectors from number `first` on against the block whose first token is `base`.
template <typename Format, int kCount>
void AttendBlock(Meeting meeting, std::size_t base) {
  static_assert(kCount <= kLanes);
  const AttentionTask& task = meeting.task;
  const QueryVector* vectors = task.vectors + meeting.first;
  std::size_t least = vectors[0].position;
  std::size_t most = least;
  for (int v = 1; v < kCount; ++v) {
    least = vectors[v].position < least ? vectors[v].position : least;
    most = vectors[v].position > most ? vectors[v].position : most;
  }
  meeting.tokens = most - base < kTokens ? static_cast<int>(most - base) + 1 : kTokens;
  Partial<kCount> partial;
  FindWeights<Format, kCount>(meeting, &partial);
  if (least >= base + kTokens - 1 && (task.window == 0 || most < base + task.window)) {
    FindShares<Format, kCount, true>(meeting, &partial);
  } else {
    for (int v = 0; v < kCount; ++v) {
      HideUnseen(task, vectors[v].position, base, partial.weights[v]);
    }
    FindShares<Format, kCount, false>(meeting, &partial);
  }
  AddValues<Format, kCount>(meeting, partial);
}

template <typename Format>
void BlockBySize(const Meeting& meeting, int count, std::size_t base) {
  switch (count) {
    case 1:
      return AttendBlock<Format, 1>(meeting, base);
    case 2:
      return AttendBlock<Format, 2>(meeting, base);
    case 3:
      return AttendBlock<Format, 3>(meeting, base);
    case 4:
      return AttendBlock<Format, 4>(meeting, base);
    default:
      if constexpr (kMaxTogether == 6) AttendBlock<Format, 6>(meeting, base);
  }
}

/// Vectors of the next group when `left` are left.
inline int GroupOf(int left) {
  if (kMaxTogether == 6 && left >= 6 && left != 7 && left != 8) return 6;
  if (left == 5) return 3;
  return left < 4 ? left : 4;
}

/// The end of the run of vectors from `first` on that see the same block as their number `block`.
inline int EndOfRun(const AttentionTask& task, const Running& running, int first,
                    std::size_t block) {
  const std::int32_t* blocks = task.vectors[first].blocks;
  int end = first + 1;
  for (; end < task.count; ++end) {
    const std::int32_t* other = task.vectors[end].blocks;
    if (block < running.begin[end] || block >= running.end[end]) break;
    if (other != blocks && other[block] != blocks[block]) break;
  }
  return end;
}

/// The state before the first block.
template <typename Format>
void StartVector(const AttentionTask& task, int v, Running* running) {
  const QueryVector& vector = task.vectors[v];
  const std::size_t end = vector.position + 1;
  const std::size_t begin = task.window != 0 && end > task.window ? end - task.window : 0;
  running->begin[v] = begin / kTokens;
  running->end[v] = (end + kTokens - 1) / kTokens;
  const QueryNumbers query = Format::PrepareQuery(vector.q, task.head_dim, running->query[v]);
  running->query_scale[v] = query.scale * task.scale * kLog2E;
  running->start[v] = query.start;
  const bool sink = vector.sink > -1e29f;
  running->highest[v] = sink ? vector.sink * kLog2E : kNothingYet;
  F32::Zero().Store(running->sum[v]);
  running->sum[v][0] = sink ? 1.0f : 0.0f;
  for (std::size_t i = 0; i < task.head_dim; i += Vec::kLanes) {
    F32::Zero().Store(running->out[v] + i);
  }
}

template <typename Format>
void FinishVector(const AttentionTask& task, int v, Running* running) {
  Format::FinishOut(running->out[v], task.head_dim);
  const F32 inverse = F32::Set(1.0f / Sum(F32::Load(running->sum[v])));
  const float* from = running->out[v];
  float* to = task.vectors[v].out;
  std::size_t i = 0;
  for (; i + Vec::kLanes <= task.head_dim; i += Vec::kLanes) {
    (F32::Load(from + i) * inverse).Store(to + i);
  }
  if (i < task.head_dim) {
    (F32::Load(from + i) * inverse).StorePart(to + i, task.head_dim - i);
  }
}

/// The calling thread's, for all formats.
inline Running& OwnRunning() {
  thread_local Running running;
  return running;
}

template <typename Format>
void AttendTask(const AttentionTask& task) {
  Running& running = OwnRunning();
  std::size_t block = SIZE_MAX;
  std::size_t end = 0;
  for (int v = 0; v < task.count; ++v) {
    StartVector<Format>(task, v, &running);
    block = running.begin[v] < block ? running.begin[v] : block;
    end = running.end[v] > end ? running.end[v] : end;
  }
  for (; block < end; ++block) {
    for (int first = 0; first < task.count;) {
      if (block < running.begin[first] || block >= running.end[first]) {
        ++first;
        continue;
      }
      const auto number = static_cast<std::size_t>(task.vectors[first].blocks[block]);
      Meeting meeting = {task, running, task.arena + number * task.block_bytes, first, kTokens};
      for (const int last = EndOfRun(task, running, first, block); meeting.first < last;) {
        const int count = GroupOf(last - meeting.first);
        BlockBySize<Format>(meeting, count, block * kTokens);
        meeting.first += count;
      }
      first = meeting.first;
    }
  }
  for (int v = 0; v < task.count; ++v) FinishVector<Format>(task, v, &running);
}
