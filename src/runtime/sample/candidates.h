// The tokens that may still be chosen, and the filters that thin them out.
//
// A full sort of a vocabulary of 262,144 takes many times as long as a decoding step may spend on
// sampling. While many tokens are left they stay a row of logits, where filters are vector passes
// that narrow a cut down to a few tokens; as soon as few can be left they become a list. Ties are
// cut in the order of token ids, lowest kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/softmax/gumbel.h"
#include "kernels/softmax/shares.h"

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
  /// Returns the largest logit, -inf if no token is possible (NaN counts as -inf). The filters
  /// below may follow if it is finite.
  float Reset(std::span<const float> logits, double scale);

  /// The k most likely; k > 0.
  void KeepTop(std::size_t k);
  /// The fewest whose -log p is nearest to the entropy and whose share reaches p.
  void KeepTypical(double p);
  /// The fewest most likely whose share reaches p.
  void KeepNucleus(double p);
  /// Those with at least min_p of the largest probability among the candidates; min_p > 0.
  void KeepLikely(double min_p);

  /// The candidate with the largest logit · scale + noise; -1 without candidates.
  std::int32_t Draw(kernels::NoiseKey key) const;

  /// After KeepTop: the candidates, best first.
  std::span<const Candidate> Sorted();

 private:
  /// Where a cut lies: v (see ShareOrder) of at least `high` is kept, below `low` it is not.
  struct Band {
    float low;
    float high;
    double mass_above;  ///< of v >= high
  };

  void FindMaxima();
  float BlockThreshold(std::size_t rank);
  void Gather(float least);
  Candidate Item(std::size_t token) const;
  Band FindBand(const kernels::ShareOrder& order, double mass) const;
  void KeepMassInRow(float center, double mass);
  void KeepMassInList(double mass);
  bool KeepSmallNucleus(double mass);
  void KeepTypicalInList(double p);
  double ListMass() const;

  std::span<const float> logits_;  ///< the row: the caller's, or kept_ after a filter
  double scale_ = 1.0;
  float shift_ = 0.0f;          ///< the largest logit before any filter
  bool listed_ = false;         ///< whether items_ are the candidates, not the row
  std::vector<float> maxima_;   ///< of blocks of the row
  std::vector<float> scratch_;  ///< a copy of maxima_ or of the row
  std::vector<float> kept_;     ///< the row after a filter: -inf for tokens that are out
  std::vector<float> below_;    ///< of blocks of the row: the best that a split left out
  std::vector<Candidate> items_;
};

}  // namespace ergo::runtime
