// Options that say how tokens are chosen and when an answer ends, shared by run and chat.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "runtime/sample/sampler.h"

namespace ergo::cli {

/// What is not given stays as the model's makers or else the sampler's defaults have it.
struct SamplingChoice {
  std::optional<double> temperature;
  std::optional<std::int64_t> top_k;
  std::optional<double> top_p;
  std::optional<double> min_p;
  std::optional<double> typical_p;
  std::optional<double> repetition_penalty;
  std::optional<double> frequency_penalty;
  std::optional<double> presence_penalty;
  std::optional<std::int64_t> seed;
  std::vector<std::string> logit_bias;  ///< "ID=VALUE"
  std::vector<std::string> stop;
};

/// The usual ones. The choice must outlive the parsing.
void AddSamplingOptions(Options& options, SamplingChoice* choice);
/// The rest: typical sampling, penalties, biases.
void AddFurtherSamplingOptions(Options& options, SamplingChoice* choice);

/// Sets in `params` what was given; without --seed the seed is drawn anew. Errors: a bias that is
/// not ID=VALUE.
Status ApplySampling(const SamplingChoice& choice, runtime::SamplingParams* params);

}  // namespace ergo::cli
