// The thread on which what calls of gRPC are told to do happens, one action at a time.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace ergo::serve {

/// Where actions are handed in; it outlives the thread, and then takes none. Any thread.
class RpcActions {
 public:
  void Post(std::function<void()> action) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      actions_.push_back(std::move(action));
    }
    news_.notify_one();
  }

 private:
  friend class RpcPump;
  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<std::function<void()>> actions_;
  bool closed_ = false;
};

class RpcPump {
 public:
  RpcPump() : actions_(std::make_shared<RpcActions>()), thread_([this] { Run(); }) {}
  /// Does what was handed in before.
  ~RpcPump() {
    {
      const std::lock_guard lock(actions_->mutex_);
      actions_->closed_ = true;
    }
    actions_->news_.notify_one();
    thread_.join();
  }
  RpcPump(const RpcPump&) = delete;
  RpcPump& operator=(const RpcPump&) = delete;

  const std::shared_ptr<RpcActions>& actions() const { return actions_; }

 private:
  void Run() {
    for (;;) {
      std::function<void()> action;
      {
        std::unique_lock lock(actions_->mutex_);
        actions_->news_.wait(lock,
                             [this] { return actions_->closed_ || !actions_->actions_.empty(); });
        if (actions_->actions_.empty()) return;
        action = std::move(actions_->actions_.front());
        actions_->actions_.pop_front();
      }
      action();
    }
  }

  const std::shared_ptr<RpcActions> actions_;
  std::thread thread_;
};

}  // namespace ergo::serve
