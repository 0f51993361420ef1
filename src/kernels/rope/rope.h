// Rotary position embeddings: angles of a position, and their application to query and key heads.
//
// Source: Su et al. 2021; scaled variants as Transformers' modeling_rope_utils defines them. Angles
// are computed in double precision, so that they hold for positions of a million and more.
#pragma once

#include <cstddef>
#include <vector>

#include "base/result.h"

namespace ergo::kernels {

struct RopeConfig {
  enum class Type {
    kDefault,
    kLinear,   ///< all frequencies divided by `factor`
    kDynamic,  ///< base raised for `context` tokens where that is more than `original_context`
    kYarn,     ///< by parts, with an attention factor; Peng et al. 2023
    kLlama3,   ///< low frequencies divided by `factor`, smoothly
  };

  Type type = Type::kDefault;
  std::size_t rotary_dims = 0;  ///< of each head, from its start; even
  double theta = 10000.0;
  double factor = 1.0;
  double low_freq_factor = 1.0;   ///< kLlama3
  double high_freq_factor = 4.0;  ///< kLlama3
  std::size_t original_context =
      0;  ///< the model's before it was extended: kDynamic, kYarn, kLlama3
  /// Tokens that the engine makes room for (kDynamic; 0: original_context). Frequencies are those
  /// of a sequence of this length from its first token on, so that a key never depends on how long
  /// its sequence became later or on what else ran beside it.
  std::size_t context = 0;
  double beta_fast = 32.0;          ///< kYarn
  double beta_slow = 1.0;           ///< kYarn
  double attention_factor = 0.0;    ///< multiplies cos and sin; 0: derived (1 except for kYarn)
  double mscale = 0.0;              ///< kYarn; 0: not given
  double mscale_all_dim = 0.0;      ///< kYarn; 0: not given
  bool truncate = true;             ///< kYarn: correction range rounded to whole dimensions
  std::vector<float> freq_factors;  ///< divisors of the frequencies, [rotary_dims / 2] or empty
  /// Pairs are (0, 1), (2, 3), …; else (0, h), (1, h + 1), … with h = rotary_dims / 2.
  bool interleaved = false;
};

/// Angles for every position; immutable, any threads.
class Rope {
 public:
  /// Errors: values out of range, freq_factors of the wrong length.
  static Result<Rope> Create(const RopeConfig& config);

  /// Writes cos [rotary_dims / 2], then sin [rotary_dims / 2], both times attention_factor().
  void Angles(std::size_t position, float* cos_sin) const;

  std::size_t rotary_dims() const { return 2 * frequencies_.size(); }
  bool interleaved() const { return interleaved_; }
  double attention_factor() const { return attention_factor_; }
  /// Radians per position of each pair.
  const std::vector<double>& frequencies() const { return frequencies_; }

 private:
  Rope() = default;
  void FillTables();

  std::vector<double> frequencies_;
  double attention_factor_ = 1.0;
  bool interleaved_ = false;
  /// cos and sin [kLevels][kRadix][2][rotary_dims / 2] of digit · kRadix^level · frequency: the
  /// angles of a position are the sum over its digits, by products of rotations.
  std::vector<double> tables_;
};

/// What ApplyRope rotates: `heads` heads of `head_dim` values one after the other.
struct RopeHeads {
  std::size_t heads = 0;
  std::size_t head_dim = 0;  ///< at least rotary_dims; the values after rotary_dims stay
  float* x = nullptr;
};

/// Rotates in place; cos_sin is what Rope::Angles wrote for the position.
void ApplyRope(const float* cos_sin, std::size_t rotary_dims, bool interleaved,
               const RopeHeads& heads);

/// The same, in one line.
inline void ApplyRope(const float* cos_sin, const Rope& rope, std::size_t heads,
                      std::size_t head_dim, float* x) {
  ApplyRope(cos_sin, rope.rotary_dims(), rope.interleaved(), RopeHeads{heads, head_dim, x});
}

}  // namespace ergo::kernels
