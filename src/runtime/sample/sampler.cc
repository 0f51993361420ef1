#include "runtime/sample/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/softmax/softmax.h"

namespace ergo::runtime {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr int kMostTopLogprobs = 1024;

struct Scratch {
  std::vector<float> changed;        ///< the logits after penalties and bias
  std::vector<std::int32_t> counts;  ///< of tokens in the penalty window; zero between calls
  std::vector<std::int32_t> seen;    ///< tokens with a count
  Candidates candidates;
};

Scratch& OfThisThread() {
  thread_local Scratch scratch;
  return scratch;
}

/// Fails unless low <= value <= high; NaN is outside of every range.
Status InRange(const char* name, double value, double low, double high, const char* remedy) {
  if (value >= low && value <= high) return {};
  return Fail(std::string(name) + " is out of range", "sampling", remedy);
}

}  // namespace

Status SamplingParams::Validate() const {
  constexpr double kLargest = 1e6;
  constexpr double kSmallest = std::numeric_limits<float>::min();
  const Status checks[] = {
      InRange("temperature", temperature, 0.0, kLargest, "use 0 (greedy) or more"),
      InRange("top_k", top_k, 0, std::numeric_limits<int>::max(), "use 0 (off) or more"),
      InRange("top_p", top_p, 0.0, 1.0, "use 0 to 1; 1 is off"),
      InRange("min_p", min_p, 0.0, 1.0, "use 0 to 1; 0 is off"),
      InRange("typical_p", typical_p, kSmallest, 1.0, "use more than 0, up to 1; 1 is off"),
      InRange("repetition_penalty", repetition_penalty, 1e-3, 1e3, "use 0.001 to 1000; 1 is off"),
      InRange("frequency_penalty", frequency_penalty, -1e3, 1e3, "use -1000 to 1000; 0 is off"),
      InRange("presence_penalty", presence_penalty, -1e3, 1e3, "use -1000 to 1000; 0 is off"),
      InRange("top_logprobs", top_logprobs, 0, kMostTopLogprobs, "use 0 to 1024"),
  };
  for (const Status& check : checks) {
    if (!check) return check;
  }
  for (const auto& [token, bias] : logit_bias) {
    if (std::isnan(bias) || bias == kInfinity || token < 0) {
      return Fail("the bias of token " + std::to_string(token) + " is not valid", "sampling",
                  "use token ids of the vocabulary and finite numbers (or -inf to forbid)");
    }
  }
  return {};
}

bool SamplingParams::ChangesLogits() const {
  return repetition_penalty != 1.0f || frequency_penalty != 0.0f || presence_penalty != 0.0f ||
         !logit_bias.empty();
}

bool SamplingParams::Filters() const {
  return top_k > 0 || top_p < 1.0f || min_p > 0.0f || typical_p < 1.0f;
}

Sampler::Sampler(SamplingParams params)
    : params_(std::move(params)),
      scale_(params_.temperature > 0.0f ? std::min(1.0 / params_.temperature, 1e30) : 0.0) {}

Sampled Sampler::Next(const SampleInput& input) {
  Sampled out;
  const auto logits = params_.ChangesLogits() ? Changed(input) : input.logits;
  out.token = Choose(logits, input.position);
  if (out.token == Sampled::kNoToken) return out;
  const bool masked = input.model_logits.size() == input.logits.size();
  if (params_.logprob || params_.top_logprobs > 0) {
    Report(masked ? input.model_logits : input.logits, out);
  }
  return out;
}

/// The logits after penalties and bias, in memory of the thread.
std::span<const float> Sampler::Changed(const SampleInput& input) {
  Scratch& scratch = OfThisThread();
  auto& changed = scratch.changed;
  auto& counts = scratch.counts;
  auto& seen = scratch.seen;
  changed.assign(input.logits.begin(), input.logits.end());
  counts.resize(std::max(counts.size(), changed.size()));
  auto history = input.history;
  if (params_.penalty_window > 0 && history.size() > params_.penalty_window) {
    history = history.last(params_.penalty_window);
  }
  seen.clear();
  for (const std::int32_t token : history) {
    if (token < 0 || static_cast<std::size_t>(token) >= changed.size()) continue;
    if (counts[static_cast<std::size_t>(token)]++ == 0) seen.push_back(token);
  }
  for (const std::int32_t token : seen) {
    const auto i = static_cast<std::size_t>(token);
    float& logit = changed[i];
    logit = logit > 0.0f ? logit / params_.repetition_penalty : logit * params_.repetition_penalty;
    logit -= params_.frequency_penalty * static_cast<float>(counts[i]) + params_.presence_penalty;
    counts[i] = 0;
  }
  for (const auto& [token, bias] : params_.logit_bias) {
    const auto i = static_cast<std::size_t>(token);
    if (i < changed.size()) changed[i] += bias;
  }
  return changed;
}

std::int32_t Sampler::Choose(std::span<const float> logits, std::size_t position) {
  const kernels::NoiseKey key = kernels::MakeNoiseKey(params_.seed, position);
  if (scale_ > 0.0 && params_.Filters()) return ChooseFiltered(logits, key);
  std::size_t token = logits.size();
  if (scale_ > 0.0) {
    token = kernels::GumbelArgMax(logits.data(), logits.size(), scale_, key);
  } else if (!logits.empty()) {
    token = kernels::ArgMax(logits.data(), logits.size());
    if (!(logits[token] > -kInfinity)) token = logits.size();
  }
  return token < logits.size() ? static_cast<std::int32_t>(token) : Sampled::kNoToken;
}

std::int32_t Sampler::ChooseFiltered(std::span<const float> logits, kernels::NoiseKey key) {
  Candidates& candidates = OfThisThread().candidates;
  const float largest = candidates.Reset(logits, scale_);
  if (largest == -kInfinity) return Sampled::kNoToken;
  if (largest == kInfinity) {
    return static_cast<std::int32_t>(kernels::ArgMax(logits.data(), logits.size()));
  }
  if (params_.top_k > 0) candidates.KeepTop(static_cast<std::size_t>(params_.top_k));
  if (params_.typical_p < 1.0f) candidates.KeepTypical(params_.typical_p);
  if (params_.top_p < 1.0f) candidates.KeepNucleus(params_.top_p);
  if (params_.min_p > 0.0f) candidates.KeepLikely(params_.min_p);
  return candidates.Draw(key);
}

void Sampler::Report(std::span<const float> model_logits, Sampled& out) {
  const float sum = kernels::LogSumExp(model_logits.data(), model_logits.size());
  out.logprob = model_logits[static_cast<std::size_t>(out.token)] - sum;
  if (params_.top_logprobs == 0) return;
  Candidates& candidates = OfThisThread().candidates;
  const float largest = candidates.Reset(model_logits, 1.0);
  if (!std::isfinite(largest)) return;
  candidates.KeepTop(static_cast<std::size_t>(params_.top_logprobs));
  for (const Candidate& item : candidates.Sorted()) {
    out.top.push_back({item.token(), item.logit - sum});
  }
}

}  // namespace ergo::runtime
