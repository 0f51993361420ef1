// `ergo run`: one question, one answer.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/constraint_choice.h"
#include "cli/engine_choice.h"
#include "cli/reasoned_answer.h"
#include "cli/sampling_choice.h"
#include "cli/terminal.h"
#include "cli/thought_view.h"
#include "generate/beam.h"
#include "generate/session.h"

namespace ergo::cli {

namespace {

constexpr std::size_t kMostInput = std::size_t{64} << 20;
constexpr std::int64_t kMaxTokens = 1024;
constexpr const char* kExample = R"(ergo run "What is the capital of France?")";

struct Settings {
  EngineChoice engine;
  SamplingChoice sampling;
  ConstraintChoice constraint;
  EffortChoice effort;
  std::vector<std::string> words;
  std::string system;
  std::optional<std::int64_t> max_tokens;
  std::optional<std::int64_t> logprobs;
  std::optional<std::int64_t> choices;
  std::optional<std::int64_t> best_of;
  std::optional<std::int64_t> beam;
  bool raw = false;
  bool json = false;
  bool stats = false;
};

/// The words of the command line, "-" standing for what comes by pipe. Without words it is all that
/// comes by pipe; but it is never waited for when there are words, since a caller may leave a pipe
/// open that nothing comes through.
Result<std::string> ReadPrompt(const std::vector<std::string>& words) {
  if (words.empty() && IsTerminal(STDIN_FILENO)) {
    return Fail("what is the question?", "run", kExample);
  }
  if (words.empty()) return ReadStdin(kMostInput);
  std::string prompt;
  for (const std::string& word : words) {
    if (word == "-") {
      Result<std::string> piped = ReadStdin(kMostInput);
      if (!piped) return piped;
      prompt += (prompt.empty() ? "" : "\n\n") + *piped;
    } else {
      prompt += (prompt.empty() ? "" : " ") + word;
    }
  }
  return prompt;
}

OrderedJson TokenJson(const generate::LanguageModel& model, std::int32_t token, float logprob) {
  OrderedJson json;
  // A token may be part of a character: its text is then the replacement character.
  json["token"] = RepairUtf8(model.tokenizer().PieceBytes(token));
  json["id"] = token;
  json["logprob"] = logprob;
  return json;
}

OrderedJson ChoiceJson(const generate::LanguageModel& model, const generate::GenerateResult& result,
                       std::size_t index) {
  OrderedJson scores = OrderedJson::array();
  for (const generate::TokenScore& score : result.logprobs) {
    OrderedJson entry = TokenJson(model, score.token, score.logprob);
    OrderedJson top = OrderedJson::array();
    for (const auto& other : score.top) {
      top.push_back(TokenJson(model, other.token, other.logprob));
    }
    if (!top.empty()) entry["top_logprobs"] = top;
    scores.push_back(entry);
  }
  OrderedJson choice;
  choice["index"] = index;
  choice["text"] = result.text;
  if (model.think_tags()) choice["reasoning_content"] = result.thought;
  choice["finish_reason"] = Name(result.finish_reason);
  choice["logprobs"] = {{"content", scores}};
  return choice;
}

/// Usage and timings are those of the first answer, but the completion tokens those of all.
OrderedJson ToJson(const generate::LanguageModel& model,
                   const std::vector<generate::GenerateResult>& results, std::uint64_t seed) {
  OrderedJson json;
  json["choices"] = OrderedJson::array();
  std::size_t drawn = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    json["choices"].push_back(ChoiceJson(model, results[i], i));
    drawn += results[i].usage.completion_tokens;
  }
  const generate::Usage& usage = results.front().usage;
  json["usage"] = {{"prompt_tokens", usage.prompt_tokens},
                   {"completion_tokens", drawn},
                   {"total_tokens", usage.prompt_tokens + drawn}};
  const generate::Timings& timings = results.front().timings;
  json["timings"] = {{"load_ms", timings.load_ms},
                     {"prompt_ms", timings.prompt_ms},
                     {"first_token_ms", timings.first_token_ms},
                     {"decode_ms", timings.decode_ms},
                     {"prompt_tokens_per_second", timings.prompt_tokens_per_second},
                     {"decode_tokens_per_second", timings.decode_tokens_per_second}};
  json["model"] = model.files().path;
  json["seed"] = seed;
  return json;
}

generate::GenerateRequest MakeRequest(const Settings& settings, const std::string& prompt,
                                      const generate::LanguageModel& model) {
  generate::GenerateRequest request;
  request.raw = settings.raw;
  if (settings.system.empty() || settings.raw || !model.HasChatTemplate()) {
    request.prompt = prompt;
  } else {
    generate::ChatInput chat;
    chat.messages = OrderedJson::array({{{"role", "system"}, {"content", settings.system}},
                                        {{"role", "user"}, {"content", prompt}}});
    request.prompt = chat;
  }
  request.options.max_tokens = static_cast<std::size_t>(settings.max_tokens.value_or(kMaxTokens));
  request.options.sampling = model.default_sampling();
  request.options.stop = settings.sampling.stop;
  if (settings.logprobs) request.options.logprobs = static_cast<int>(*settings.logprobs);
  if (settings.json && !request.options.logprobs) request.options.logprobs = 0;
  request.options.cancelled = InterruptGuard::Requested;
  return request;
}

void ShowStats(generate::LanguageModel& model, const generate::GenerateResult& result) {
  const generate::Timings& t = result.timings;
  Note(
      fmt::format("loaded in {:.0f} ms; prompt of {} tokens, {:.0f} a second; first token after "
                  "{:.0f} ms; {} tokens, {:.1f} a second; {:.1f} MB of keys and values",
                  t.load_ms, result.usage.prompt_tokens, t.prompt_tokens_per_second,
                  t.first_token_ms, result.usage.completion_tokens, t.decode_tokens_per_second,
                  static_cast<double>(model.scheduler().stats().kv_bytes) / 1e6));
}

Status PrintAnswer(const generate::GenerateResult& result) {
  ThoughtView thought;
  thought.Show(result.thought);
  thought.End();
  return Print(result.text);
}

Result<std::vector<generate::GenerateResult>> BeamAnswers(
    const Settings& settings, generate::LanguageModel& model,
    const generate::GenerateRequest& request) {
  const auto prompt = EncodePrompt(model, request);
  if (!prompt) return tl::unexpected(prompt.error());
  generate::BeamOptions options;
  options.width = static_cast<std::size_t>(*settings.beam);
  options.max_tokens = request.options.max_tokens.value_or(kMaxTokens);
  options.cancelled = InterruptGuard::Requested;
  const auto answers = generate::BeamSearch(model, *prompt, options);
  if (!answers) return tl::unexpected(answers.error());
  const std::size_t wanted = static_cast<std::size_t>(settings.choices.value_or(1));
  std::vector<generate::GenerateResult> results;
  for (const generate::BeamAnswer& answer : *answers) {
    if (results.size() == wanted) break;
    generate::GenerateResult result;
    result.tokens = answer.tokens;
    generate::SetTexts(model, *prompt, &result);
    result.finish_reason =
        answer.ended ? generate::FinishReason::kStop : generate::FinishReason::kLength;
    result.usage.prompt_tokens = prompt->size();
    result.usage.completion_tokens = answer.tokens.size();
    results.push_back(std::move(result));
  }
  if (results.size() == 1 && !settings.json) {
    if (Status printed = PrintAnswer(results.front()); !printed) return Fail(std::move(printed));
  }
  return results;
}

/// As many answers as were asked for. A single one is printed while it comes.
Result<std::vector<generate::GenerateResult>> Answers(const Settings& settings,
                                                      generate::LanguageModel& model,
                                                      generate::GenerateRequest& request,
                                                      Status* printed) {
  if (settings.beam) return BeamAnswers(settings, model, request);
  const auto choices = static_cast<std::size_t>(settings.choices.value_or(1));
  const auto drawn = static_cast<std::size_t>(
      std::max<std::int64_t>(settings.best_of.value_or(1), settings.choices.value_or(1)));
  if (drawn > 1) {
    if (request.options.sampling.temperature == 0.0f) {
      Note("without a temperature all answers are the same (--temp)");
    }
    if (settings.best_of && !request.options.logprobs) request.options.logprobs = 0;
    auto results = generate::GenerateChoices(model, request, drawn);
    if (results && settings.best_of) generate::KeepBest(*results, choices);
    if (results && results->size() == 1 && !settings.json) *printed = PrintAnswer(results->front());
    return results;
  }
  generate::OnText on_text;
  ThoughtView thought;
  if (!settings.json) {
    request.options.on_thought = [&thought](std::string_view text) {
      thought.Show(text);
      return true;
    };
    on_text = [&thought, printed](std::string_view text) {
      thought.End();
      *printed = Print(text);
      return printed->has_value();
    };
  }
  auto result = generate::Generate(model, request, on_text);
  thought.End();
  request.options.on_thought = {};
  if (!result) return tl::unexpected(result.error());
  std::vector<generate::GenerateResult> results;
  results.push_back(std::move(*result));
  return results;
}

std::string Numbered(const std::vector<generate::GenerateResult>& results) {
  std::string text;
  for (std::size_t i = 0; i < results.size(); ++i) {
    text +=
        fmt::format("{}\n{}\n{}", Styled(Style::kBold, fmt::format("[{}]", i + 1), STDOUT_FILENO),
                    results[i].text, i + 1 < results.size() ? "\n" : "");
  }
  return text;
}

void NoteLimits(const Settings& settings, const generate::LanguageModel& model,
                const generate::GenerateResult& result) {
  if (result.context_full) {
    Note(fmt::format("the context of {} tokens is full", model.context()));
  } else if (result.finish_reason == generate::FinishReason::kLength && !settings.max_tokens &&
             !settings.json) {
    Note(fmt::format("stopped after {} tokens; -n sets another limit", kMaxTokens));
  }
}

/// Whether options were given that say how the plain model is to answer.
bool WantsPlainModel(const Settings& settings) {
  const SamplingChoice& sampling = settings.sampling;
  const ConstraintChoice& constraint = settings.constraint;
  return settings.raw || !settings.system.empty() || settings.max_tokens || settings.logprobs ||
         settings.choices || settings.best_of || settings.beam || settings.stats ||
         sampling.temperature || sampling.top_k || sampling.top_p || sampling.min_p ||
         sampling.typical_p || sampling.repetition_penalty || sampling.frequency_penalty ||
         sampling.presence_penalty || !sampling.logit_bias.empty() || !sampling.stop.empty() ||
         constraint.think_budget || !constraint.json_schema.empty() || !constraint.regex.empty() ||
         !constraint.grammar.empty() || !constraint.one_of.empty();
}

Result<int> Run(const Settings& settings) {
  const InterruptGuard guard;
  const Result<std::string> prompt = ReadPrompt(settings.words);
  if (!prompt) return tl::unexpected(prompt.error());
  if (prompt->empty()) return Fail("the question is empty", "run", kExample);
  const bool plain = WantsPlainModel(settings);
  const auto reasons = Reasons(settings.effort, plain, *prompt);
  if (!reasons) return tl::unexpected(reasons.error());
  const auto model = LoadLanguageModel(settings.engine);
  if (!model) return tl::unexpected(model.error());
  if (*reasons) {
    const auto seed = static_cast<std::uint64_t>(settings.sampling.seed.value_or(0));
    return AnswerWithReasoning(*model, {*prompt, settings.effort, seed, settings.json});
  }
  generate::GenerateRequest request = MakeRequest(settings, *prompt, **model);
  if (Status done = ApplySampling(settings.sampling, &request.options.sampling); !done) {
    return tl::unexpected(done.error());
  }
  if (Status done = ApplyConstraints(settings.constraint, **model, &request.options); !done) {
    return tl::unexpected(done.error());
  }
  // Nobody asked for the plain model: the answer has a trace too.
  const bool traced = !plain && !settings.json && settings.effort.effort != "none";
  if (traced) request.options.logprobs = 0;
  Status printed;
  const auto results = Answers(settings, **model, request, &printed);
  if (!results) return tl::unexpected(results.error());
  if (printed) {
    const std::string text =
        settings.json ? ToJson(**model, *results, request.options.sampling.seed)
                                .dump(-1, ' ', false, OrderedJson::error_handler_t::replace) +
                            '\n'
        : results->size() > 1 ? Numbered(*results)
                              : "\n";
    printed = Print(text);
  }
  if (!printed) return tl::unexpected(printed.error());
  if (settings.stats) ShowStats(**model, results->front());
  if (InterruptGuard::Requested()) return kInterrupted;
  NoteLimits(settings, **model, results->front());
  if (traced) KeepPlainAnswer(**model, *prompt, results->front());
  return kOk;
}

Action Prepare(Options& options) {
  const auto settings = std::make_shared<Settings>();
  options.Arguments(&settings->words, 0, 100000);
  AddEngineOptions(options, &settings->engine);
  options.Number("-n,--max-tokens", &settings->max_tokens, "TOKENS",
                 fmt::format("most tokens of the answer ({})", kMaxTokens), {1, 1 << 30});
  AddSamplingOptions(options, &settings->sampling);
  options.Flag("--raw", &settings->raw, "the prompt as it stands, without the chat template");
  options.Flag("--json", &settings->json, "one JSON object: text, log-probabilities, timings");
  AddEffortOption(options, &settings->effort);
  options.Further();
  AddStrategyOptions(options, &settings->effort);
  options.Text("--system", &settings->system, "TEXT", "a system message before the question");
  AddConstraintOptions(options, &settings->constraint);
  options.Number("--choices", &settings->choices, "K", "K answers to one prompt (1)", {1, 1024});
  options.Number("--best-of", &settings->best_of, "N",
                 "draw N answers and keep the most likely ones", {1, 1024});
  options.Number("--beam", &settings->beam, "N", "the most likely answers, by search over N beams",
                 {1, 64});
  options.Flag("--stats", &settings->stats, "say on stderr how fast it was");
  AddContextOption(options, &settings->engine);
  AddMemoryOptions(options, &settings->engine);
  options.Number("--logprobs", &settings->logprobs, "N", "with --json: N alternatives each",
                 {0, 100});
  AddFurtherSamplingOptions(options, &settings->sampling);
  AddFormatOptions(options, &settings->engine);
  return [settings] { return Run(*settings); };
}

}  // namespace

const Command kRun = {"run", "[options] [PROMPT…]",
                      "Answer one question; - stands for what comes by pipe", Prepare};

}  // namespace ergo::cli
