// The most likely answers, by beam search over forks.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "generate/language_model.h"

namespace ergo::generate {

struct BeamOptions {
  std::size_t width = 4;  ///< beams that are followed, and answers that come back
  std::size_t max_tokens = 256;
  /// Answers are compared by log-probability / length^length_penalty.
  double length_penalty = 1.0;
  std::function<bool()> cancelled = {};
};

struct BeamAnswer {
  std::vector<TokenId> tokens;  ///< with the one that ended it, if one did
  double logprob = 0.0;         ///< natural logarithm, of the model
  double score = 0.0;
  bool ended = false;  ///< by a token that ends answers, not by max_tokens or the context
};

/// Up to `width` answers to `prompt`, best score first. In each step every beam is one row: it is
/// forked where it goes on in several ways and dropped where it doesn't. The search ends when
/// `width` answers have ended and no beam could still beat the worst of them, or with max_tokens.
/// Errors: no prompt, width 0, those of the engine; "interrupted" if cancelled.
Result<std::vector<BeamAnswer>> BeamSearch(LanguageModel& model, std::span<const TokenId> prompt,
                                           const BeamOptions& options = {});

}  // namespace ergo::generate
