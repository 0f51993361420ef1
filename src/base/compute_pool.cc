#include "base/compute_pool.h"

#include <algorithm>
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

}  // namespace

struct Worker::Phase {
  alignas(64) std::atomic<int> arrived{0};
  alignas(64) std::atomic<unsigned> epoch{0};
  alignas(64) std::atomic<std::size_t> next{0};
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
    phase_->epoch.store(epoch + 1, std::memory_order_release);
    phase_->epoch.notify_all();
    return;
  }
  for (int spin = 0; spin < kSpins; ++spin) {
    if (phase_->epoch.load(std::memory_order_acquire) != epoch) return;
    Pause();
  }
  while (phase_->epoch.load(std::memory_order_acquire) == epoch) {
    phase_->epoch.wait(epoch, std::memory_order_acquire);
  }
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
  std::vector<std::thread> helpers;

  void Loop(int index) {
    unsigned seen = 0;
    for (;;) {
      int spin = 0;
      while (start.load(std::memory_order_acquire) == seen) {
        if (++spin < kSpins) {
          Pause();
        } else {
          start.wait(seen, std::memory_order_acquire);
        }
      }
      ++seen;
      if (quit.load(std::memory_order_relaxed)) return;
      if (index < threads) {
        Worker worker(index, threads, &phase);
        (*body)(worker);
      }
      if (busy.fetch_sub(1, std::memory_order_acq_rel) == 1) busy.notify_one();
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
  state_->start.fetch_add(1, std::memory_order_release);
  state_->start.notify_all();
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
    state_->start.fetch_add(1, std::memory_order_release);
    state_->start.notify_all();
  }
  Worker worker(0, threads, &state_->phase);
  body(worker);
  if (threads == 1) return;
  int left = 0;
  for (int spin = 0; (left = state_->busy.load(std::memory_order_acquire)) != 0;) {
    if (++spin < kSpins) {
      Pause();
    } else {
      state_->busy.wait(left, std::memory_order_acquire);
    }
  }
}

}  // namespace ergo
