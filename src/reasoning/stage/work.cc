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

std::vector<Result<Drawn>> Work::Continue(std::vector<Continuation> continuations) {
  // What one may draw is set aside for it, so that all together never overrun the budget.
  std::size_t left = budget_->tokens_left();
  const std::size_t calls = std::min(budget_->calls_left(), continuations.size());
  std::vector<Continuation> asked;
  const bool exhausted = budget_->Exhausted();
  for (std::size_t i = 0; i < calls && !exhausted && left > 0; ++i) {
    Continuation& continuation = continuations[i];
    continuation.draw.max_tokens = std::min(continuation.draw.max_tokens, left);
    left -= continuation.draw.max_tokens;
    asked.push_back(continuation);
  }
  const auto cancelled = [this] {
    return budget_->Cancelled() || Limits::Clock::now() >= budget_->until();
  };
  auto results = asked.empty() ? std::vector<Result<Drawn>>() : model_.Continue(asked, cancelled);
  for (const Result<Drawn>& result : results) {
    budget_->Spend(result ? result->tokens : 0, 1);
    if (result) tokens_reused_ += result->cached;
  }
  for (std::size_t i = results.size(); i < continuations.size(); ++i) {
    Drawn nothing;
    nothing.branch = continuations[i].from;
    nothing.end = budget_->Cancelled() ? DrawEnd::kCancel : DrawEnd::kLength;
    results.emplace_back(std::move(nothing));
  }
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
