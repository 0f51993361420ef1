// Whatever a schedule does, a sequence draws what it draws alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "runtime/kv/testing/temporary_folder.h"
#include "runtime/schedule/testing/small_scheduler.h"

namespace ergo::runtime {
namespace {

using std::chrono::milliseconds;
using testing::Alone;
using testing::BytesInUse;
using testing::Draw;
using ::testing::HasSubstr;
using testing::Heard;
using testing::Limits;
using testing::Listen;
using testing::MakeScheduler;
using testing::RandomTokens;
using testing::TemporaryFolder;
using testing::Tokens;
using testing::Warm;

/// Random sequences, forks, scores, stops and drops in little memory. Every `check`-th sequence is
/// compared with what it draws alone.
class RandomSchedule {
 public:
  RandomSchedule(const Limits& limits, unsigned seed, std::size_t check)
      : scheduler_(MakeScheduler(limits)), random_(seed), check_(check) {}

  void Run(std::size_t sequences) {
    for (std::size_t i = 0; i < sequences; ++i) {
      Start(i);
      if (UpTo(8) == 0) scheduler_->Stop(cases_.back().stream->id());
      if (UpTo(8) == 0) {
        static_cast<void>(scheduler_->Score(cases_[UpTo(cases_.size())].stream->id(),
                                            {RandomTokens(UpTo(20), 1), {1}, {2, 3}}));
      }
      if (UpTo(4) == 0) std::this_thread::sleep_for(milliseconds(UpTo(4)));
      while (cases_.size() > kAtATime) End(UpTo(cases_.size()));
    }
    while (!cases_.empty()) End(cases_.size() - 1);
    EXPECT_GT(whole_ * 3, sequences);
    EXPECT_EQ(BytesInUse(*scheduler_), 0u);
    const LoopStats stats = scheduler_->stats();
    EXPECT_EQ(stats.running + stats.waiting + stats.idle, 0u);
    preemptions_ = stats.preemptions;
  }
  std::uint64_t preemptions() const { return preemptions_; }

 private:
  static constexpr std::size_t kAtATime = 40;

  struct Case {
    Stream stream;
    Tokens given;
    std::size_t count = 0;
    std::uint64_t seed = 0;
  };

  std::size_t UpTo(std::size_t n) { return static_cast<std::size_t>(random_() % n); }

  void Start(std::size_t i) {
    Case one;
    one.count = 1 + UpTo(60);
    one.seed = i;
    const Tokens own = RandomTokens(UpTo(100), static_cast<unsigned>(i));
    SequenceOptions options = Draw(one.count, i);
    options.priority = static_cast<int>(UpTo(3));
    options.name_space = UpTo(2) == 0 ? "a" : "b";
    options.keep = UpTo(3) == 0;
    if (i % 3 == 2) {
      // A fork at a place that is known whatever the parent has drawn by then.
      const Case& parent = cases_[UpTo(cases_.size())];
      const std::size_t position = 1 + UpTo(std::min<std::size_t>(parent.given.size(), 200));
      one.given.assign(parent.given.begin(),
                       parent.given.begin() + static_cast<std::ptrdiff_t>(position));
      one.given.insert(one.given.end(), own.begin(), own.end());
      one.stream = scheduler_->Fork({parent.stream->id(), position, own}, std::move(options));
    } else if (i % 3 == 1 && !over_.empty()) {
      // The next turn of a chat, or another one somewhere in its midst.
      const Tokens& before = over_[UpTo(over_.size())];
      const std::size_t kept = UpTo(2) == 0 ? before.size() : 1 + UpTo(before.size());
      one.given.assign(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(kept));
      one.given.insert(one.given.end(), own.begin(), own.end());
      one.given.resize(std::min<std::size_t>(one.given.size(), 400));
      one.stream = scheduler_->Submit(one.given, std::move(options));
    } else {
      one.given.assign(common_.begin(),
                       common_.begin() + static_cast<std::ptrdiff_t>(1 + UpTo(199)));
      one.given.insert(one.given.end(), own.begin(), own.end());
      one.stream = scheduler_->Submit(one.given, std::move(options));
    }
    cases_.push_back(std::move(one));
  }

  void End(std::size_t index) {
    const Case one = std::move(cases_[index]);
    cases_.erase(cases_.begin() + static_cast<std::ptrdiff_t>(index));
    const Heard heard = Listen(one.stream);
    if (heard.end.reason == EndReason::kError) {
      EXPECT_THAT(heard.end.error->Message(), HasSubstr("no sequence"));
      return;
    }
    if (one.seed % check_ == 0) {
      EXPECT_EQ(heard.tokens, Alone(one.given, Warm(one.seed), heard.tokens.size())) << one.seed;
    }
    if (heard.end.reason != EndReason::kLength) return;
    EXPECT_EQ(heard.tokens.size(), one.count);
    ++whole_;
    over_.push_back(one.given);
    over_.back().insert(over_.back().end(), heard.tokens.begin(), heard.tokens.end());
    if (over_.size() > kAtATime) over_.erase(over_.begin());
  }

  const std::unique_ptr<Scheduler> scheduler_;
  std::mt19937 random_;
  const std::size_t check_;
  const Tokens common_ = RandomTokens(200, 99);
  std::vector<Case> cases_;
  std::vector<Tokens> over_;  ///< texts that are complete
  std::size_t whole_ = 0;
  std::uint64_t preemptions_ = 0;
};

TEST(Scheduler, AnyScheduleGivesTheSameTokens) {
  std::uint64_t preemptions = 0;
  for (unsigned round = 0; round < 3; ++round) {
    Limits limits;
    limits.blocks = 14 + 6 * static_cast<std::size_t>(round);
    limits.chunk = round == 1 ? 17 : 64;
    RandomSchedule schedule(limits, 17 + round, 1);
    schedule.Run(50);
    preemptions += schedule.preemptions();
  }
  EXPECT_GT(preemptions, 0u);
}

TEST(Scheduler, AnyScheduleWithADiskGivesTheSameTokens) {
  const TemporaryFolder folder;
  for (unsigned round = 0; round < 2; ++round) {
    Limits limits;
    limits.blocks = 16;
    limits.folder = folder.path();
    RandomSchedule schedule(limits, 40 + round, 1);
    schedule.Run(40);
  }
}

/// tools/soak.sh runs it with 10,000 sequences.
TEST(Scheduler, Soak) {
  const char* wanted = std::getenv("ERGO_SOAK_SEQUENCES");
  const std::size_t sequences = wanted != nullptr ? std::strtoul(wanted, nullptr, 10) : 300;
  Limits limits;
  limits.blocks = 20;
  RandomSchedule schedule(limits, 5, 20);
  schedule.Run(sequences);
  EXPECT_GT(schedule.preemptions(), 0u);
}

}  // namespace
}  // namespace ergo::runtime
