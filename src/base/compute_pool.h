// The one pool of compute threads of a process, and the phases of work on it.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

namespace ergo {

class ComputePool;

/// One thread's part in a run. All threads of a run execute the same code; a run is a row of
/// phases with a Barrier between them, and inside a phase the threads share work either by index
/// (Share) or by claiming pieces (Claim).
class Worker {
 public:
  int index() const { return index_; }
  int count() const { return count_; }

  /// Waits until every thread of the run has arrived; what they wrote before is then visible, and
  /// the claims start from 0 again.
  void Barrier();

  /// The next unclaimed piece of this phase: 0, 1, 2 … over all threads. A phase has one sequence
  /// of claims; the caller stops at its own total.
  std::size_t Claim();

  /// This thread's contiguous part [begin, end) of `total` items, in multiples of `grain`.
  struct Range {
    std::size_t begin;
    std::size_t end;
  };
  Range Share(std::size_t total, std::size_t grain = 1) const;

 private:
  friend class ComputePool;
  struct Phase;
  Worker(int index, int count, Phase* phase) : index_(index), count_(count), phase_(phase) {}

  int index_;
  int count_;
  Phase* phase_;
};

/// Threads that spin for microseconds after a run, then sleep. A run holds the whole pool: callers
/// of several models take turns. Bodies must not throw and must not call Run.
class ComputePool {
 public:
  /// The pool of this process: UsableProcessors() threads, the caller of Run being one of them.
  static ComputePool& Shared();

  explicit ComputePool(int threads);
  ~ComputePool();
  ComputePool(const ComputePool&) = delete;
  ComputePool& operator=(const ComputePool&) = delete;

  int size() const;

  /// Runs `body` on `threads` threads (clamped to 1 … size()) and returns when all are done.
  void Run(int threads, const std::function<void(Worker&)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ergo
