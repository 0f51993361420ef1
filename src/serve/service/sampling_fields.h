// The usual fields of requests that say how to choose tokens; each API fills in what it was given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "generate/session.h"
#include "serve/service/failure.h"

namespace ergo::serve {

/// What is not given stays as the model's makers wish.
struct SamplingFields {
  std::optional<double> temperature = {};
  std::optional<double> top_p = {};
  std::optional<std::int64_t> top_k = {};  ///< 0 and -1: all
  std::optional<double> min_p = {};
  std::optional<double> typical_p = {};
  std::optional<double> repetition_penalty = {};
  std::optional<double> frequency_penalty = {};
  std::optional<double> presence_penalty = {};
  std::optional<std::int64_t> seed = {};  ///< absent: drawn anew for each request
  std::vector<std::pair<std::int32_t, float>> logit_bias = {};
  std::vector<std::string> stop = {};
  std::vector<std::int32_t> stop_tokens = {};
  std::optional<std::int64_t> max_tokens = {};
  std::optional<int> logprobs = {};  ///< alternatives for each token
  bool ignore_end = false;
  std::optional<std::int64_t> think_budget = {};
};

/// The options for `model`. Failure: a value out of range, named.
Served<generate::AnswerOptions> OptionsFor(const generate::LanguageModel& model,
                                           const SamplingFields& fields);

}  // namespace ergo::serve
