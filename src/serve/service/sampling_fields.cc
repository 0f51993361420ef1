#include "serve/service/sampling_fields.h"

#include <algorithm>
#include <random>
#include <utility>

namespace ergo::serve {
namespace {

void Set(const std::optional<double>& from, float* to) {
  if (from) *to = static_cast<float>(*from);
}

}  // namespace

Served<generate::AnswerOptions> OptionsFor(const generate::LanguageModel& model,
                                           const SamplingFields& fields) {
  generate::AnswerOptions options;
  options.sampling = model.default_sampling();
  Set(fields.temperature, &options.sampling.temperature);
  Set(fields.top_p, &options.sampling.top_p);
  Set(fields.min_p, &options.sampling.min_p);
  Set(fields.typical_p, &options.sampling.typical_p);
  Set(fields.repetition_penalty, &options.sampling.repetition_penalty);
  Set(fields.frequency_penalty, &options.sampling.frequency_penalty);
  Set(fields.presence_penalty, &options.sampling.presence_penalty);
  if (fields.top_k) {
    options.sampling.top_k = static_cast<int>(std::clamp<std::int64_t>(*fields.top_k, 0, 1 << 30));
  }
  options.sampling.logit_bias = fields.logit_bias;
  options.sampling.seed =
      fields.seed ? static_cast<std::uint64_t>(*fields.seed) : std::random_device{}();
  options.stop = fields.stop;
  options.stop_tokens = fields.stop_tokens;
  if (fields.max_tokens) options.max_tokens = static_cast<std::size_t>(*fields.max_tokens);
  options.logprobs = fields.logprobs;
  options.ignore_end = fields.ignore_end;
  if (fields.think_budget) {
    options.think_budget =
        static_cast<std::size_t>(std::max<std::int64_t>(*fields.think_budget, 0));
  }
  if (auto valid = generate::CheckOptions(model, options); !valid) return Refuse(valid.error());
  return options;
}

}  // namespace ergo::serve
