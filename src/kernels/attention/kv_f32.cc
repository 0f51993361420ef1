// Attention over keys and values in fp32: the reference that the other formats are measured
// against.
//
// Tile of one block, layer and KV head:  keys [head_dim][64] | values [64][head_dim], fp32.
// Keys lie transposed, so that the scores of 64 tokens are formed side by side.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/attention/attention.h"
#include "kernels/attention/paths.h"

namespace ergo::kernels {
namespace {

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

void AttendVector(const AttentionTask& task, const QueryVector& vector) {
  const std::size_t head_dim = task.head_dim;
  const std::size_t end = vector.position + 1;
  const std::size_t begin = task.window != 0 && end > task.window ? end - task.window : 0;
  const bool has_sink = vector.sink > -std::numeric_limits<float>::infinity();
  float highest = has_sink ? vector.sink : -std::numeric_limits<float>::infinity();
  float sum = has_sink ? 1.0f : 0.0f;
  std::fill_n(vector.out, head_dim, 0.0f);
  for (std::size_t block = begin / kBlockTokens; block * kBlockTokens < end; ++block) {
    const std::size_t base = block * kBlockTokens;
    const std::size_t from = std::max(begin, base) - base;
    const std::size_t to = std::min(end - base, kBlockTokens);
    const auto* keys = reinterpret_cast<const float*>(
        task.arena + static_cast<std::size_t>(vector.blocks[block]) * task.block_bytes);
    alignas(64) float scores[kBlockTokens];
    Scores(vector.q, keys, head_dim, scores);
    float block_highest = highest;
    for (std::size_t t = from; t < to; ++t) {
      float score = scores[t] * task.scale;
      if (task.soft_cap != 0.0f) {
        score = task.soft_cap * std::tanh(score / task.soft_cap);
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
    Accumulate(scores, keys + head_dim * kBlockTokens, keep, {from, to}, head_dim, vector.out);
  }
  const float inverse = 1.0f / sum;
  for (std::size_t i = 0; i < head_dim; ++i) vector.out[i] *= inverse;
}

void Store(const float* key, const float* value, std::size_t head_dim, std::size_t token,
           std::byte* at) {
  auto* tile = reinterpret_cast<float*>(at);
  for (std::size_t i = 0; i < head_dim; ++i) tile[i * kBlockTokens + token] = key[i];
  std::copy_n(value, head_dim, tile + (kBlockTokens + token) * head_dim);
}

void AttendTask(const AttentionTask& task) {
  for (int v = 0; v < task.count; ++v) AttendVector(task, task.vectors[v]);
}

}  // namespace

const KvFormat kKvF32 = {&Store, &AttendTask};

}  // namespace ergo::kernels
