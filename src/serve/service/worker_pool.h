// A few threads that do what would hold up others.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ergo::serve {

/// Jobs begin in order. Any thread.
class WorkerPool {
 public:
  /// At most `most_waiting` jobs wait.
  WorkerPool(std::size_t threads, std::size_t most_waiting);
  /// Runs what is waiting, then ends.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// False, and the job is not taken, if too many wait.
  [[nodiscard]] bool Post(std::function<void()> job);
  std::size_t waiting() const;

 private:
  void Run();

  const std::size_t most_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable news_;
  std::deque<std::function<void()>> jobs_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace ergo::serve
