#include "generate/answer_stream.h"

#include <optional>
#include <span>
#include <utility>

#include "generate/answer_sequence.h"
#include "generate/answer_texts.h"
#include "generate/think/steering.h"

namespace ergo::generate {
namespace {

/// Tokens that the engine may be ahead of the reader; more would be thrown away at a stop string.
constexpr std::size_t kUnread = 8;

using Clock = AnswerStream::Clock;

double Milliseconds(Clock::time_point since, Clock::time_point until) {
  return std::chrono::duration<double, std::milli>(until - since).count();
}

double PerSecond(std::size_t tokens, double milliseconds) {
  return milliseconds > 0.0 ? 1000.0 * static_cast<double>(tokens) / milliseconds : 0.0;
}

std::unique_ptr<runtime::LogitHook> HookFor(const LanguageModel& model,
                                            std::span<const TokenId> prompt,
                                            const AnswerOptions& options) {
  Steering steering;
  steering.tags = model.think_tags();
  if (steering.tags) steering.start = steering.tags->StartOf(prompt);
  if (options.think_budget || options.stop_thinking) {
    ThinkBudgetOptions& budget = steering.budget.emplace();
    if (options.think_budget) budget.budget = *options.think_budget;
    if (options.max_tokens) budget.max_tokens = *options.max_tokens;
    budget.ends = model.end_of_generation();
    if (options.stop_thinking) steering.stop = *options.stop_thinking;
  }
  if (options.constraint) steering.constraint = options.constraint->Start();
  return Steer(model.tokenizer(), std::move(steering));
}

}  // namespace

/// Hands out what the sequence says until the answer is over, then throws away what the engine was
/// ahead with, until the sequence has ended.
class AnswerStream::Run {
 public:
  Run(LanguageModel& model, std::span<const TokenId> prompt, const AnswerOptions& options)
      : model_(model), options_(options), texts_(model, prompt, options.stop) {
    options_.on_thought = {};
    options_.cancelled = {};
  }

  void Begin(std::vector<TokenId> prompt, std::function<void()> on_news);
  News Listen(AnswerPart* part, std::size_t most, Clock::time_point until);
  void Cancel();
  Result<GenerateResult> Conclude();

 private:
  void Put(ThinkTextParts parts, AnswerPart* part) {
    part->thought += parts.thought;
    part->text += parts.answer;
  }
  void Finish(FinishReason reason, AnswerPart* part);
  void Take(runtime::DrawnToken token, AnswerPart* part);
  void End(AnswerPart* part);

  LanguageModel& model_;
  AnswerOptions options_;
  AnswerTexts texts_;
  runtime::Stream stream_;
  bool done_ = false;   ///< nothing more is handed out but `held_`
  bool ended_ = false;  ///< the sequence
  AnswerPart held_;     ///< what a cancel let go
  GenerateResult result_;
  std::optional<Error> error_;
  Clock::time_point start_;
  Clock::time_point first_;  ///< token
  Clock::time_point last_;   ///< that was handed out
};

void AnswerStream::Run::Begin(std::vector<TokenId> prompt, std::function<void()> on_news) {
  start_ = last_ = Clock::now();
  result_.usage.prompt_tokens = prompt.size();
  result_.timings.load_ms = model_.load_ms();
  runtime::SequenceOptions sequence = SequenceFor(model_, options_);
  sequence.hook = HookFor(model_, prompt, options_);
  sequence.unread = kUnread;
  sequence.on_news = std::move(on_news);
  stream_ = model_.scheduler().Submit(std::move(prompt), std::move(sequence));
}

void AnswerStream::Run::Finish(FinishReason reason, AnswerPart* part) {
  done_ = true;
  result_.finish_reason = reason;
  Put(texts_.Finish(), part);
  // The end of what was held back may complete a stop string.
  if (texts_.stopped() && reason == FinishReason::kLength) {
    result_.finish_reason = FinishReason::kStop;
    result_.context_full = false;
  }
}

void AnswerStream::Run::Take(runtime::DrawnToken token, AnswerPart* part) {
  last_ = Clock::now();
  if (result_.tokens.empty()) first_ = last_;
  result_.tokens.push_back(token.token);
  ++part->tokens;
  if (options_.logprobs) {
    TokenScore score = {token.token, token.logprob, std::move(token.top)};
    part->logprobs.push_back(score);
    result_.logprobs.push_back(std::move(score));
  }
  if (EndsAnswer(model_, options_, token.token)) return;  // the stream's last one, without a text
  if (texts_.in_thought()) ++result_.usage.thought_tokens;
  Put(texts_.Push(token.token), part);
  if (!texts_.stopped()) return;
  done_ = true;
  result_.finish_reason = FinishReason::kStop;
  model_.scheduler().Stop(stream_->id());
}

void AnswerStream::Run::End(AnswerPart* part) {
  ended_ = true;
  if (done_) return;
  last_ = Clock::now();
  const runtime::SequenceEnd& end = stream_->end();
  if (end.reason == runtime::EndReason::kError) {
    done_ = true;
    error_ = end.error.value_or(Error{"the sequence failed", "engine", {}});
    return;
  }
  result_.context_full = end.reason == runtime::EndReason::kContext;
  Finish(FinishOf(end.reason), part);
}

void AnswerStream::Run::Cancel() {
  if (done_) return;
  Finish(FinishReason::kCancel, &held_);
  model_.scheduler().Stop(stream_->id());
}

AnswerStream::News AnswerStream::Run::Listen(AnswerPart* part, std::size_t most,
                                             Clock::time_point until) {
  using runtime::TokenStream;
  *part = std::exchange(held_, {});
  runtime::DrawnToken token;
  while (!ended_ && part->tokens < most) {
    // Only for the first one is waited.
    const bool empty = part->tokens == 0 && part->text.empty() && part->thought.empty();
    const auto wait = stream_->Next(&token, empty ? until : Clock::time_point::min());
    if (wait == TokenStream::Wait::kTimeout) break;
    if (wait == TokenStream::Wait::kEnd) {
      End(part);
    } else if (!done_) {
      Take(std::move(token), part);
    }
  }
  if (part->tokens > 0 || !part->text.empty() || !part->thought.empty()) return News::kPart;
  return ended_ ? News::kEnd : News::kNothing;
}

Result<GenerateResult> AnswerStream::Run::Conclude() {
  if (error_) return tl::unexpected(std::move(*error_));
  texts_.Store(&result_);
  const runtime::SequenceEnd& end = stream_->end();
  Usage& usage = result_.usage;
  usage.cached_tokens = end.cached_tokens;
  usage.completion_tokens = result_.tokens.size();
  Timings& timings = result_.timings;
  timings.queue_ms = 1000.0 * end.queue_seconds;
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

AnswerStream::AnswerStream(std::unique_ptr<Run> run) : run_(std::move(run)) {}
AnswerStream::~AnswerStream() = default;

Result<std::unique_ptr<AnswerStream>> AnswerStream::Start(LanguageModel& model,
                                                          std::vector<TokenId> prompt,
                                                          const AnswerOptions& options,
                                                          std::function<void()> on_news) {
  if (auto valid = CheckAnswer(model, prompt, options); !valid) return Fail(std::move(valid));
  auto run = std::make_unique<Run>(model, prompt, options);
  run->Begin(std::move(prompt), std::move(on_news));
  return std::unique_ptr<AnswerStream>(new AnswerStream(std::move(run)));
}

AnswerStream::News AnswerStream::Take(AnswerPart* part, std::size_t most) {
  return run_->Listen(part, most, Clock::time_point::min());
}

AnswerStream::News AnswerStream::Wait(AnswerPart* part, Clock::time_point until) {
  return run_->Listen(part, 1, until);
}

void AnswerStream::Cancel() { run_->Cancel(); }

Result<GenerateResult> AnswerStream::Conclude() { return run_->Conclude(); }

}  // namespace ergo::generate
