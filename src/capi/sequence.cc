#include "capi/sequence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "capi/constraint_place.h"
#include "capi/tokens.h"

namespace ergo::capi {
namespace {

constexpr const char* kWhere = "sequence";

int32_t ReasonOf(runtime::EndReason reason) {
  switch (reason) {
    case runtime::EndReason::kStopToken:
      return ERGO_END_STOP_TOKEN;
    case runtime::EndReason::kComplete:
      return ERGO_END_COMPLETE;
    case runtime::EndReason::kLength:
      return ERGO_END_LENGTH;
    case runtime::EndReason::kContext:
      return ERGO_END_CONTEXT;
    case runtime::EndReason::kDeadline:
      return ERGO_END_DEADLINE;
    case runtime::EndReason::kStopped:
    case runtime::EndReason::kError:
      break;
  }
  return ERGO_END_STOPPED;
}

}  // namespace

Sequence::Sequence(std::shared_ptr<ModelState> model, Settings settings, Start start)
    : model_(std::move(model)),
      settings_(std::move(settings)),
      given_(start.tokens.size()),
      text_(start.text),
      constrained_(start.constrained),
      decoder_(model_->model().tokenizer()),
      tokens_(std::move(start.tokens)) {
  // A character may have been begun by what is there.
  for (std::size_t i = text_; i < tokens_.size(); ++i) decoder_.Push(tokens_[i]);
}

Sequence::~Sequence() { Drop(); }

Outcome<std::unique_ptr<Sequence>> Sequence::Submit(std::shared_ptr<ModelState> model,
                                                    std::span<const std::int32_t> tokens,
                                                    const ergo_sequence_options* options) {
  auto settings = SettingsOf(*model, options);
  if (!settings) return Refused(settings);
  runtime::SequenceOptions wanted = EngineOptionsOf(*model, *settings);
  if (settings->max_tokens > 0) wanted.hook = HookFor(*model, *settings, tokens);
  Start start = {{tokens.begin(), tokens.end()}, tokens.size(), tokens.size()};
  std::unique_ptr<Sequence> made(
      new Sequence(std::move(model), std::move(*settings), std::move(start)));
  made->stream_ = made->model_->scheduler().Submit(made->tokens_, std::move(wanted));
  return made;
}

Outcome<void> Sequence::CheckAlive() const {
  if (dropped_) return tl::unexpected(Failure(Error{"it was dropped", kWhere, {}}));
  if (end_ && end_->error && end_->reason == runtime::EndReason::kError) {
    return tl::unexpected(Failure(*end_->error));
  }
  return {};
}

Outcome<Settings> Sequence::SettingsOfFork(const ergo_sequence_options* options) {
  if (options == nullptr) {
    Settings settings = settings_;
    settings.answer.sampling.seed =
        runtime::DeriveSeed(settings_.answer.sampling.seed, ++children_);
    return settings;
  }
  auto settings = SettingsOf(*model_, options);
  if (!settings) return settings;
  // A branch holds what its parent's name space knows: it must not tell it to another one.
  if (options->name_space != nullptr && settings->name_space != settings_.name_space) {
    return Invalid("a branch belongs to its parent's", "name_space", "leave it NULL");
  }
  settings->name_space = settings_.name_space;
  return settings;
}

Outcome<std::unique_ptr<runtime::LogitHook>> Sequence::HookOfFork(const Settings& settings,
                                                                  std::size_t position,
                                                                  Start* start) const {
  std::unique_ptr<runtime::LogitHook> hook;
  if (settings.steers()) {
    const bool goes_on = settings.constraint == settings_.constraint && position >= constrained_;
    start->constrained = goes_on ? constrained_ : start->tokens.size();
    const std::span<const std::int32_t> tokens = start->tokens;
    const std::size_t drawn = goes_on ? position : tokens.size();
    auto placed = HookAfter(HookFor(*model_, settings, tokens.first(start->constrained)),
                            tokens.first(drawn).subspan(start->constrained), tokens.subspan(drawn),
                            model_->vocabulary());
    if (!placed) return placed;
    if (settings.max_tokens > 0) hook = std::move(*placed);
  }
  // Left empty, it would become a copy of the parent's.
  if (hook == nullptr && settings_.steers()) hook = NoConstraint();
  return hook;
}

Outcome<std::unique_ptr<Sequence>> Sequence::Fork(std::size_t position,
                                                  std::span<const std::int32_t> appended,
                                                  const ergo_sequence_options* options) {
  auto settings = SettingsOfFork(options);
  if (!settings) return Refused(settings);
  Start start;
  {
    const std::lock_guard lock(mutex_);
    if (auto alive = CheckAlive(); !alive) return Refused(alive);
    if (position == ERGO_HERE) position = tokens_.size();
    if (position > tokens_.size()) {
      return Invalid(fmt::format("{} is behind the {} tokens that were given and read", position,
                                 tokens_.size()),
                     "position", "read further, or fork at ERGO_HERE");
    }
    start.tokens.assign(tokens_.begin(), tokens_.begin() + static_cast<std::ptrdiff_t>(position));
  }
  start.tokens.insert(start.tokens.end(), appended.begin(), appended.end());
  const std::size_t most = model_->model().context();
  if (start.tokens.empty() || start.tokens.size() > most) {
    return Invalid(fmt::format("a branch of {} tokens can't be", start.tokens.size()), "appended",
                   fmt::format("it takes from 1 to {}", most));
  }
  start.text = std::min(text_, position);
  start.constrained = start.tokens.size();
  auto hook = HookOfFork(*settings, position, &start);
  if (!hook) return Refused(hook);
  runtime::SequenceOptions wanted = EngineOptionsOf(*model_, *settings);
  wanted.hook = std::move(*hook);
  std::unique_ptr<Sequence> made(new Sequence(model_, std::move(*settings), std::move(start)));
  const std::lock_guard lock(mutex_);  // so that a Drop comes before it or after it
  if (auto alive = CheckAlive(); !alive) return Refused(alive);
  made->stream_ = model_->scheduler().Fork(
      {stream_->id(), position, {appended.begin(), appended.end()}}, std::move(wanted));
  return made;
}

Outcome<runtime::Scores> Sequence::Score(std::vector<std::vector<std::int32_t>> continuations) {
  std::future<Result<runtime::Scores>> scores;
  runtime::Stream base;
  {
    const std::lock_guard lock(mutex_);
    if (auto alive = CheckAlive(); !alive) return Refused(alive);
    runtime::Scheduler& scheduler = model_->scheduler();
    std::uint64_t id = stream_->id();
    if (!end_ || end_->given_tokens + end_->drawn_tokens != tokens_.size()) {
      // The engine is ahead of the reader: score where the reader stands.
      runtime::SequenceOptions options;
      options.max_tokens = 0;
      options.name_space = settings_.name_space;
      options.priority = settings_.priority;
      options.keep = true;
      options.hook = settings_.steers() ? NoConstraint() : nullptr;
      base = scheduler.Fork({id, tokens_.size(), {}}, std::move(options));
      id = base->id();
    }
    scores = scheduler.Score(id, std::move(continuations), settings_.priority);
  }
  Result<runtime::Scores> answer = scores.get();
  if (answer) return std::move(*answer);
  runtime::DrawnToken none;
  const bool ended = base != nullptr && base->Next(&none) == runtime::TokenStream::Wait::kEnd;
  if (ended && base->end().error) return tl::unexpected(Failure(*base->end().error));
  return Fail(std::move(answer));
}

void Sequence::Stop() { model_->scheduler().Stop(stream_->id()); }

void Sequence::Drop() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(dropped_, true) || stream_ == nullptr) return;
  model_->scheduler().Drop(stream_->id());
}

void Sequence::Take(const runtime::DrawnToken& drawn) {
  piece_ = decoder_.Push(drawn.token);
  alternatives_.clear();
  for (const runtime::TokenLogprob& other : drawn.top) {
    alternatives_.push_back({other.token, other.logprob});
  }
  token_ = {};
  token_.id = drawn.token;
  token_.forced = drawn.forced ? 1 : 0;
  const bool known = settings_.answer.logprobs.has_value() && !drawn.forced;
  token_.logprob = known ? drawn.logprob : std::numeric_limits<float>::quiet_NaN();
  token_.text = piece_.c_str();
  token_.text_length = piece_.size();
  token_.alternatives = alternatives_.data();
  token_.alternative_count = alternatives_.size();
  const std::lock_guard lock(mutex_);
  tokens_.push_back(drawn.token);
}

Outcome<ergo_status> Sequence::Finish() {
  const std::lock_guard lock(mutex_);
  if (!end_) {
    end_ = stream_->end();
    using runtime::EndReason;
    const bool bad = end_->reason == EndReason::kError || end_->reason == EndReason::kDeadline ||
                     end_->reason == EndReason::kStopped;
    if (!draws() && !bad) end_->reason = EndReason::kLength;
    if (ended_early_ && end_->reason != EndReason::kError) end_->reason = EndReason::kStopped;
  }
  if (end_->reason != runtime::EndReason::kError) return ERGO_ENDED;
  return tl::unexpected(Failure(end_->error.value_or(Error{"the sequence failed", kWhere, {}})));
}

/// One token, if there is one that the caller is to see. Only with reading_ held.
Outcome<ergo_status> Sequence::Read(Clock::time_point until) {
  while (true) {
    runtime::DrawnToken drawn;
    switch (stream_->Next(&drawn, until)) {
      case runtime::TokenStream::Wait::kTimeout:
        return ERGO_TIMEOUT;
      case runtime::TokenStream::Wait::kEnd:
        return Finish();
      case runtime::TokenStream::Wait::kToken:
        break;
    }
    if (!draws() || ended_early_) continue;
    Take(drawn);
    return ERGO_OK;
  }
}

Outcome<ergo_status> Sequence::Next(Clock::time_point until, const ergo_token** token) {
  const std::unique_lock lock(reading_, std::try_to_lock);
  if (!lock) {
    return tl::unexpected(Failure(ERGO_BUSY, {"another call is reading it", kWhere, {}}));
  }
  auto read = Read(until);
  if (read && *read == ERGO_OK) *token = &token_;
  return read;
}

Outcome<ergo_status> Sequence::Generate(ergo_on_token on_token, void* user) {
  const std::unique_lock lock(reading_, std::try_to_lock);
  if (!lock) {
    return tl::unexpected(Failure(ERGO_BUSY, {"another call is reading it", kWhere, {}}));
  }
  while (true) {
    auto read = Read(Clock::time_point::max());
    if (!read) return read;
    if (*read == ERGO_ENDED) return ERGO_OK;
    if (on_token == nullptr || on_token(&token_, user) == 0) continue;
    ended_early_ = true;
    Stop();
  }
}

Outcome<ergo_end> Sequence::End() const {
  const std::lock_guard lock(mutex_);
  if (!end_) {
    return tl::unexpected(
        Failure(Error{"it has not ended, or was not read to its end", kWhere, "read on"}));
  }
  ergo_end end = {};
  end.reason = ReasonOf(end_->reason);
  end.preemptions = static_cast<int32_t>(
      std::min<std::size_t>(end_->preemptions, std::numeric_limits<int32_t>::max()));
  end.given_tokens = given_;
  end.cached_tokens = end_->cached_tokens;
  end.read_tokens = tokens_.size() - given_;
  end.queue_seconds = end_->queue_seconds;
  end.prompt_seconds = end_->prompt_seconds;
  return end;
}

std::vector<std::int32_t> Sequence::tokens() const {
  const std::lock_guard lock(mutex_);
  return tokens_;
}

std::size_t Sequence::position() const {
  const std::lock_guard lock(mutex_);
  return tokens_.size();
}

}  // namespace ergo::capi
