#include "kernels/activation/activation.h"

#include "kernels/simd/elementwise.h"

namespace ergo::kernels {

void SwiGlu(const float* gate, const float* up, std::size_t n, float* out) {
  Elementwise().swiglu(gate, up, n, out);
}

void GeGluTanh(const float* gate, const float* up, std::size_t n, float* out) {
  Elementwise().geglu_tanh(gate, up, n, out);
}

void GeluErf(const float* x, std::size_t n, float* out) { Elementwise().gelu_erf(x, n, out); }

void Silu(const float* x, std::size_t n, float* out) { Elementwise().silu(x, n, out); }

void AddInPlace(float* x, const float* y, std::size_t n) { Elementwise().add(x, y, n); }

void ScaleInPlace(float* x, float scale, std::size_t n) { Elementwise().scale(x, scale, n); }

void AddBias(float* x, const float* bias, std::size_t rows, std::size_t columns,
             std::size_t stride) {
  const ElementwiseKernels& kernels = Elementwise();
  for (std::size_t row = 0; row < rows; ++row) kernels.add(x + row * stride, bias, columns);
}

}  // namespace ergo::kernels
