// Passes over a row of logits that find which tokens make up a given share of the probability.
//
// With y = (x - shift) · scale, e^y is a token's probability but for a common factor, and tokens
// are ordered by v = -|y - center|: by probability for center 0 (with shift at least the largest
// x), by how typical they are for center = -entropy. NaN counts as -inf everywhere.
#pragma once

#include <cstddef>

namespace ergo::kernels {

struct ShareOrder {
  float shift;
  float scale;  ///< > 0
  float center = 0.0f;

  /// v of one logit, to the same bits as the vector code.
  float Of(float x) const;
};

/// Σ e^y and Σ y e^y.
struct EntropySums {
  float mass;
  float weighted;
};
EntropySums SumEntropy(const float* x, std::size_t n, const ShareOrder& order);

inline constexpr std::size_t kShareThresholds = 4;

/// masses[t] = Σ e^y over v >= thresholds[t].
void MassAbove(const float* x, std::size_t n, const ShareOrder& order,
               const float (&thresholds)[kShareThresholds], float (&masses)[kShareThresholds]);

/// kept[i] = x[i] where v >= threshold, else -inf; `kept` may be x. below[b] = largest v under the
/// threshold among x[64 b] … x[64 b + 63], -inf if there is none.
void SplitAt(const float* x, std::size_t n, const ShareOrder& order, float threshold, float* kept,
             float* below);

}  // namespace ergo::kernels
