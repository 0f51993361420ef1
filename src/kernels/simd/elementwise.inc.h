// All element-wise operations of one path; included inside its region and namespace.
#include "kernels/simd/math.inc.h"
//
#include "kernels/activation/activation.inc.h"
#include "kernels/norm/norm.inc.h"
#include "kernels/rope/rope.inc.h"
#include "kernels/softmax/softmax.inc.h"
//
#include "kernels/softmax/gumbel.inc.h"
#include "kernels/softmax/shares.inc.h"

inline void MapExp(const float* x, std::size_t n, float* out) {
  MapPairs(x, x, n, out, ExpFirst());
}
inline void MapTanh(const float* x, std::size_t n, float* out) {
  MapPairs(x, x, n, out, TanhFirst());
}

inline constexpr ElementwiseKernels kElementwise = {
    .rms_norm = RmsNorm,
    .layer_norm = LayerNorm,
    .rotate_halves = RotateHalves,
    .rotate_pairs = RotatePairs,
    .swiglu = SwiGlu,
    .geglu_tanh = GeGluTanh,
    .gelu_erf = GeluErf,
    .silu = Silu,
    .add = AddInPlace,
    .scale = ScaleInPlace,
    .exp = MapExp,
    .tanh = MapTanh,
    .largest = LargestOf,
    .sum_exp_from = SumExpFrom,
    .sum_exp = SumExp,
    .softmax = Softmax,
    .arg_max = ArgMax,
    .soft_cap = SoftCap,
    .block_maxima = BlockMaxima,
    .sum_entropy = SumEntropy,
    .mass_above = MassAbove,
    .split_at = SplitAt,
    .gumbel_arg_max = GumbelArgMax,
};
