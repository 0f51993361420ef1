#include "base/compute_pool.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ergo {
namespace {

void Pause() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

/// About 20 microseconds of pauses: longer than any gap between the phases of a step.
constexpr int kSpins = 500;

/// Spins for a while, then sleeps until the condition holds. A waiter counts itself before it looks
/// at the condition for the last time, and a waker changes the condition before it looks at the
/// count, both in one total order: none is missed.
class Parking {
 public:
  template <typename Condition>
  void WaitUntil(Condition condition) {
    for (int spin = 0; spin < kSpins; ++spin) {
      if (condition()) return;
      Pause();
    }
    std::unique_lock lock(mutex_);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    wake_.wait(lock, condition);
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
  }

  /// After the condition has been made true with a sequentially consistent store.
  void Wake() {
    if (sleepers_.load(std::memory_order_seq_cst) == 0) return;
    { const std::lock_guard lock(mutex_); }
    wake_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<int> sleepers_{0};
};

}  // namespace

struct Worker::Phase {
  alignas(64) std::atomic<int> arrived{0};
  alignas(64) std::atomic<unsigned> epoch{0};
  alignas(64) std::atomic<std::size_t> next{0};
  Parking parking;
};

void Worker::Barrier() {
  if (count_ == 1) {
    phase_->next.store(0, std::memory_order_relaxed);
    return;
  }
  const unsigned epoch = phase_->epoch.load(std::memory_order_relaxed);
  if (phase_->arrived.fetch_add(1, std::memory_order_acq_rel) == count_ - 1) {
    phase_->arrived.store(0, std::memory_order_relaxed);
    phase_->next.store(0, std::memory_order_relaxed);
    phase_->epoch.store(epoch + 1, std::memory_order_seq_cst);
    phase_->parking.Wake();
    return;
  }
  phase_->parking.WaitUntil([&] { return phase_->epoch.load(std::memory_order_seq_cst) != epoch; });
}

std::size_t Worker::Claim() { return phase_->next.fetch_add(1, std::memory_order_relaxed); }

Worker::Range Worker::Share(std::size_t total, std::size_t grain) const {
  const std::size_t grains = (total + grain - 1) / grain;
  const auto n = static_cast<std::size_t>(count_);
  const auto i = static_cast<std::size_t>(index_);
  return {std::min(total, grains * i / n * grain), std::min(total, grains * (i + 1) / n * grain)};
}

struct ComputePool::State {
  std::mutex running;
  Worker::Phase phase;
  const std::function<void(Worker&)>* body = nullptr;
  int threads = 1;  ///< of the present run
  alignas(64) std::atomic<unsigned> start{0};
  alignas(64) std::atomic<int> busy{0};
  std::atomic<bool> quit{false};
  Parking starting;
  Parking finishing;
  std::vector<std::thread> helpers;

  void Loop(int index) {
    for (unsigned seen = 0;; ++seen) {
      starting.WaitUntil([&] { return start.load(std::memory_order_seq_cst) != seen; });
      if (quit.load(std::memory_order_relaxed)) return;
      if (index < threads) {
        Worker worker(index, threads, &phase);
        (*body)(worker);
      }
      if (busy.fetch_sub(1, std::memory_order_seq_cst) == 1) finishing.Wake();
    }
  }
};

ComputePool& ComputePool::Shared() {
  static ComputePool pool(UsableProcessors());
  return pool;
}

ComputePool::ComputePool(int threads) : state_(std::make_unique<State>()) {
  for (int i = 1; i < threads; ++i) {
    state_->helpers.emplace_back([this, i] { state_->Loop(i); });
  }
}

ComputePool::~ComputePool() {
  state_->quit.store(true, std::memory_order_relaxed);
  state_->start.fetch_add(1, std::memory_order_seq_cst);
  state_->starting.Wake();
  for (std::thread& helper : state_->helpers) helper.join();
}

int ComputePool::size() const { return static_cast<int>(state_->helpers.size()) + 1; }

void ComputePool::Run(int threads, const std::function<void(Worker&)>& body) {
  const std::lock_guard lock(state_->running);
  threads = std::clamp(threads, 1, size());
  state_->phase.next.store(0, std::memory_order_relaxed);
  if (threads > 1) {
    state_->body = &body;
    state_->threads = threads;
    state_->busy.store(static_cast<int>(state_->helpers.size()), std::memory_order_relaxed);
    state_->start.fetch_add(1, std::memory_order_seq_cst);
    state_->starting.Wake();
  }
  Worker worker(0, threads, &state_->phase);
  body(worker);
  if (threads == 1) return;
  state_->finishing.WaitUntil([&] { return state_->busy.load(std::memory_order_seq_cst) == 0; });
}

}  // namespace ergo
