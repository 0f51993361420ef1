#include "generate/branch.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "generate/answer_sequence.h"
#include "generate/answer_text.h"

namespace ergo::generate {
namespace {

using Clock = std::chrono::steady_clock;

/// How long one extension is waited for before the others are looked at.
constexpr std::chrono::milliseconds kTurn(2);
/// Tokens that the engine may be ahead of the reader; more would be thrown away at a stop string.
constexpr std::size_t kUnread = 4;

}  // namespace

/// One extension in the making.
class BranchRun {
 public:
  BranchRun(LanguageModel& model, Extension extension)
      : model_(model),
        extension_(std::move(extension)),
        text_(model.tokenizer(), extension_.options.stop),
        tokens_(extension_.from.tokens()) {
    Begin();
  }

  bool done() const { return done_; }
  /// Takes what comes until `until`, one token at most; false if nothing came or it is done.
  bool Listen(Clock::time_point until);
  void Cancel() { Finish(FinishReason::kCancel); }
  Result<Extended> Conclude();

 private:
  void Begin();
  runtime::SequenceOptions Options() const;
  void Take(runtime::DrawnToken token);
  void Hear(const std::string& text);
  void End(const runtime::SequenceEnd& end);
  void Finish(FinishReason reason);

  LanguageModel& model_;
  const Extension extension_;
  AnswerText text_;
  std::vector<TokenId> tokens_;
  runtime::Stream stream_;
  GenerateResult result_;
  std::optional<Error> error_;
  bool done_ = false;
  bool ended_ = false;  ///< by a token that ends answers
};

runtime::SequenceOptions BranchRun::Options() const {
  runtime::SequenceOptions options = SequenceFor(model_, extension_.options);
  if (extension_.options.constraint) options.hook = extension_.options.constraint->Start();
  options.keep = true;
  options.unread = kUnread;
  return options;
}

void BranchRun::Begin() {
  if (auto valid = CheckOptions(model_, extension_.options); !valid) {
    error_ = std::move(valid).error();
    done_ = true;
    return;
  }
  const std::size_t position = tokens_.size();
  tokens_.insert(tokens_.end(), extension_.append.begin(), extension_.append.end());
  result_.usage.prompt_tokens = tokens_.size();
  if (extension_.from.stream_) {
    stream_ = model_.scheduler().Fork(
        {extension_.from.stream_->id(), position, extension_.append, false}, Options());
  } else {
    stream_ = model_.scheduler().Submit(tokens_, Options());
  }
}

void BranchRun::Finish(FinishReason reason) {
  if (done_) return;
  done_ = true;
  Hear(text_.Finish());
  result_.finish_reason = text_.stopped() ? FinishReason::kStop : reason;
}

void BranchRun::Hear(const std::string& text) {
  if (text.empty()) return;
  result_.text += text;
  if (extension_.on_text && !extension_.on_text(text)) Finish(FinishReason::kCancel);
}

void BranchRun::Take(runtime::DrawnToken token) {
  result_.tokens.push_back(token.token);
  if (extension_.options.logprobs) {
    result_.logprobs.push_back({token.token, token.logprob, std::move(token.top)});
  }
  if (EndsAnswer(model_, extension_.options, token.token))
    return;  // it is the stream's last one and has no text
  tokens_.push_back(token.token);
  Hear(text_.Push(token.token));
  if (text_.stopped()) Finish(FinishReason::kStop);
}

void BranchRun::End(const runtime::SequenceEnd& end) {
  if (end.reason == runtime::EndReason::kError) {
    error_ = end.error.value_or(Error{"the sequence failed", "engine", {}});
    done_ = true;
    return;
  }
  ended_ = end.reason == runtime::EndReason::kStopToken;
  result_.context_full = end.reason == runtime::EndReason::kContext;
  Finish(FinishOf(end.reason));
}

bool BranchRun::Listen(Clock::time_point until) {
  using Wait = runtime::TokenStream::Wait;
  if (done_) return false;
  runtime::DrawnToken token;
  switch (stream_->Next(&token, until)) {
    case Wait::kTimeout:
      return false;
    case Wait::kEnd:
      End(stream_->end());
      return false;
    case Wait::kToken:
      break;
  }
  Take(std::move(token));
  return !done_;
}

Result<Extended> BranchRun::Conclude() {
  if (!stream_) return tl::unexpected(std::move(*error_));
  // The engine may be a step ahead of a stop string.
  model_.scheduler().Stop(stream_->id());
  runtime::DrawnToken unwanted;
  while (stream_->Next(&unwanted) != runtime::TokenStream::Wait::kEnd) {
  }
  if (error_) return tl::unexpected(std::move(*error_));
  result_.usage.cached_tokens = stream_->end().cached_tokens;
  result_.usage.completion_tokens = result_.tokens.size();
  Extended extended;
  extended.branch = Branch(std::move(tokens_));
  extended.branch.stream_ = std::move(stream_);
  extended.result = std::move(result_);
  extended.ended = ended_;
  return extended;
}

void ExtendEach(LanguageModel& model, std::vector<Extension> extensions, const HearExtended& hear,
                const std::function<bool()>& cancelled) {
  std::vector<std::unique_ptr<BranchRun>> runs;
  runs.reserve(extensions.size());
  for (Extension& extension : extensions) {
    runs.push_back(std::make_unique<BranchRun>(model, std::move(extension)));
  }
  bool stopped = false;
  while (true) {
    BranchRun* waiting = nullptr;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (!runs[i]) continue;
      while (runs[i]->Listen(Clock::time_point::min())) {
      }
      if (runs[i]->done()) {
        auto next = hear(i, runs[i]->Conclude());
        const bool goes_on = next && !stopped;
        runs[i] = goes_on ? std::make_unique<BranchRun>(model, *std::move(next)) : nullptr;
      }
      if (runs[i] && waiting == nullptr) waiting = runs[i].get();
    }
    if (waiting == nullptr) break;
    if (!stopped && cancelled && cancelled()) {
      stopped = true;
      for (const auto& run : runs) {
        if (run) run->Cancel();
      }
    }
    waiting->Listen(Clock::now() + kTurn);
  }
}

std::vector<Result<Extended>> Extend(LanguageModel& model, std::span<const Extension> extensions,
                                     const std::function<bool()>& cancelled) {
  std::vector<Result<Extended>> results(extensions.size());
  ExtendEach(
      model, {extensions.begin(), extensions.end()},
      [&](std::size_t index, Result<Extended> extended) -> std::optional<Extension> {
        results[index] = std::move(extended);
        return std::nullopt;
      },
      cancelled);
  return results;
}

Result<std::vector<std::vector<float>>> ScoreAfter(
    LanguageModel& model, const Branch& branch,
    const std::vector<std::vector<TokenId>>& continuations, const std::string& name_space) {
  runtime::Scheduler& scheduler = model.scheduler();
  runtime::Stream base = branch.stream_;
  // What is scored is a sequence that has ended where the branch is.
  runtime::SequenceOptions options;
  options.max_tokens = 0;
  options.keep = true;
  options.name_space = name_space;
  const runtime::Stream own =
      base ? scheduler.Fork({base->id(), branch.tokens().size(), {}, false}, std::move(options))
           : scheduler.Submit(branch.tokens(), std::move(options));
  return scheduler.Score(own->id(), continuations).get();
}

}  // namespace ergo::generate
