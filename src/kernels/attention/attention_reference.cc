#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/attention/attention_f32.h"

namespace ergo::kernels {
namespace {

/// Rows of one sequence that a thread takes at once, for one query head.
constexpr std::size_t kRowsPerClaim = 16;

/// scores[t] = Σ_i q[i] · keys[i][t], ascending i.
void Scores(const float* __restrict q, const float* __restrict keys, std::size_t head_dim,
            float* __restrict scores) {
  for (std::size_t t = 0; t < kBlockTokens; ++t) scores[t] = 0.0f;
  for (std::size_t i = 0; i < head_dim; ++i) {
    const float x = q[i];
    const float* __restrict row = keys + i * kBlockTokens;
    for (std::size_t t = 0; t < kBlockTokens; ++t) scores[t] += x * row[t];
  }
}

struct TokenSpan {
  std::size_t begin;
  std::size_t end;
};

/// y[i] = y[i] · keep + Σ_t weights[t] · values[t][i] over the tokens of `span`, ascending t.
void Accumulate(const float* __restrict weights, const float* __restrict values, float keep,
                TokenSpan span, std::size_t head_dim, float* __restrict y) {
  for (std::size_t i = 0; i < head_dim; ++i) y[i] *= keep;
  for (std::size_t t = span.begin; t < span.end; ++t) {
    const float w = weights[t];
    const float* __restrict row = values + t * head_dim;
    for (std::size_t i = 0; i < head_dim; i += 4) {
      for (std::size_t j = 0; j < 4; ++j) y[i + j] += w * row[i + j];
    }
  }
}

struct HeadRow {
  std::size_t position;
  const float* q;
  float* out;
  float sink;
  bool has_sink;
};

void AttendRow(const KvLayer& kv, const AttentionParams& params, const std::int32_t* blocks,
               std::size_t kv_head, const HeadRow& row) {
  const std::size_t head_dim = kv.layout->head_dim;
  const std::size_t end = row.position + 1;
  const std::size_t begin = params.window != 0 && end > params.window ? end - params.window : 0;
  float highest = row.has_sink ? row.sink : -std::numeric_limits<float>::infinity();
  float sum = row.has_sink ? 1.0f : 0.0f;
  std::fill_n(row.out, head_dim, 0.0f);
  for (std::size_t block = begin / kBlockTokens; block * kBlockTokens < end; ++block) {
    const std::size_t base = block * kBlockTokens;
    const std::size_t from = std::max(begin, base) - base;
    const std::size_t to = std::min(end - base, kBlockTokens);
    const auto* keys = reinterpret_cast<const float*>(kv.Tile(blocks[block], kv_head));
    alignas(64) float scores[kBlockTokens];
    Scores(row.q, keys, head_dim, scores);
    float block_highest = highest;
    for (std::size_t t = from; t < to; ++t) {
      float score = scores[t] * params.scale;
      if (params.soft_cap != 0.0f) {
        score = params.soft_cap * std::tanh(score / params.soft_cap);
      }
      scores[t] = score;
      block_highest = std::max(block_highest, score);
    }
    const float keep = std::exp(highest - block_highest);
    highest = block_highest;
    sum *= keep;
    for (std::size_t t = from; t < to; ++t) {
      scores[t] = std::exp(scores[t] - highest);
      sum += scores[t];
    }
    Accumulate(scores, keys + head_dim * kBlockTokens, keep, {from, to}, head_dim, row.out);
  }
  const float inverse = 1.0f / sum;
  for (std::size_t i = 0; i < head_dim; ++i) row.out[i] *= inverse;
}

}  // namespace

std::size_t TileBytesF32(std::size_t head_dim) {
  return 2 * kBlockTokens * head_dim * sizeof(float);
}

void StoreKvF32(const KvLayer& kv, const std::int32_t* blocks, std::size_t position,
                const float* key, const float* value) {
  const std::size_t head_dim = kv.layout->head_dim;
  const std::size_t token = position % kBlockTokens;
  for (std::size_t head = 0; head < kv.layout->kv_heads; ++head) {
    auto* tile = reinterpret_cast<float*>(kv.Tile(blocks[position / kBlockTokens], head));
    for (std::size_t i = 0; i < head_dim; ++i) {
      tile[i * kBlockTokens + token] = key[head * head_dim + i];
    }
    std::copy_n(value + head * head_dim, head_dim,
                tile + kBlockTokens * head_dim + token * head_dim);
  }
}

void AttendF32(Worker& worker, const KvLayer& kv, const AttentionParams& params,
               std::span<const SequenceRows> sequences, const AttentionArrays& arrays) {
  const std::size_t head_dim = kv.layout->head_dim;
  const std::size_t group = params.heads / kv.layout->kv_heads;
  std::size_t claim = worker.Claim();
  std::size_t first_claim = 0;  // of the present sequence
  for (const SequenceRows& sequence : sequences) {
    const std::size_t chunks = (sequence.rows + kRowsPerClaim - 1) / kRowsPerClaim;
    for (; claim < first_claim + chunks * params.heads; claim = worker.Claim()) {
      const std::size_t chunk = (claim - first_claim) / params.heads;
      const std::size_t head = (claim - first_claim) % params.heads;
      const std::size_t end = std::min((chunk + 1) * kRowsPerClaim, sequence.rows);
      for (std::size_t row = chunk * kRowsPerClaim; row < end; ++row) {
        const std::size_t offset = (sequence.first_row + row) * arrays.stride + head * head_dim;
        AttendRow(kv, params, sequence.blocks, head / group,
                  {sequence.first_position + row, arrays.q + offset, arrays.out + offset,
                   params.sinks != nullptr ? params.sinks[head] : 0.0f, params.sinks != nullptr});
      }
    }
    first_claim += chunks * params.heads;
  }
}

}  // namespace ergo::kernels
