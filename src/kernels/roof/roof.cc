#include "kernels/roof/roof.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/compute_pool.h"
#include "kernels/matmul/impl.h"

namespace ergo::kernels {

namespace {

constexpr std::size_t kBytes = std::size_t{256} << 20;
constexpr std::size_t kPage = 4096;
constexpr int kPasses = 8;

using Lanes = std::uint64_t __attribute__((vector_size(64)));

/// Several streams at once, as the kernels read.
std::uint64_t Sum(const std::byte* data, std::size_t bytes) {
  constexpr std::size_t kStreams = 4;
  const std::size_t part = bytes / kStreams / sizeof(Lanes);
  const auto* lanes = reinterpret_cast<const Lanes*>(data);
  Lanes sums[kStreams] = {};
  for (std::size_t i = 0; i < part; ++i) {
    for (std::size_t s = 0; s < kStreams; ++s) sums[s] += lanes[s * part + i];
  }
  const Lanes sum = sums[0] + sums[1] + sums[2] + sums[3];
  std::uint64_t total = 0;
  for (int i = 0; i < 8; ++i) total += sum[i];
  return total;
}

}  // namespace

double MeasureReadBandwidth(int threads) {
  const AlignedBytes memory = AllocateAligned(kBytes);
  if (!memory) return 0;
  ComputePool& pool = ComputePool::Shared();
  std::atomic<std::uint64_t> total{0};
  // Each thread writes its own part first, so that the pages are its own.
  pool.Run(threads, [&](Worker& worker) {
    const auto [begin, end] = worker.Share(kBytes, kPage);
    std::memset(memory.get() + begin, 1, end - begin);
  });
  double best = 0;
  for (int pass = 0; pass < kPasses; ++pass) {
    const auto start = std::chrono::steady_clock::now();
    pool.Run(threads, [&](Worker& worker) {
      const auto [begin, end] = worker.Share(kBytes, kPage);
      total += Sum(reinterpret_cast<const std::byte*>(memory.get()) + begin, end - begin);
    });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(kBytes) / took.count());
  }
  // The sum is used, so that reading is not left out.
  return total == 0 ? 0 : best;
}

double MeasureInt8Peak(int threads) {
  constexpr long kTurns = 2'000'000;
  constexpr int kRuns = 7;
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::atomic<std::uint64_t> operations{0};
    const auto start = std::chrono::steady_clock::now();
    ComputePool::Shared().Run(
        threads, [&](Worker&) { operations += ActiveKernels().run_int8_peak(kTurns); });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(operations.load()) / took.count());
  }
  return best;
}

}  // namespace ergo::kernels
