#include "cli/sampling_choice.h"

#include <charconv>
#include <random>
#include <string_view>
#include <utility>

namespace ergo::cli {

namespace {

template <typename T>
bool ParseAll(std::string_view text, T* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

Result<std::pair<std::int32_t, float>> ParseBias(const std::string& text) {
  const std::size_t equals = text.find('=');
  std::pair<std::int32_t, float> bias;
  const bool fine = equals != std::string::npos &&
                    ParseAll(std::string_view(text).substr(0, equals), &bias.first) &&
                    ParseAll(std::string_view(text).substr(equals + 1), &bias.second);
  if (!fine) {
    return Fail("'" + text + "' is not ID=VALUE", "--logit-bias",
                "a token id and what is added to its logit: 42=-5");
  }
  return bias;
}

void Set(const std::optional<double>& from, float* to) {
  if (from) *to = static_cast<float>(*from);
}

}  // namespace

void AddSamplingOptions(Options& options, SamplingChoice* choice) {
  options.Number("--temp", &choice->temperature, "T", "temperature; 0: always the likeliest token",
                 {0, 100});
  options.Number("--top-k", &choice->top_k, "K", "choose among the K likeliest (0: all)",
                 {0, 1 << 30});
  options.Number("--top-p", &choice->top_p, "P", "… among the likeliest that together have P",
                 {0, 1});
  options.Number("--min-p", &choice->min_p, "P", "… among those with P of the likeliest's share",
                 {0, 1});
  options.Texts("--stop", &choice->stop, "TEXT", "the answer ends before this text");
  options.Number("--seed", &choice->seed, "S", "the same seed gives the same answer", {0, 9e15});
}

void AddFurtherSamplingOptions(Options& options, SamplingChoice* choice) {
  options.Number("--typical", &choice->typical_p, "P", "… among the most typical that have P",
                 {0, 1});
  options.Number("--repeat-penalty", &choice->repetition_penalty, "X",
                 "divides the logits of tokens seen (1: off)", {0, 100});
  options.Number("--frequency-penalty", &choice->frequency_penalty, "X",
                 "subtracted for each time a token was seen", {-100, 100});
  options.Number("--presence-penalty", &choice->presence_penalty, "X",
                 "subtracted once a token was seen", {-100, 100});
  options.Texts("--logit-bias", &choice->logit_bias, "ID=X", "added to a token's logit");
}

Status ApplySampling(const SamplingChoice& choice, runtime::SamplingParams* params) {
  Set(choice.temperature, &params->temperature);
  Set(choice.top_p, &params->top_p);
  Set(choice.min_p, &params->min_p);
  Set(choice.typical_p, &params->typical_p);
  Set(choice.repetition_penalty, &params->repetition_penalty);
  Set(choice.frequency_penalty, &params->frequency_penalty);
  Set(choice.presence_penalty, &params->presence_penalty);
  if (choice.top_k) params->top_k = static_cast<int>(*choice.top_k);
  for (const std::string& text : choice.logit_bias) {
    const auto bias = ParseBias(text);
    if (!bias) return tl::unexpected(bias.error());
    params->logit_bias.push_back(*bias);
  }
  params->seed = choice.seed ? static_cast<std::uint64_t>(*choice.seed) : std::random_device{}();
  return params->Validate();
}

}  // namespace ergo::cli
