// Reductions over a row of logits or scores. Results depend on the row and the code path alone.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ergo::kernels {

/// log Σ e^x[i], safe for any finite values. -inf if n is 0 or every value is -inf; +inf if one is
/// +inf; NaN if one is NaN.
float LogSumExp(const float* x, std::size_t n);

/// out[i] = e^x[i] / Σ e^x. `out` may be x. All zero if every value is -inf; NaN if a value is NaN
/// or +inf.
void Softmax(const float* x, std::size_t n, float* out);

/// Index of the largest value, the first of equal ones. NaN never wins; 0 if there is nothing else.
std::size_t ArgMax(const float* x, std::size_t n);

/// x[i] = cap · tanh(x[i] / cap); cap > 0.
void SoftCap(float* x, std::size_t n, float cap);

/// Values that share one maximum in BlockMaxima.
inline constexpr std::size_t kMaximaBlock = 64;

/// out[b] = largest of x[64 b] … x[64 b + 63], NaN counting as -inf; ceil(n / 64) values.
void BlockMaxima(const float* x, std::size_t n, float* out);

/// Σ e^((x[i] - shift) · scale), NaN counting as -inf; scale > 0.
float SumExp(const float* x, std::size_t n, float shift, float scale);

}  // namespace ergo::kernels
