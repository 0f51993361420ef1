#include "base/compute_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace ergo {
namespace {

TEST(ComputePool, EveryPieceIsClaimedOnceInEachPhase) {
  ComputePool pool(4);
  constexpr std::size_t kPieces = 100;
  std::vector<std::atomic<int>> claimed(kPieces);
  for (int run = 0; run < 200; ++run) {
    pool.Run(4, [&](Worker& worker) {
      for (int phase = 0; phase < 3; ++phase) {
        for (std::size_t i = worker.Claim(); i < kPieces; i = worker.Claim()) ++claimed[i];
        worker.Barrier();
      }
    });
  }
  for (const std::atomic<int>& count : claimed) EXPECT_EQ(count.load(), 600);
}

TEST(ComputePool, SharesCoverEverythingInGrains) {
  ComputePool pool(3);
  std::vector<std::atomic<int>> seen(100);
  pool.Run(3, [&](Worker& worker) {
    const Worker::Range own = worker.Share(100, 8);
    EXPECT_EQ(own.begin % 8, 0u);
    for (std::size_t i = own.begin; i < own.end; ++i) ++seen[i];
  });
  for (const std::atomic<int>& count : seen) EXPECT_EQ(count.load(), 1);
}

TEST(ComputePool, BarrierPublishesWhatWasWritten) {
  ComputePool pool(2);
  int value[2] = {0, 0};
  for (int run = 1; run < 2000; ++run) {
    pool.Run(2, [&](Worker& worker) {
      value[worker.index()] = run;
      worker.Barrier();
      EXPECT_EQ(value[1 - worker.index()], run);
      worker.Barrier();
    });
  }
}

TEST(ComputePool, SleepersWakeUp) {
  ComputePool pool(3);
  for (int run = 0; run < 100; ++run) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the helpers are asleep
    std::atomic<int> ran{0};
    pool.Run(3, [&](Worker& worker) {
      if (worker.index() == run % 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      worker.Barrier();  // the others are asleep
      ++ran;
    });
    EXPECT_EQ(ran.load(), 3);
  }
}

TEST(ComputePool, CallersTakeTurns) {
  ComputePool pool(2);
  std::atomic<int> running{0};
  std::atomic<int> total{0};
  const auto call = [&] {
    for (int i = 0; i < 200; ++i) {
      pool.Run(2, [&](Worker& worker) {
        if (worker.index() == 0) {
          EXPECT_EQ(running.fetch_add(1), 0);
          running.fetch_sub(1);
          ++total;
        }
      });
    }
  };
  std::thread other(call);
  call();
  other.join();
  EXPECT_EQ(total.load(), 400);
}

}  // namespace
}  // namespace ergo
