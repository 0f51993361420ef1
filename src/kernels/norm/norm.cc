#include "kernels/norm/norm.h"

#include "kernels/simd/elementwise.h"

namespace ergo::kernels {

void RmsNorm(const float* x, const float* weight, float epsilon, std::size_t n, float* out) {
  if (n > 0) Elementwise().rms_norm(x, weight, epsilon, n, out);
}

void LayerNorm(const float* x, const LayerNormWeights& weights, float epsilon, std::size_t n,
               float* out) {
  if (n > 0) Elementwise().layer_norm(x, weights, epsilon, n, out);
}

}  // namespace ergo::kernels
