#include "reasoning/stage/work.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace ergo::reasoning {

Result<BranchPtr> Work::Begin(const Prompt& prompt) { return model_.Begin(prompt); }

/// SplitMix64 (Steele et al. 2014).
std::uint64_t Work::NextSeed() {
  std::uint64_t bits = settings_.seed + 0x9E3779B97F4A7C15u * ++draws_;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
  return bits ^ (bits >> 31);
}

void Work::ContinueEach(std::vector<Continuation> continuations, const HearDrawn& hear) {
  // What one may draw is set aside for it, so that all together never overrun the budget.
  struct Share {
    std::size_t tokens = 0;
    std::size_t calls = 0;
  };
  const std::size_t count = continuations.size();
  const bool exhausted = budget_->Exhausted();
  std::size_t left = exhausted ? 0 : budget_->tokens_left();
  const std::size_t calls = budget_->calls_left();
  std::vector<Share> shares(count);
  std::vector<Continuation> asked;
  for (std::size_t i = 0; i < std::min(calls, count) && left > 0; ++i) {
    shares[i].tokens = std::min(continuations[i].draw.max_tokens, left);
    shares[i].calls = calls / count + (i < calls % count ? 1 : 0);
    left -= shares[i].tokens;
    continuations[i].draw.max_tokens = shares[i].tokens;
    asked.push_back(continuations[i]);
  }
  const auto cancelled = [this] {
    return budget_->Cancelled() || Limits::Clock::now() >= budget_->until();
  };
  const auto spend = [&](std::size_t index, Result<Drawn> drawn) -> std::optional<Continuation> {
    Share& share = shares[index];
    const std::size_t tokens = drawn ? drawn->tokens : 0;
    share.tokens -= std::min(share.tokens, tokens);
    --share.calls;
    budget_->Spend(tokens, 1);
    if (drawn) tokens_reused_ += drawn->cached;
    auto next = hear(index, std::move(drawn));
    if (!next || share.tokens == 0 || share.calls == 0) return std::nullopt;
    next->draw.max_tokens = std::min(next->draw.max_tokens, share.tokens);
    return next;
  };
  const std::size_t begun = asked.size();
  if (begun > 0) model_.ContinueEach(std::move(asked), spend, cancelled);
  for (std::size_t i = begun; i < count; ++i) {
    Drawn nothing;
    nothing.branch = continuations[i].from;
    nothing.end = budget_->Cancelled() ? DrawEnd::kCancel : DrawEnd::kLength;
    hear(i, std::move(nothing));
  }
}

std::vector<Result<Drawn>> Work::Continue(std::vector<Continuation> continuations) {
  std::vector<Result<Drawn>> results(continuations.size());
  ContinueEach(std::move(continuations),
               [&](std::size_t index, Result<Drawn> drawn) -> std::optional<Continuation> {
                 results[index] = std::move(drawn);
                 return std::nullopt;
               });
  return results;
}

Result<Drawn> Work::Continue(Continuation continuation) {
  return std::move(Continue(std::vector<Continuation>{std::move(continuation)}).front());
}

Status Work::Stage(std::string_view name, const Limits& limits,
                   const std::function<Status()>& body) {
  const auto start = Limits::Clock::now();
  TraceStage record;
  record.name = name;
  Budget* const whole = budget_;
  Status status;
  Budget part(limits, whole);
  if (part.Exhausted()) {
    record.outcome = part.Cancelled() ? "cancelled" : "skipped: nothing left of the budget";
    status = Fail(record.outcome, std::string(name));
  } else {
    budget_ = &part;
    status = body();
    budget_ = whole;
    record.tokens = part.tokens_spent();
    record.outcome = !status            ? status.error().Message()
                     : part.Cancelled() ? "cancelled"
                     : part.Exhausted() ? "out of budget"
                                        : "done";
  }
  record.ms = std::chrono::duration<double, std::milli>(Limits::Clock::now() - start).count();
  trace_.Stage(std::move(record));
  return status;
}

}  // namespace ergo::reasoning
