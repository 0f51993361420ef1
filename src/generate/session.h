// One answer: a prompt in, text out as it comes.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "generate/constrain/constraint.h"
#include "generate/language_model.h"
#include "generate/think/think_budget.h"
#include "runtime/sample/sampler.h"

namespace ergo::generate {

/// Takes a text part by part, each of whole characters and not empty; false ends the answer.
using OnText = std::function<bool(std::string_view)>;

/// How to answer, whatever the prompt.
struct AnswerOptions {
  std::optional<std::size_t> max_tokens = {};  ///< absent: until the context is full
  runtime::SamplingParams sampling = {};       ///< start from LanguageModel::default_sampling()
  bool seed_drawn = false;                     ///< nobody named its seed: the next has another one
  std::vector<std::string> stop = {};          ///< end the answer and are not part of it
  std::vector<TokenId> stop_tokens = {};       ///< end the answer, beside end_of_generation()
  bool ignore_end = false;                     ///< go on after end_of_generation()
  bool speculate = true;                       ///< changes the speed alone
  /// What the answer must satisfy; a thought before it is free. LanguageModel::token_table() makes
  /// them cheap.
  std::shared_ptr<const constrain::Constraint> constraint = {};
  std::optional<std::size_t> think_budget = {};    ///< most tokens of thought (ThinkBudget)
  std::optional<StopThinking> stop_thinking = {};  ///< closes the thought at any moment
  /// Log-probabilities of the tokens, each with this many alternatives; absent: none.
  std::optional<int> logprobs = {};
  /// Whose cached prefixes it may read and adds to; those of others are not to be seen.
  std::string name_space = {};
  int priority = 0;  ///< higher ones are served first
  std::optional<std::chrono::steady_clock::time_point> deadline = {};  ///< then it ends: kCancel
  /// Takes the thought before a single answer, as it comes.
  OnText on_thought = {};
  /// Asked before every token and, while there is none, every 20 ms; true ends the answer.
  std::function<bool()> cancelled = {};
};

struct GenerateRequest {
  /// Plain text is the one user message of a chat, unless `raw` or the model has no template; then
  /// it is tokenized as it stands, with BOS where the tokenizer adds it. Tokens are taken as they
  /// are.
  std::variant<std::string, std::vector<TokenId>, ChatInput> prompt;
  bool raw = false;
  AnswerOptions options;
};

enum class FinishReason {
  kStop,    ///< a token or string that ends answers
  kLength,  ///< max_tokens, or the context is full
  kCancel,
};
/// "stop", "length" or "cancel".
std::string_view Name(FinishReason reason);

/// Of the model, before penalties, masks and temperature.
struct TokenScore {
  TokenId token = -1;
  float logprob = 0.0f;
  std::vector<runtime::TokenLogprob> top;  ///< most likely first
};

struct Usage {
  std::size_t prompt_tokens = 0;
  std::size_t cached_tokens = 0;  ///< of the prompt, whose keys and values were there already
  std::size_t completion_tokens = 0;
  std::size_t thought_tokens = 0;  ///< of these, within a thought
};

struct Timings {
  double load_ms = 0.0;                   ///< of the model, before any request
  double queue_ms = 0.0;                  ///< waiting for the first step
  double prompt_ms = 0.0;                 ///< computing the prompt
  double first_token_ms = 0.0;            ///< from the call to the first token; 0 if there was none
  double decode_ms = 0.0;                 ///< from the first token to the last
  double prompt_tokens_per_second = 0.0;  ///< of the tokens that were computed
  double decode_tokens_per_second = 0.0;  ///< of the tokens after the first; 0 if there are none
};

/// Models that mark their thoughts: the tags belong to neither text, and white space around them to
/// none. What was handed out as answer turns out to have been a thought if a tag closes it that
/// nothing had opened. Other models: everything is answer.
struct GenerateResult {
  std::string text;             ///< the answer
  std::string thought;          ///< what was thought before it; several, with a line between them
  std::vector<TokenId> tokens;  ///< all that were drawn, one that ended the answer included
  FinishReason finish_reason = FinishReason::kStop;
  bool context_full = false;         ///< why it is kLength
  std::vector<TokenScore> logprobs;  ///< one for each of `tokens`, if asked for
  Usage usage;
  Timings timings;
};

/// Tokens of the request's prompt. Errors: no template, bad messages, unknown ids, nothing in it.
Result<std::vector<TokenId>> EncodePrompt(const LanguageModel& model,
                                          const GenerateRequest& request);

/// Answers; any number of threads may do so at a time. `on_text` takes the answer and may be empty.
/// Stop strings are looked for in the answer only. Errors: bad
/// options, the prompt is longer than the context, no room for its keys and values.
Result<GenerateResult> Generate(LanguageModel& model, const GenerateRequest& request,
                                const OnText& on_text = {});

/// `count` answers to one prompt, which is computed once; the i-th has the seed
/// runtime::DeriveSeed(seed, i), so the first is that of Generate. Errors: those of Generate; one
/// that fails fails all.
Result<std::vector<GenerateResult>> GenerateChoices(LanguageModel& model,
                                                    const GenerateRequest& request,
                                                    std::size_t count);

/// Leaves the `count` answers whose tokens have the highest mean log-probability, best first; they
/// must have been generated with AnswerOptions::logprobs.
void KeepBest(std::vector<GenerateResult>& answers, std::size_t count);

/// Sets thought and text of a result that has its tokens, drawn behind `prompt`.
void SetTexts(const LanguageModel& model, std::span<const TokenId> prompt, GenerateResult* result);

/// Errors: sampling values out of range, stop strings or tokens that can't be.
Status CheckOptions(const LanguageModel& model, const AnswerOptions& options);

/// Errors: those of CheckOptions; a prompt that is empty, has unknown tokens or is longer than the
/// context.
Status CheckAnswer(const LanguageModel& model, std::span<const TokenId> prompt,
                   const AnswerOptions& options);

/// Answers to `prompt` as it stands, tokenized already.
Result<GenerateResult> Answer(LanguageModel& model, std::span<const TokenId> prompt,
                              const AnswerOptions& options, const OnText& on_text = {});

}  // namespace ergo::generate
