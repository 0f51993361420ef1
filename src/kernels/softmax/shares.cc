#include "kernels/softmax/shares.h"

#include <cmath>

#include "kernels/simd/elementwise.h"

namespace ergo::kernels {

float ShareOrder::Of(float x) const {
  const float y = (x - shift) * scale;
  return std::isnan(y) ? -HUGE_VALF : -std::fabs(y - center);
}

EntropySums SumEntropy(const float* x, std::size_t n, const ShareOrder& order) {
  return Elementwise().sum_entropy(x, n, order);
}

void MassAbove(const float* x, std::size_t n, const ShareOrder& order,
               const float (&thresholds)[kShareThresholds], float (&masses)[kShareThresholds]) {
  Elementwise().mass_above(x, n, order, thresholds, masses);
}

void SplitAt(const float* x, std::size_t n, const ShareOrder& order, float threshold, float* kept,
             float* below) {
  Elementwise().split_at(x, n, order, threshold, kept, below);
}

}  // namespace ergo::kernels
