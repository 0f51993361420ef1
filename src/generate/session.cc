#include "generate/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
#include <utility>

#include "generate/answer_sequence.h"
#include "generate/answer_text.h"
#include "generate/think/steering.h"
#include "generate/think/think_text.h"

namespace ergo::generate {
namespace {

/// Between two looks at `cancelled` while no token comes.
constexpr std::chrono::milliseconds kLook(20);
/// How long one of several answers is waited for before the others are looked at.
constexpr std::chrono::milliseconds kTurn(2);
/// Tokens that the engine may be ahead of the reader; more would be thrown away at a stop string.
constexpr std::size_t kUnread = 8;

using Clock = std::chrono::steady_clock;

double Milliseconds(Clock::time_point since, Clock::time_point until) {
  return std::chrono::duration<double, std::milli>(until - since).count();
}

double PerSecond(std::size_t tokens, double milliseconds) {
  return milliseconds > 0.0 ? 1000.0 * static_cast<double>(tokens) / milliseconds : 0.0;
}

/// The texts of one answer. Without tags of thoughts the text comes as it is.
class Texts {
 public:
  Texts(const LanguageModel& model, std::span<const TokenId> prompt,
        const std::vector<std::string>& stops)
      : answer_(model.tokenizer(), stops) {
    const std::shared_ptr<const ThinkTags>& tags = model.think_tags();
    if (tags) thinking_.emplace(model.tokenizer(), tags, tags->StartOf(prompt), stops);
  }

  ThinkTextParts Push(TokenId token) {
    if (thinking_) return thinking_->Push(token);
    return Plain(answer_.Push(token));
  }
  ThinkTextParts Finish() {
    if (thinking_) return thinking_->Finish();
    return Plain(answer_.Finish());
  }
  bool stopped() const { return thinking_ ? thinking_->stopped() : answer_.stopped(); }
  void Store(GenerateResult& result) {
    result.text = thinking_ ? thinking_->answer() : std::move(plain_);
    if (thinking_) result.thought = thinking_->thought();
  }

 private:
  ThinkTextParts Plain(std::string part) {
    plain_ += part;
    return {.thought = {}, .answer = std::move(part)};
  }

  AnswerText answer_;
  std::string plain_;
  std::optional<ThinkText> thinking_;
};

/// One answer in the making.
class AnswerRun {
 public:
  AnswerRun(LanguageModel& model, std::span<const TokenId> prompt, const AnswerOptions& options,
            const OnText& on_text)
      : model_(model),
        prompt_(prompt),
        options_(options),
        on_text_(on_text),
        texts_(model, prompt, options.stop) {}

  void Begin(std::uint64_t seed);
  /// Takes what comes until `until`, one token at most; false once there is nothing more to wait
  /// for.
  bool Listen(Clock::time_point until);
  bool done() const { return done_; }
  /// Once it is done.
  Result<GenerateResult> Conclude();

 private:
  runtime::SequenceOptions SequenceWith(std::uint64_t seed) const;
  std::unique_ptr<runtime::LogitHook> HookFor() const;
  /// Hands out parts of the texts; false if their reader wants no more.
  bool Emit(const ThinkTextParts& parts) const;
  void Finish(FinishReason reason);
  void Take(runtime::DrawnToken token);
  void End(const runtime::SequenceEnd& end);

  LanguageModel& model_;
  const std::span<const TokenId> prompt_;
  const AnswerOptions& options_;
  const OnText& on_text_;
  Texts texts_;

  runtime::Stream stream_;
  bool done_ = false;
  GenerateResult result_;
  std::optional<Error> error_;
  Clock::time_point start_;
  Clock::time_point first_;  ///< token
  Clock::time_point last_;   ///< whatever was heard
};

runtime::SequenceOptions AnswerRun::SequenceWith(std::uint64_t seed) const {
  runtime::SequenceOptions sequence = SequenceFor(model_, options_);
  sequence.sampling.seed = seed;
  sequence.hook = HookFor();
  sequence.unread = kUnread;
  return sequence;
}

std::unique_ptr<runtime::LogitHook> AnswerRun::HookFor() const {
  Steering steering;
  steering.tags = model_.think_tags();
  if (steering.tags) steering.start = steering.tags->StartOf(prompt_);
  if (options_.think_budget || options_.stop_thinking) {
    ThinkBudgetOptions& budget = steering.budget.emplace();
    if (options_.think_budget) budget.budget = *options_.think_budget;
    if (options_.max_tokens) budget.max_tokens = *options_.max_tokens;
    budget.ends = model_.end_of_generation();
    if (options_.stop_thinking) steering.stop = *options_.stop_thinking;
  }
  if (options_.constraint) steering.constraint = options_.constraint->Start();
  return Steer(model_.tokenizer(), std::move(steering));
}

bool AnswerRun::Emit(const ThinkTextParts& parts) const {
  const auto take = [](const OnText& taker, const std::string& part) {
    return part.empty() || !taker || taker(part);
  };
  return take(options_.on_thought, parts.thought) && take(on_text_, parts.answer);
}

void AnswerRun::Finish(FinishReason reason) {
  done_ = true;
  result_.finish_reason = reason;
  Emit(texts_.Finish());
  // The end of what was held back may complete a stop string.
  if (texts_.stopped() && reason == FinishReason::kLength) {
    result_.finish_reason = FinishReason::kStop;
    result_.context_full = false;
  }
}

void AnswerRun::Take(runtime::DrawnToken token) {
  if (result_.tokens.empty()) first_ = last_;
  result_.tokens.push_back(token.token);
  if (options_.logprobs) {
    result_.logprobs.push_back({token.token, token.logprob, std::move(token.top)});
  }
  if (EndsAnswer(model_, options_, token.token))
    return;  // it is the stream's last one and has no text
  const bool wanted = Emit(texts_.Push(token.token));
  if (!texts_.stopped() && wanted) return;
  done_ = true;
  result_.finish_reason = texts_.stopped() ? FinishReason::kStop : FinishReason::kCancel;
}

void AnswerRun::End(const runtime::SequenceEnd& end) {
  done_ = true;
  if (end.reason == runtime::EndReason::kError) {
    error_ = end.error.value_or(Error{"the sequence failed", "engine", {}});
    return;
  }
  result_.context_full = end.reason == runtime::EndReason::kContext;
  Finish(FinishOf(end.reason));
}

void AnswerRun::Begin(std::uint64_t seed) {
  start_ = last_ = Clock::now();
  result_.usage.prompt_tokens = prompt_.size();
  result_.timings.load_ms = model_.load_ms();
  stream_ = model_.scheduler().Submit({prompt_.begin(), prompt_.end()}, SequenceWith(seed));
}

bool AnswerRun::Listen(Clock::time_point until) {
  using Wait = runtime::TokenStream::Wait;
  if (done_) return false;
  if (options_.cancelled && options_.cancelled()) {
    Finish(FinishReason::kCancel);
    return false;
  }
  runtime::DrawnToken token;
  const Wait news = stream_->Next(&token, until);
  if (news == Wait::kTimeout) return false;
  last_ = Clock::now();
  if (news == Wait::kEnd) {
    End(stream_->end());
  } else {
    Take(std::move(token));
  }
  return !done_;
}

Result<GenerateResult> AnswerRun::Conclude() {
  // The engine may be a step ahead of a stop string or of a reader who has had enough.
  model_.scheduler().Stop(stream_->id());
  runtime::DrawnToken unwanted;
  while (stream_->Next(&unwanted) != runtime::TokenStream::Wait::kEnd) {
  }
  if (error_) return tl::unexpected(std::move(*error_));
  texts_.Store(result_);
  const runtime::SequenceEnd& end = stream_->end();
  Usage& usage = result_.usage;
  usage.cached_tokens = end.cached_tokens;
  usage.completion_tokens = result_.tokens.size();
  Timings& timings = result_.timings;
  timings.prompt_ms = 1000.0 * end.prompt_seconds;
  timings.prompt_tokens_per_second =
      PerSecond(usage.prompt_tokens - usage.cached_tokens, timings.prompt_ms);
  if (!result_.tokens.empty()) {
    timings.first_token_ms = Milliseconds(start_, first_);
    timings.decode_ms = Milliseconds(first_, last_);
    timings.decode_tokens_per_second = PerSecond(usage.completion_tokens - 1, timings.decode_ms);
  }
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

Status CheckAnswer(const LanguageModel& model, std::span<const TokenId> prompt,
                   const AnswerOptions& options) {
  if (auto valid = CheckOptions(model, options); !valid) return valid;
  if (auto valid = CheckPrompt(model, prompt); !valid) return valid;
  if (prompt.size() <= model.context()) return {};
  return Fail(fmt::format("the prompt of {} tokens is longer than the context of {}", prompt.size(),
                          model.context()),
              "request", "shorten it or choose a longer context");
}

Result<GenerateResult> Answer(LanguageModel& model, std::span<const TokenId> prompt,
                              const AnswerOptions& options, const OnText& on_text) {
  if (auto valid = CheckAnswer(model, prompt, options); !valid) return Fail(std::move(valid));
  AnswerRun run(model, prompt, options, on_text);
  run.Begin(options.sampling.seed);
  while (!run.done()) {
    run.Listen(options.cancelled ? Clock::now() + kLook : Clock::time_point::max());
  }
  return run.Conclude();
}

Result<GenerateResult> Generate(LanguageModel& model, const GenerateRequest& request,
                                const OnText& on_text) {
  const auto prompt = EncodePrompt(model, request);
  if (!prompt) return tl::unexpected(prompt.error());
  return Answer(model, *prompt, request.options, on_text);
}

Result<std::vector<GenerateResult>> GenerateChoices(LanguageModel& model,
                                                    const GenerateRequest& request,
                                                    std::size_t count) {
  const auto prompt = EncodePrompt(model, request);
  if (!prompt) return tl::unexpected(prompt.error());
  AnswerOptions options = request.options;
  options.on_thought = {};  // they would all come at once
  if (auto valid = CheckAnswer(model, *prompt, options); !valid) return Fail(std::move(valid));
  const OnText nobody;
  std::deque<AnswerRun> runs;
  for (std::size_t i = 0; i < count; ++i) {
    runs.emplace_back(model, *prompt, options, nobody)
        .Begin(runtime::DeriveSeed(options.sampling.seed, i));
  }
  while (true) {
    AnswerRun* waiting = nullptr;
    for (AnswerRun& run : runs) {
      while (run.Listen(Clock::time_point::min())) {
      }
      if (!run.done() && waiting == nullptr) waiting = &run;
    }
    if (waiting == nullptr) break;
    waiting->Listen(Clock::now() + kTurn);
  }
  std::vector<GenerateResult> results;
  for (AnswerRun& run : runs) {
    auto result = run.Conclude();
    if (!result) return Fail(std::move(result));
    results.push_back(std::move(*result));
  }
  return results;
}

void SetTexts(const LanguageModel& model, std::span<const TokenId> prompt, GenerateResult* result) {
  Texts texts(model, prompt, {});
  for (const TokenId token : result->tokens) texts.Push(token);
  texts.Finish();
  texts.Store(*result);
}

void KeepBest(std::vector<GenerateResult>& answers, std::size_t count) {
  const auto mean = [](const GenerateResult& answer) {
    double sum = 0.0;
    for (const TokenScore& score : answer.logprobs) sum += static_cast<double>(score.logprob);
    return sum / static_cast<double>(std::max<std::size_t>(answer.logprobs.size(), 1));
  };
  std::stable_sort(
      answers.begin(), answers.end(),
      [&](const GenerateResult& a, const GenerateResult& b) { return mean(a) > mean(b); });
  if (answers.size() > count) answers.resize(count);
}

}  // namespace ergo::generate
