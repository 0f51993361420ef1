// What an answer may cost. A part of a budget can be set aside for a stage; what the stage does not
// spend was never gone.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>

namespace ergo::reasoning {

struct Limits {
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
  using Clock = std::chrono::steady_clock;

  std::size_t tokens = kNoLimit;  ///< drawn, discarded samples included
  std::size_t calls = kNoLimit;   ///< continuations
  std::size_t steps = kNoLimit;   ///< of a derivation, or a search's depth
  Clock::time_point until = Clock::time_point::max();
};

/// Not for several threads at a time.
class Budget {
 public:
  explicit Budget(const Limits& limits, std::function<bool()> cancelled = {});
  /// A part of `whole`, which must outlive it: spends from both, ends with whichever ends first.
  Budget(const Limits& limits, Budget* whole);
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  std::size_t tokens_left() const;
  std::size_t calls_left() const;
  std::size_t steps() const;  ///< the least limit of this one and those it is a part of
  Limits::Clock::time_point until() const;
  bool Cancelled() const;
  /// Nothing more can be drawn: no tokens, no calls, no time, or cancelled.
  bool Exhausted() const;

  void Spend(std::size_t tokens, std::size_t calls);
  std::size_t tokens_spent() const { return tokens_; }
  std::size_t calls_spent() const { return calls_; }

 private:
  Limits limits_;
  Budget* whole_ = nullptr;
  std::function<bool()> cancelled_;
  std::size_t tokens_ = 0;
  std::size_t calls_ = 0;
};

}  // namespace ergo::reasoning
