#include "runtime/inspect/attention_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ergo::runtime {
namespace {

double Score(const kernels::AttentionParams& params, const HeadQuery& of, std::size_t token) {
  const float* key = of.keys + token * of.stride;
  double dot = 0.0;
  for (std::size_t i = 0; i < of.head_dim; ++i) {
    dot += static_cast<double>(of.query[i]) * static_cast<double>(key[i]);
  }
  const double score = dot * static_cast<double>(params.scale);
  if (params.soft_cap == 0.0f) return score;
  const double cap = static_cast<double>(params.soft_cap);
  return cap * std::tanh(score / cap);
}

}  // namespace

void AttentionWeights(const kernels::AttentionParams& params, const HeadQuery& of,
                      std::span<double> scratch, std::span<float> weights) {
  std::fill(weights.begin(), weights.end(), 0.0f);
  const std::size_t end = of.position + 1;
  const std::size_t begin = params.window != 0 && end > params.window ? end - params.window : 0;
  const std::span<double> scores = scratch.first(end - begin);
  double highest = -std::numeric_limits<double>::infinity();
  if (params.sinks != nullptr) highest = static_cast<double>(params.sinks[of.head]);
  for (std::size_t token = begin; token < end; ++token) {
    scores[token - begin] = Score(params, of, token);
    highest = std::max(highest, scores[token - begin]);
  }
  double sum = 0.0;
  if (params.sinks != nullptr) {
    sum = std::exp(static_cast<double>(params.sinks[of.head]) - highest);
  }
  for (double& score : scores) {
    score = std::exp(score - highest);
    sum += score;
  }
  for (std::size_t token = begin; token < end; ++token) {
    weights[token] = static_cast<float>(scores[token - begin] / sum);
  }
}

}  // namespace ergo::runtime
