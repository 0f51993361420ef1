// What other threads ask of an engine's thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace ergo::runtime {

/// A queue of things to do, and the bell that wakes the thread that does them. It may outlive that
/// thread: what is posted after Close is not done.
class Mailbox {
 public:
  using Action = std::function<void()>;
  using Clock = std::chrono::steady_clock;

  /// False, and nothing is done, after Close.
  bool Post(Action action) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return false;
      actions_.push_back(std::move(action));
    }
    bell_.notify_one();
    return true;
  }

  /// Wakes the thread, so that it looks around.
  void Ring() {
    {
      const std::lock_guard lock(mutex_);
      rung_ = true;
    }
    bell_.notify_one();
  }

  void Close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    bell_.notify_one();
  }

  /// Everything that was posted.
  std::vector<Action> Take() {
    const std::lock_guard lock(mutex_);
    rung_ = false;
    return std::exchange(actions_, {});
  }

  /// The same; sleeps until something was, the bell rang, or `until`.
  std::vector<Action> Wait(Clock::time_point until) {
    std::unique_lock lock(mutex_);
    const auto woken = [&] { return rung_ || closed_ || !actions_.empty(); };
    if (until == Clock::time_point::max()) {
      bell_.wait(lock, woken);
    } else {
      bell_.wait_until(lock, until, woken);
    }
    rung_ = false;
    return std::exchange(actions_, {});
  }

  bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable bell_;
  std::vector<Action> actions_;
  bool rung_ = false;
  bool closed_ = false;
};

}  // namespace ergo::runtime
