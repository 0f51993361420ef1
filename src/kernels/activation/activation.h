// Activations and other element-wise operations over n floats. Every `out` may be one of the
// inputs; otherwise arrays do not overlap. Results depend on the values and the code path alone.
#pragma once

#include <cstddef>

namespace ergo::kernels {

/// out = silu(gate) · up, silu(x) = x / (1 + e^-x).
void SwiGlu(const float* gate, const float* up, std::size_t n, float* out);

/// out = gelu(gate) · up, with gelu's tanh form x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))).
void GeGluTanh(const float* gate, const float* up, std::size_t n, float* out);

/// out = x/2 · (1 + erf(x / √2)).
void GeluErf(const float* x, std::size_t n, float* out);

/// out = x / (1 + e^-x).
void Silu(const float* x, std::size_t n, float* out);

/// x += y: the residual stream.
void AddInPlace(float* x, const float* y, std::size_t n);

/// x *= scale.
void ScaleInPlace(float* x, float scale, std::size_t n);

/// Adds bias [columns] to each of `rows` rows of x, `stride` floats apart.
void AddBias(float* x, const float* bias, std::size_t rows, std::size_t columns,
             std::size_t stride);

}  // namespace ergo::kernels
