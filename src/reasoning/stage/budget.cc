#include "reasoning/stage/budget.h"

#include <algorithm>
#include <utility>

namespace ergo::reasoning {

Budget::Budget(const Limits& limits, std::function<bool()> cancelled)
    : limits_(limits), cancelled_(std::move(cancelled)) {}

Budget::Budget(const Limits& limits, Budget* whole) : limits_(limits), whole_(whole) {}

std::size_t Budget::tokens_left() const {
  const std::size_t own = limits_.tokens - std::min(limits_.tokens, tokens_);
  return whole_ != nullptr ? std::min(own, whole_->tokens_left()) : own;
}

std::size_t Budget::calls_left() const {
  const std::size_t own = limits_.calls - std::min(limits_.calls, calls_);
  return whole_ != nullptr ? std::min(own, whole_->calls_left()) : own;
}

std::size_t Budget::steps() const {
  return whole_ != nullptr ? std::min(limits_.steps, whole_->steps()) : limits_.steps;
}

Limits::Clock::time_point Budget::until() const {
  return whole_ != nullptr ? std::min(limits_.until, whole_->until()) : limits_.until;
}

bool Budget::Cancelled() const {
  if (cancelled_ && cancelled_()) return true;
  return whole_ != nullptr && whole_->Cancelled();
}

bool Budget::Exhausted() const {
  return tokens_left() == 0 || calls_left() == 0 || Limits::Clock::now() >= until() || Cancelled();
}

void Budget::Spend(std::size_t tokens, std::size_t calls) {
  tokens_ += tokens;
  calls_ += calls;
  if (whole_ != nullptr) whole_->Spend(tokens, calls);
}

}  // namespace ergo::reasoning
