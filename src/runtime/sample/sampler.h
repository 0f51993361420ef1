// Chooses the next token from a row of logits.
//
// Order: repetition penalty, frequency and presence penalties, logit bias, temperature, top-k,
// typical, top-p, min-p, then the draw. Each filter sees the shares among what the one before it
// left, and leaves at least one token. The draw is Gumbel-max: the token with the largest
// logit / temperature + noise wins, and the noise is a function of (seed, position, token id) alone
// (kernels/softmax/gumbel.h). So the same seed gives the same text whatever else runs in the batch,
// and whether or not positions are visited in order.
//
// Definitions: repetition penalty as Keskar et al. 2019, nucleus (top-p) Holtzman et al. 2020,
// typical Meister et al. 2022, min-p Nguyen et al. 2024. Equal logits are kept lowest id first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "kernels/softmax/gumbel.h"
#include "runtime/sample/candidates.h"

namespace ergo::runtime {

/// How to choose; the defaults sample from the model's own distribution.
struct SamplingParams {
  float temperature = 1.0f;  ///< 0: the most likely token, always
  int top_k = 0;             ///< keep the k most likely; 0: all
  float top_p = 1.0f;        ///< keep the most likely until their share reaches p; 1: all
  float min_p = 0.0f;        ///< keep those with at least min_p of the largest probability; 0: all
  float typical_p = 1.0f;    ///< keep the most typical until their share reaches p; 1: all
  float repetition_penalty = 1.0f;  ///< tokens seen: positive logits divided, negative multiplied
  float frequency_penalty = 0.0f;   ///< subtracted once for each time that the token was seen
  float presence_penalty = 0.0f;    ///< subtracted once if the token was seen
  std::size_t penalty_window = 0;   ///< last tokens of the history that penalties see; 0: all
  std::vector<std::pair<std::int32_t, float>> logit_bias;  ///< added; others' ids: ignored
  std::uint64_t seed = 0;
  bool logprob = true;   ///< whether Sampled.logprob is wanted (costs a pass over the logits)
  int top_logprobs = 0;  ///< alternatives to report; more than 0 implies logprob

  /// Errors: a value out of its range or not finite.
  Status Validate() const;
  /// Whether penalties or a bias change the logits, so that Next works on a copy.
  bool ChangesLogits() const;
  /// Whether top-k, typical, top-p or min-p is on.
  bool Filters() const;
};

/// A token and the model's log-probability of it: before bias, penalties, masks and temperature.
struct TokenLogprob {
  std::int32_t token = -1;
  float logprob = 0.0f;
};

/// What Next chose.
struct Sampled {
  /// kNoToken where no token is possible: every logit is -inf or NaN.
  std::int32_t token = -1;
  /// Of the model; 0 if not asked for, NaN if the model's logits hold a NaN or +inf.
  float logprob = 0.0f;
  /// The most likely tokens of the model, best first, ties by id; top_logprobs of them.
  std::vector<TokenLogprob> top;

  static constexpr std::int32_t kNoToken = -1;
};

/// What a choice depends on, beside the parameters.
struct SampleInput {
  /// One for each token of the vocabulary; -inf (or NaN) forbids a token.
  std::span<const float> logits;
  /// Tokens so far, for penalties; ids outside the vocabulary are ignored.
  std::span<const std::int32_t> history;
  /// Of the token that is chosen, counted from the start of the sequence.
  std::size_t position = 0;
  /// The model's logits where a mask has changed `logits`; empty: `logits` are the model's.
  std::span<const float> model_logits;
};

/// One sequence's sampler. It holds its parameters only: scratch memory as large as the vocabulary
/// is its thread's, so that thousands of sequences share a few of them. Copies choose alike.
class Sampler {
 public:
  /// `params` must be valid.
  explicit Sampler(SamplingParams params);

  Sampled Next(const SampleInput& input);
  Sampled Next(std::span<const float> logits, std::span<const std::int32_t> history,
               std::size_t position) {
    return Next(SampleInput{logits, history, position, {}});
  }

  const SamplingParams& params() const { return params_; }

 private:
  std::span<const float> Changed(const SampleInput& input);
  std::int32_t Choose(std::span<const float> logits, std::size_t position);
  std::int32_t ChooseFiltered(std::span<const float> logits, kernels::NoiseKey key);
  void Report(std::span<const float> model_logits, Sampled& out);

  SamplingParams params_;
  double scale_;  ///< 1 / temperature; 0 for greedy
};

}  // namespace ergo::runtime
