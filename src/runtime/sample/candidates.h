// The tokens that may still be chosen, and the filters that thin them out.
//
// A full sort of a vocabulary of 262,144 takes many times as long as a decoding step may spend on
// sampling. Here the maxima of blocks of 64 logits show which blocks can hold a survivor at all,
// and cuts are found by partition. Ties are cut in the order of token ids, lowest kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/softmax/gumbel.h"

namespace ergo::runtime {

struct Candidate {
  std::uint64_t rank;  ///< larger is kept longer: an ordered float, then the complement of the id
  float logit;
  float mass;  ///< e^((logit - largest logit) · scale): the probability but for a common factor

  std::int32_t token() const {
    return static_cast<std::int32_t>(~static_cast<std::uint32_t>(rank));
  }
};

/// Scratch memory for one choice at a time; one thread.
class Candidates {
 public:
  /// Begins with `logits`, which must stay until the choice is made; scale is 1 / temperature.
  /// Returns the largest logit, -inf if no token is possible (NaN counts as -inf).
  float Reset(std::span<const float> logits, double scale);

  /// One of these comes first. Values of -inf and NaN are never gathered; the largest logit must be
  /// finite.
  void GatherTop(std::size_t k);
  /// Everything that has a share worth the name (below e^-60 of the largest has not).
  void GatherAll();
  /// The same as GatherAll and then KeepNucleus.
  void GatherNucleus(double p);
  /// Those with at least min_p of the largest probability; min_p > 0.
  void GatherLikely(double min_p);

  /// The fewest whose -log p is nearest to the entropy and whose share reaches p.
  void KeepTypical(double p);
  /// The fewest most likely whose share reaches p.
  void KeepNucleus(double p);
  /// Those with at least min_p of the largest probability among the candidates.
  void KeepLikely(double min_p);

  /// Sorts by logit, best first.
  void Sort();
  /// The candidate with the largest logit · scale + noise; -1 without candidates.
  std::int32_t Draw(kernels::NoiseKey key) const;

  std::span<const Candidate> items() const { return items_; }

 private:
  void Gather(float least);
  float BlockThreshold(std::size_t rank);
  void KeepMass(double mass);
  double TotalMass() const;

  std::span<const float> logits_;
  double scale_ = 1.0;
  float largest_ = 0.0f;
  std::vector<float> maxima_;
  std::vector<float> ordered_;  ///< a copy of maxima_, partitioned
  std::vector<Candidate> items_;
};

}  // namespace ergo::runtime
