#include "generate/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "generate/answer_text.h"

namespace ergo::generate {
namespace {

/// Tokens between two looks at `cancelled`; a multiple of what the engine computes at once.
constexpr std::size_t kPromptPart = 512;

using Clock = std::chrono::steady_clock;

double Milliseconds(Clock::time_point since, Clock::time_point until) {
  return std::chrono::duration<double, std::milli>(until - since).count();
}

double PerSecond(std::size_t tokens, double milliseconds) {
  return milliseconds > 0.0 ? 1000.0 * static_cast<double>(tokens) / milliseconds : 0.0;
}

/// One run of Answer.
class AnswerRun {
 public:
  AnswerRun(LanguageModel& model, runtime::SequenceId sequence, const AnswerOptions& options,
            const OnText& on_text)
      : model_(model),
        engine_(model.engine()),
        sequence_(sequence),
        options_(options),
        on_text_(on_text),
        sampler_(SamplingFor(options), model.model().config().vocabulary),
        text_(model.tokenizer(), options.stop) {}

  Result<GenerateResult> Run(std::span<const TokenId> prompt);

 private:
  static runtime::SamplingParams SamplingFor(const AnswerOptions& options);
  bool Cancelled() const { return options_.cancelled && options_.cancelled(); }
  bool Ends(TokenId token) const;
  /// Appends to the text; false if its reader wants no more.
  bool Emit(const std::string& part);
  void Finish(FinishReason reason);

  /// Computes the prompt; nothing if it was cancelled.
  Result<std::optional<runtime::Logits>> Prompt();
  /// Draws tokens from `logits` on until the answer ends.
  Status Decode(runtime::Logits logits);
  /// Draws one token; false if it ended the answer.
  Result<bool> Draw(std::span<const float> logits);

  LanguageModel& model_;
  runtime::Engine& engine_;
  runtime::SequenceId sequence_;
  const AnswerOptions& options_;
  const OnText& on_text_;
  runtime::Sampler sampler_;
  AnswerText text_;

  std::vector<TokenId> tokens_;  ///< prompt and answer
  GenerateResult result_;
  Clock::time_point start_;
  Clock::time_point first_;  ///< token
};

runtime::SamplingParams AnswerRun::SamplingFor(const AnswerOptions& options) {
  runtime::SamplingParams params = options.sampling;
  params.logprob = options.logprobs.has_value();
  params.top_logprobs = options.logprobs.value_or(0);
  return params;
}

bool AnswerRun::Ends(TokenId token) const {
  const auto& ends = model_.end_of_generation();
  if (!options_.ignore_end && std::binary_search(ends.begin(), ends.end(), token)) return true;
  const auto& stops = options_.stop_tokens;
  return std::find(stops.begin(), stops.end(), token) != stops.end();
}

bool AnswerRun::Emit(const std::string& part) {
  if (part.empty()) return true;
  result_.text += part;
  return !on_text_ || on_text_(part);
}

void AnswerRun::Finish(FinishReason reason) {
  result_.finish_reason = reason;
  Emit(text_.Finish());
  // The end of what was held back may complete a stop string.
  if (text_.stopped() && reason == FinishReason::kLength) {
    result_.finish_reason = FinishReason::kStop;
    result_.context_full = false;
  }
}

Result<std::optional<runtime::Logits>> AnswerRun::Prompt() {
  std::span<const TokenId> rest = std::span(tokens_).subspan(engine_.Length(sequence_));
  while (true) {
    if (Cancelled()) return std::optional<runtime::Logits>();
    const std::size_t count = std::min(rest.size(), kPromptPart);
    const bool last = count == rest.size();
    const runtime::Work work = {sequence_, rest.first(count),
                                last ? runtime::LogitRows::kLast : runtime::LogitRows::kNone};
    auto computed = engine_.Step({&work, 1});
    if (!computed) return Fail(std::move(computed));
    if (last) return std::optional<runtime::Logits>(*computed);
    rest = rest.subspan(count);
  }
}

Result<bool> AnswerRun::Draw(std::span<const float> logits) {
  runtime::Sampled drawn = sampler_.Next(logits, tokens_, tokens_.size());
  if (result_.tokens.empty()) first_ = Clock::now();
  if (drawn.token == runtime::Sampled::kNoToken) {
    return Fail("no token is possible: the model's numbers are not finite, or all are forbidden",
                model_.files().path, "check the weights and the request's logit bias");
  }
  tokens_.push_back(drawn.token);
  result_.tokens.push_back(drawn.token);
  if (options_.logprobs) {
    result_.logprobs.push_back({drawn.token, drawn.logprob, std::move(drawn.top)});
  }
  if (Ends(drawn.token)) {
    Finish(FinishReason::kStop);
    return false;
  }
  const bool wanted = Emit(text_.Push(drawn.token));
  if (text_.stopped() || !wanted) {
    result_.finish_reason = text_.stopped() ? FinishReason::kStop : FinishReason::kCancel;
    return false;
  }
  return true;
}

Status AnswerRun::Decode(runtime::Logits logits) {
  while (true) {
    const auto going_on = Draw(logits.Row(0));
    if (!going_on) return tl::unexpected(going_on.error());
    if (!*going_on) return {};
    if (options_.max_tokens && result_.tokens.size() >= *options_.max_tokens) {
      Finish(FinishReason::kLength);
      return {};
    }
    if (engine_.Length(sequence_) >= engine_.context()) {
      result_.context_full = true;
      Finish(FinishReason::kLength);
      return {};
    }
    if (Cancelled()) {
      Finish(FinishReason::kCancel);
      return {};
    }
    const runtime::Work work = {sequence_, std::span(tokens_).last(1), runtime::LogitRows::kLast};
    auto computed = engine_.Step({&work, 1});
    if (!computed) return Fail(std::move(computed));
    logits = *computed;
  }
}

Result<GenerateResult> AnswerRun::Run(std::span<const TokenId> prompt) {
  start_ = Clock::now();
  tokens_.assign(prompt.begin(), prompt.end());
  result_.usage.prompt_tokens = prompt.size();
  result_.usage.cached_tokens = engine_.Length(sequence_);
  result_.timings.load_ms = model_.load_ms();
  if (options_.max_tokens && *options_.max_tokens == 0) {
    result_.finish_reason = FinishReason::kLength;
    return std::move(result_);
  }
  auto logits = Prompt();
  if (!logits) return Fail(std::move(logits));
  Timings& timings = result_.timings;
  const auto prompted = Clock::now();
  timings.prompt_ms = Milliseconds(start_, prompted);
  timings.prompt_tokens_per_second =
      PerSecond(engine_.Length(sequence_) - result_.usage.cached_tokens, timings.prompt_ms);
  if (!*logits) {
    result_.finish_reason = FinishReason::kCancel;
    return std::move(result_);
  }
  if (auto done = Decode(**logits); !done) return Fail(std::move(done));
  const std::size_t drawn = result_.tokens.size();
  result_.usage.completion_tokens = drawn;
  timings.first_token_ms = Milliseconds(start_, first_);
  timings.decode_ms = Milliseconds(first_, Clock::now());
  timings.decode_tokens_per_second = PerSecond(drawn - 1, timings.decode_ms);
  return std::move(result_);
}

Status CheckPrompt(const LanguageModel& model, std::span<const TokenId> prompt) {
  if (prompt.empty()) return Fail("the prompt is empty", "request", "give at least one token");
  const std::size_t vocabulary = model.model().config().vocabulary;
  for (const TokenId token : prompt) {
    if (token >= 0 && static_cast<std::size_t>(token) < vocabulary) continue;
    return Fail(fmt::format("the model has no token {}", token), "request",
                fmt::format("token ids are 0 to {}", vocabulary - 1));
  }
  return {};
}

}  // namespace

std::string_view Name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kCancel:
      break;
  }
  return "cancel";
}

Status CheckOptions(const LanguageModel& model, const AnswerOptions& options) {
  runtime::SamplingParams params = options.sampling;
  params.top_logprobs = options.logprobs.value_or(0);
  if (auto valid = params.Validate(); !valid) return valid;
  if (auto valid = CheckStops(options.stop); !valid) return valid;
  const std::size_t vocabulary = model.model().config().vocabulary;
  const auto known = [&](TokenId token) {
    return token >= 0 && static_cast<std::size_t>(token) < vocabulary;
  };
  for (const TokenId token : options.stop_tokens) {
    if (known(token)) continue;
    return Fail(fmt::format("stop token {} is not one of the model's", token), "request");
  }
  for (const auto& [token, bias] : params.logit_bias) {
    if (known(token)) continue;
    return Fail(fmt::format("the biased token {} is not one of the model's", token), "request",
                fmt::format("give an id below {}", vocabulary));
  }
  return {};
}

Result<std::vector<TokenId>> EncodePrompt(const LanguageModel& model,
                                          const GenerateRequest& request) {
  std::vector<TokenId> tokens;
  if (const auto* ids = std::get_if<std::vector<TokenId>>(&request.prompt)) {
    tokens = *ids;
  } else if (const auto* text = std::get_if<std::string>(&request.prompt);
             text != nullptr && (request.raw || !model.HasChatTemplate())) {
    tokens = model.tokenizer().Encode(*text);
  } else {
    ChatInput chat;
    if (text != nullptr) {
      chat.messages = OrderedJson::array({{{"role", "user"}, {"content", *text}}});
    }
    const auto* given = std::get_if<ChatInput>(&request.prompt);
    auto encoded = model.EncodeChat(given != nullptr ? *given : chat);
    if (!encoded) return encoded;
    tokens = std::move(*encoded);
  }
  if (auto valid = CheckPrompt(model, tokens); !valid) return Fail(std::move(valid));
  return tokens;
}

Result<GenerateResult> Answer(LanguageModel& model, runtime::SequenceId sequence,
                              std::span<const TokenId> prompt, const AnswerOptions& options,
                              const OnText& on_text) {
  if (auto valid = CheckOptions(model, options); !valid) return Fail(std::move(valid));
  if (auto valid = CheckPrompt(model, prompt); !valid) return Fail(std::move(valid));
  if (prompt.size() > model.context()) {
    return Fail(fmt::format("the prompt of {} tokens is longer than the context of {}",
                            prompt.size(), model.context()),
                "request", "shorten it or choose a longer context");
  }
  if (model.engine().Length(sequence) >= prompt.size()) {
    return Fail("the sequence holds the whole prompt already", "engine", "truncate it");
  }
  return AnswerRun(model, sequence, options, on_text).Run(prompt);
}

Result<GenerateResult> Generate(LanguageModel& model, const GenerateRequest& request,
                                const OnText& on_text) {
  const auto prompt = EncodePrompt(model, request);
  if (!prompt) return tl::unexpected(prompt.error());
  const runtime::SequenceId sequence = model.engine().Add();
  auto answer = Answer(model, sequence, *prompt, request.options, on_text);
  model.engine().Release(sequence);
  return answer;
}

}  // namespace ergo::generate
