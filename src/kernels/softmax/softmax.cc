#include "kernels/softmax/softmax.h"

#include <cmath>

#include "kernels/simd/elementwise.h"

namespace ergo::kernels {

float LogSumExp(const float* x, std::size_t n) {
  const ElementwiseKernels& kernels = Elementwise();
  const float largest = kernels.largest(x, n);
  // Without a finite maximum e^(x - largest) has no meaning, and a NaN must still be found.
  const float shift = std::isinf(largest) ? 0.0f : largest;
  return shift + std::log(kernels.sum_exp_from(x, n, shift));
}

void Softmax(const float* x, std::size_t n, float* out) { Elementwise().softmax(x, n, out); }

std::size_t ArgMax(const float* x, std::size_t n) { return Elementwise().arg_max(x, n); }

void SoftCap(float* x, std::size_t n, float cap) { Elementwise().soft_cap(x, n, cap); }

void BlockMaxima(const float* x, std::size_t n, float* out) {
  Elementwise().block_maxima(x, n, out);
}

float SumExp(const float* x, std::size_t n, float shift, float scale) {
  return Elementwise().sum_exp(x, n, shift, scale);
}

}  // namespace ergo::kernels
