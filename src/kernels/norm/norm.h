// Normalization of one row. Results depend on the row and the code path alone.
#pragma once

#include <cstddef>

namespace ergo::kernels {

/// out[i] = x[i] / sqrt(mean(x²) + epsilon) · weight[i]. `weight` may be null (all ones); `out` may
/// be x. Source: Zhang and Sennrich 2019. A row of no values is left alone.
void RmsNorm(const float* x, const float* weight, float epsilon, std::size_t n, float* out);

/// What LayerNorm multiplies and adds; each may be null (ones, zeros).
struct LayerNormWeights {
  const float* weight = nullptr;
  const float* bias = nullptr;
};

/// out[i] = (x[i] - mean) / sqrt(variance + epsilon) · weight[i] + bias[i], with the variance of
/// the whole row (divided by n). `out` may be x. Source: Ba, Kiros and Hinton 2016.
void LayerNorm(const float* x, const LayerNormWeights& weights, float epsilon, std::size_t n,
               float* out);

}  // namespace ergo::kernels
