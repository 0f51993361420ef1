// The element-wise operations of each code path, and the choice among them. For the operations'
// own files and tests; callers use norm.h, rope.h, activation.h and softmax.h.
#pragma once

#include <cstddef>

#include "base/cpu.h"
#include "kernels/norm/norm.h"
#include "kernels/rope/rope.h"
#include "kernels/softmax/gumbel.h"
#include "kernels/softmax/shares.h"

namespace ergo::kernels {

/// One path's functions; their contracts are those of the public functions of the same names.
struct ElementwiseKernels {
  void (*rms_norm)(const float* x, const float* weight, float epsilon, std::size_t n, float* out);
  void (*layer_norm)(const float* x, const LayerNormWeights& weights, float epsilon, std::size_t n,
                     float* out);
  void (*rotate_halves)(const float* cos_sin, std::size_t half, const RopeHeads& heads);
  void (*rotate_pairs)(const float* cos_sin, std::size_t half, const RopeHeads& heads);
  void (*swiglu)(const float* gate, const float* up, std::size_t n, float* out);
  void (*geglu_tanh)(const float* gate, const float* up, std::size_t n, float* out);
  void (*gelu_erf)(const float* x, std::size_t n, float* out);
  void (*silu)(const float* x, std::size_t n, float* out);
  void (*add)(float* x, const float* y, std::size_t n);
  void (*scale)(float* x, float scale, std::size_t n);
  void (*exp)(const float* x, std::size_t n, float* out);
  void (*tanh)(const float* x, std::size_t n, float* out);
  float (*largest)(const float* x, std::size_t n);
  float (*sum_exp_from)(const float* x, std::size_t n, float shift);
  float (*sum_exp)(const float* x, std::size_t n, float shift, float scale);
  void (*softmax)(const float* x, std::size_t n, float* out);
  std::size_t (*arg_max)(const float* x, std::size_t n);
  void (*soft_cap)(float* x, std::size_t n, float cap);
  void (*block_maxima)(const float* x, std::size_t n, float* out);
  EntropySums (*sum_entropy)(const float* x, std::size_t n, const ShareOrder& order);
  void (*mass_above)(const float* x, std::size_t n, const ShareOrder& order,
                     const float* thresholds, float* masses);
  void (*split_at)(const float* x, std::size_t n, const ShareOrder& order, float threshold,
                   float* kept, float* below);
  std::size_t (*gumbel_arg_max)(const float* x, std::size_t n, double scale, NoiseKey key);
};

extern const ElementwiseKernels kElementwisePortable;
#if defined(__x86_64__)
extern const ElementwiseKernels kElementwiseAvx2;
extern const ElementwiseKernels kElementwiseAvx512;
#endif

/// The functions of `path`, which the host must be able to run.
const ElementwiseKernels& ElementwiseFor(CpuPath path);

/// The functions of the path that ChooseCpuPath names (portable where it fails), chosen once.
const ElementwiseKernels& Elementwise();

}  // namespace ergo::kernels
