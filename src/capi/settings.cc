#include "capi/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "capi/tokens.h"
#include "capi/versioned.h"
#include "generate/think/steering.h"

namespace ergo::capi {
namespace {

/// Longer than any process runs; far from where clocks overflow.
constexpr double kMostSeconds = 1e8;
constexpr std::int32_t kMostUnread = 1 << 20;

runtime::SamplingParams SamplingOf(const ergo_sequence_options& given) {
  runtime::SamplingParams sampling;
  sampling.temperature = given.temperature;
  sampling.top_k = given.top_k;
  sampling.top_p = given.top_p;
  sampling.min_p = given.min_p;
  sampling.typical_p = given.typical_p;
  sampling.repetition_penalty = given.repetition_penalty;
  sampling.frequency_penalty = given.frequency_penalty;
  sampling.presence_penalty = given.presence_penalty;
  sampling.seed = given.seed;
  return sampling;
}

Outcome<void> CopyArrays(const ModelState& model, const ergo_sequence_options& given,
                         generate::AnswerOptions* answer) {
  auto stops =
      ArrayOf(given.stop_tokens, given.stop_token_count, model.vocabulary(), "stop_tokens");
  if (!stops) return Refused(stops);
  if (auto known = KnownTokens(model, *stops, "stop_tokens"); !known) return known;
  answer->stop_tokens.assign(stops->begin(), stops->end());
  auto biases = ArrayOf(given.biases, given.bias_count, model.vocabulary(), "biases");
  if (!biases) return Refused(biases);
  for (const ergo_token_bias& bias : *biases) {
    answer->sampling.logit_bias.emplace_back(bias.token, bias.bias);
  }
  return {};
}

Outcome<void> SetLimits(const ergo_sequence_options& given, Settings* settings) {
  settings->max_tokens = static_cast<std::size_t>(
      std::min<std::uint64_t>(given.max_tokens, std::numeric_limits<std::size_t>::max()));
  if (!(given.deadline_seconds >= 0.0 && given.deadline_seconds <= kMostSeconds)) {
    return Invalid(
        fmt::format("{} is not from 0 to {} seconds", given.deadline_seconds, kMostSeconds),
        "deadline_seconds", "give 0 for none");
  }
  if (given.deadline_seconds > 0.0) {
    settings->allowed_time = std::chrono::duration_cast<std::chrono::steady_clock::duration>(
        std::chrono::duration<double>(given.deadline_seconds));
  }
  if (given.unread < 0 || given.unread > kMostUnread) {
    return Invalid(fmt::format("{} is not from 0 to {}", given.unread, kMostUnread), "unread");
  }
  if (given.unread > 0) settings->unread = static_cast<std::size_t>(given.unread);
  settings->priority = given.priority;
  if (given.think_budget < -1) return Invalid("is below -1", "think_budget");
  if (given.think_budget >= 0) {
    settings->answer.think_budget = static_cast<std::size_t>(given.think_budget);
  }
  return {};
}

Outcome<void> SetConstraint(const ModelState& model, const ergo_constraint* given,
                            Settings* settings) {
  if (given == nullptr) return {};
  if (given->model.get() != &model) {
    return Invalid("it was made for another model", "constraint");
  }
  settings->constraint = given->compiled;
  return {};
}

}  // namespace

ergo_sequence_options DefaultOptions(const ModelState* model) {
  const runtime::SamplingParams sampling =
      model != nullptr ? model->model().default_sampling() : runtime::SamplingParams{};
  ergo_sequence_options options = {};
  options.size = sizeof(options);
  options.temperature = sampling.temperature;
  options.top_k = sampling.top_k;
  options.top_p = sampling.top_p;
  options.min_p = sampling.min_p;
  options.typical_p = sampling.typical_p;
  options.repetition_penalty = sampling.repetition_penalty;
  options.frequency_penalty = sampling.frequency_penalty;
  options.presence_penalty = sampling.presence_penalty;
  options.max_tokens = ERGO_NO_LIMIT;
  options.think_budget = -1;
  return options;
}

Outcome<Settings> SettingsOf(const ModelState& model, const ergo_sequence_options* given) {
  auto options = ReadStruct(given, DefaultOptions(&model), "options");
  if (!options) return Refused(options);
  Settings settings;
  settings.answer.sampling = SamplingOf(*options);
  settings.answer.ignore_end = options->ignore_end != 0;
  if (options->logprobs < -1) return Invalid("is below -1", "logprobs");
  if (options->logprobs >= 0) settings.answer.logprobs = options->logprobs;
  if (auto done = CopyArrays(model, *options, &settings.answer); !done) return Refused(done);
  if (auto done = SetLimits(*options, &settings); !done) return Refused(done);
  if (auto done = SetConstraint(model, options->constraint, &settings); !done) return Refused(done);
  if (options->name_space != nullptr) {
    auto name = TextOf(options->name_space, ERGO_TO_NUL, "name_space");
    if (!name) return Refused(name);
    settings.name_space = *name;
  }
  if (auto valid = generate::CheckOptions(model.model(), settings.answer); !valid) {
    return tl::unexpected(Failure(ERGO_INVALID, std::move(valid).error()));
  }
  return settings;
}

std::unique_ptr<runtime::LogitHook> HookFor(const ModelState& model, const Settings& settings,
                                            std::span<const std::int32_t> prompt) {
  if (!settings.steers()) return nullptr;
  auto constraint = settings.constraint != nullptr ? settings.constraint->Start() : nullptr;
  // Without a budget a constraint is one on all that is drawn.
  if (!settings.answer.think_budget) return constraint;
  const generate::LanguageModel& of = model.model();
  generate::Steering steering;
  steering.tags = of.think_tags();
  if (steering.tags) steering.start = steering.tags->StartOf(prompt);
  generate::ThinkBudgetOptions& budget = steering.budget.emplace();
  budget.budget = *settings.answer.think_budget;
  if (settings.max_tokens > 0) budget.max_tokens = settings.max_tokens;
  budget.ends = of.end_of_generation();
  steering.constraint = std::move(constraint);
  return generate::Steer(of.tokenizer(), std::move(steering));
}

runtime::SequenceOptions EngineOptionsOf(const ModelState& model, const Settings& settings) {
  runtime::SequenceOptions options;
  options.sampling = settings.answer.sampling;
  options.sampling.logprob = settings.answer.logprobs.has_value();
  options.sampling.top_logprobs = settings.answer.logprobs.value_or(0);
  options.max_tokens = std::max<std::size_t>(settings.max_tokens, 1);
  options.stop_tokens = settings.answer.stop_tokens;
  if (!settings.answer.ignore_end) {
    const std::vector<TokenId>& ends = model.model().end_of_generation();
    options.stop_tokens.insert(options.stop_tokens.end(), ends.begin(), ends.end());
  }
  options.name_space = settings.name_space;
  options.priority = settings.priority;
  if (settings.allowed_time) {
    options.deadline = std::chrono::steady_clock::now() + *settings.allowed_time;
  }
  options.keep = true;
  options.unread = settings.unread;
  return options;
}

}  // namespace ergo::capi

extern "C" {

void ergo_sequence_options_init(const ergo_model* model, ergo_sequence_options* options,
                                size_t size) {
  const ergo::capi::ModelState* state = model != nullptr ? model->state.get() : nullptr;
  ergo::capi::InitStruct(ergo::capi::DefaultOptions(state), options, size);
}

uint64_t ergo_derive_seed(uint64_t seed, uint64_t number) {
  return ergo::runtime::DeriveSeed(seed, number);
}

}  // extern "C"
