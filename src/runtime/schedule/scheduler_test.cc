#include "runtime/schedule/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "kernels/softmax/softmax.h"
#include "runtime/schedule/testing/small_scheduler.h"

namespace ergo::runtime {
namespace {

using std::chrono::milliseconds;
using testing::Alone;
using testing::BlockBytes;
using testing::BytesInUse;
using testing::Draw;
using testing::Gemma;
using ::testing::HasSubstr;
using testing::Heard;
using testing::Limits;
using testing::Listen;
using testing::MakeScheduler;
using testing::RandomTokens;
using testing::Tokens;
using testing::Warm;

TEST(Scheduler, DrawsWhatASequenceAloneDraws) {
  const auto scheduler = MakeScheduler();
  const Tokens prompt = RandomTokens(150, 1);
  const Heard heard = Listen(scheduler->Submit(prompt, Draw(40)));
  EXPECT_EQ(heard.tokens, Alone(prompt, Warm(1), 40));
  EXPECT_EQ(heard.end.reason, EndReason::kLength);
  EXPECT_EQ(heard.end.given_tokens, 150u);
  EXPECT_EQ(heard.end.drawn_tokens, 40u);
  EXPECT_EQ(BytesInUse(*scheduler), 0u);
}

TEST(Scheduler, StepsMayBeSmallerThanWhatASequenceLacks) {
  for (const std::size_t chunk : {1u, 3u, 10u}) {
    const auto scheduler = MakeScheduler({.chunk = chunk});
    const Tokens prompt = RandomTokens(12, 21);
    SequenceOptions kept = Draw(4);
    kept.keep = true;
    const Stream base = scheduler->Submit(prompt, std::move(kept));
    EXPECT_EQ(Listen(base).tokens, Alone(prompt, Warm(1), 4));
    const auto scores = scheduler->Score(base->id(), {RandomTokens(9, 22), {5}}).get();
    ASSERT_TRUE(scores) << scores.error().Message();
    EXPECT_EQ(scores->front().size(), 9u);
  }
}

TEST(Scheduler, FindsPrefixesToTheToken) {
  const auto scheduler = MakeScheduler();
  Tokens prompt = RandomTokens(150, 2);
  const Heard first = Listen(scheduler->Submit(prompt, Draw(30)));
  EXPECT_EQ(first.end.cached_tokens, 0u);
  // All but the last token of the answer was computed.
  Tokens longer = prompt;
  longer.insert(longer.end(), first.tokens.begin(), first.tokens.end());
  longer.push_back(5);
  const Heard second = Listen(scheduler->Submit(longer, Draw(10, 2)));
  EXPECT_EQ(second.end.cached_tokens, 150u + 29);
  EXPECT_EQ(second.tokens, Alone(longer, Warm(2), 10));
  // Within a block, and not in another name space.
  prompt[100] ^= 1;
  const Heard third = Listen(scheduler->Submit(prompt, Draw(10, 3)));
  EXPECT_EQ(third.end.cached_tokens, 100u);
  EXPECT_EQ(third.tokens, Alone(prompt, Warm(3), 10));
  SequenceOptions other = Draw(10, 3);
  other.name_space = "other";
  EXPECT_EQ(Listen(scheduler->Submit(prompt, std::move(other))).end.cached_tokens, 0u);
}

TEST(Scheduler, SpeculationChangesTheSpeedAlone) {
  const auto scheduler = MakeScheduler();
  Tokens prompt;
  for (int i = 0; i < 12; ++i) prompt.insert(prompt.end(), {5, 6, 7, 8, 9});
  std::size_t accepted = 0;
  std::size_t proposed = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    SequenceOptions options = Draw(120, seed);
    if (seed % 2 == 0) options.sampling.temperature = 0.0f;  // repeats itself soon
    const SamplingParams sampling = options.sampling;
    const Heard heard = Listen(scheduler->Submit(prompt, std::move(options)));
    EXPECT_EQ(heard.tokens, Alone(prompt, sampling, 120)) << seed;
    EXPECT_EQ(heard.end.drawn_tokens, 120u);
    accepted += heard.end.accepted_tokens;
    proposed += heard.end.proposed_tokens;
  }
  EXPECT_GT(accepted, 0u);
  EXPECT_GT(proposed, accepted);
  SequenceOptions plain = Draw(40);
  plain.speculate = false;
  const Heard heard = Listen(scheduler->Submit(prompt, std::move(plain)));
  EXPECT_EQ(heard.end.proposed_tokens, 0u);
  EXPECT_EQ(heard.tokens, Alone(prompt, Warm(1), 40));
}

std::shared_ptr<DraftModel> MakeDraft(std::size_t blocks) {
  EngineOptions options;
  options.context = 512;
  options.kv_bytes = blocks * BlockBytes(Gemma());
  return std::make_shared<DraftModel>(*Engine::Create(Gemma(), options));
}

TEST(Scheduler, ADraftModelChangesTheSpeedAlone) {
  const auto sampling = [](std::uint64_t seed) {
    SamplingParams params = Warm(seed);
    params.repetition_penalty = 1.0f;
    return params;
  };
  const auto wanted = [&](std::size_t count, std::uint64_t seed) {
    SequenceOptions options;
    options.sampling = sampling(seed);
    options.max_tokens = count;
    options.keep = true;
    return options;
  };
  // With the model itself as its draft each guess is right, and is asked for until its time is
  // known to be hardly worth it; a short memory loses some drafts.
  for (const std::size_t blocks : {64, 6}) {
    Limits limits;
    limits.loop.draft = MakeDraft(blocks);
    const auto scheduler = MakeScheduler(limits);
    const Tokens prompt = RandomTokens(100, 9);
    const Heard lone = Listen(scheduler->Submit(prompt, wanted(60, 6)));
    EXPECT_EQ(lone.tokens, Alone(prompt, sampling(6), 60));
    if (blocks == 64) {
      EXPECT_GT(lone.end.accepted_tokens, 0u);
    }
    std::vector<Stream> streams;
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      streams.push_back(scheduler->Submit(prompt, wanted(60, seed)));
    }
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const Heard heard = Listen(streams[seed]);
      EXPECT_EQ(heard.tokens, Alone(prompt, sampling(seed), 60)) << seed;
    }
    Tokens longer = prompt;
    const Tokens first = Alone(prompt, sampling(0), 20);
    longer.insert(longer.end(), first.begin(), first.end());
    longer.insert(longer.end(), {3, 4});
    const Stream branch = scheduler->Fork({streams[0]->id(), 120, {3, 4}}, wanted(30, 77));
    EXPECT_EQ(Listen(branch).tokens, Alone(longer, sampling(77), 30));
  }
}

TEST(Scheduler, EqualPromptsAreComputedOnce) {
  const auto scheduler = MakeScheduler();
  const Tokens prompt = RandomTokens(300, 3);
  std::vector<Stream> streams;
  for (std::uint64_t i = 0; i < 8; ++i) streams.push_back(scheduler->Submit(prompt, Draw(12, i)));
  std::size_t cached = 0;
  for (std::uint64_t i = 0; i < 8; ++i) {
    const Heard heard = Listen(streams[i]);
    EXPECT_EQ(heard.tokens, Alone(prompt, Warm(i), 12)) << i;
    cached += heard.end.cached_tokens;
  }
  EXPECT_EQ(cached, 7u * 299);
}

TEST(Scheduler, ForksGoOnFromAnyPosition) {
  const auto scheduler = MakeScheduler();
  const Tokens prompt = RandomTokens(100, 4);
  SequenceOptions kept = Draw(50);
  kept.keep = true;
  const Stream parent = scheduler->Submit(prompt, std::move(kept));
  const Heard heard = Listen(parent);
  Tokens all = prompt;
  all.insert(all.end(), heard.tokens.begin(), heard.tokens.end());
  std::vector<Stream> forks;
  std::vector<Tokens> starts;
  for (const std::size_t position : {1u, 63u, 64u, 65u, 100u, 149u, 150u}) {
    Tokens start(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(position));
    start.insert(start.end(), {7, 8, 9});
    starts.push_back(start);
    forks.push_back(scheduler->Fork({parent->id(), position, {7, 8, 9}}, Draw(20, position)));
  }
  for (std::size_t i = 0; i < forks.size(); ++i) {
    const Heard branch = Listen(forks[i]);
    EXPECT_EQ(branch.tokens, Alone(starts[i], Warm(starts[i].size() - 3), 20)) << i;
    EXPECT_EQ(branch.end.cached_tokens, std::min<std::size_t>(starts[i].size() - 3, 149)) << i;
  }
  // All of the parent, nothing appended: the last token is computed again.
  const Heard same = Listen(scheduler->Fork({parent->id()}, Draw(5, 9)));
  EXPECT_EQ(same.tokens, Alone(all, Warm(9), 5));
}

TEST(Scheduler, ScoresContinuations) {
  const auto scheduler = MakeScheduler();
  const Tokens prompt = RandomTokens(90, 5);
  SequenceOptions kept = Draw(1);
  kept.keep = true;
  const Stream base = scheduler->Submit(prompt, std::move(kept));
  Tokens all = prompt;
  const Heard heard = Listen(base);
  all.push_back(heard.tokens.at(0));
  std::vector<Tokens> continuations = {{}, {3}};
  for (unsigned i = 0; i < 20; ++i) continuations.push_back(RandomTokens(1 + i % 9, 50 + i));
  const auto scores = scheduler->Score(base->id(), continuations).get();
  ASSERT_TRUE(scores) << scores.error().Message();
  const auto engine = *Engine::Create(Gemma(), {});
  const std::size_t vocabulary = Gemma().config().vocabulary;
  for (std::size_t c = 0; c < continuations.size(); ++c) {
    ASSERT_EQ((*scores)[c].size(), continuations[c].size());
    Tokens tokens = all;
    tokens.insert(tokens.end(), continuations[c].begin(), continuations[c].end());
    const Work work = {engine->Add(), tokens, LogitRows::kAll};
    const auto logits = engine->Step({&work, 1});
    for (std::size_t i = 0; i < continuations[c].size(); ++i) {
      const auto row = logits->Row(all.size() + i - 1);
      EXPECT_EQ((*scores)[c][i], row[static_cast<std::size_t>(continuations[c][i])] -
                                     kernels::LogSumExp(row.data(), vocabulary));
    }
    engine->Release(work.sequence);
  }
  EXPECT_THAT(scheduler->Score(base->id(), {RandomTokens(600, 1)}).get().error().Message(),
              HasSubstr("more than the context of 512"));
  EXPECT_THAT(scheduler->Score(base->id(), {{-4}}).get().error().Message(),
              HasSubstr("no token -4"));
  scheduler->Drop(base->id());
  EXPECT_THAT(scheduler->Score(base->id(), {{1}}).get().error().Message(),
              HasSubstr("no sequence"));
}

TEST(Scheduler, SaysWhatIsWrong) {
  const auto scheduler = MakeScheduler({.blocks = 3});
  const auto error = [&](Tokens tokens) {
    const Heard heard = Listen(scheduler->Submit(std::move(tokens), Draw(4)));
    EXPECT_EQ(heard.end.reason, EndReason::kError);
    return heard.end.error ? heard.end.error->Message() : "";
  };
  EXPECT_THAT(error({}), HasSubstr("no tokens"));
  EXPECT_THAT(error({1, 1 << 29}), HasSubstr("no token 536870912"));
  EXPECT_THAT(error(RandomTokens(513, 1)), HasSubstr("more than the context of 512"));
  EXPECT_THAT(error(RandomTokens(250, 1)), HasSubstr("--kv-memory"));
  SequenceOptions hot = Draw(4);
  hot.sampling.temperature = -1.0f;
  EXPECT_EQ(Listen(scheduler->Submit({1}, std::move(hot))).end.reason, EndReason::kError);
  EXPECT_THAT(Listen(scheduler->Fork({12345}, Draw(4))).end.error->Message(),
              HasSubstr("no sequence 12345"));
  // Others go on, and one that outgrows the memory ends with what it has.
  const Tokens prompt = RandomTokens(150, 6);
  const Heard full = Listen(scheduler->Submit(prompt, Draw(200)));
  EXPECT_EQ(full.end.reason, EndReason::kError);
  EXPECT_THAT(full.end.error->Message(), HasSubstr("no room"));
  EXPECT_EQ(full.tokens, Alone(prompt, Warm(1), full.tokens.size()));
  EXPECT_EQ(full.tokens.size(), 192u - 150 + 1);
  EXPECT_EQ(BytesInUse(*scheduler), 0u);
}

TEST(Scheduler, EndsAtStopTokensAndTheContext) {
  const auto scheduler = MakeScheduler();
  const Tokens prompt = RandomTokens(20, 7);
  const Tokens all = Alone(prompt, Warm(1), 30);
  SequenceOptions stops = Draw(30);
  stops.stop_tokens = {all[12]};
  const Heard stopped = Listen(scheduler->Submit(prompt, std::move(stops)));
  EXPECT_EQ(stopped.end.reason, EndReason::kStopToken);
  EXPECT_EQ(stopped.tokens.back(), all[12]);
  const Heard full = Listen(scheduler->Submit(RandomTokens(510, 8), Draw(30)));
  EXPECT_EQ(full.end.reason, EndReason::kContext);
  EXPECT_EQ(full.tokens.size(), 3u);
  EXPECT_EQ(Listen(scheduler->Submit(prompt, Draw(0))).end.reason, EndReason::kLength);
}

TEST(Scheduler, StopsWithinAStepAndWhenNobodyListens) {
  const auto scheduler = MakeScheduler();
  const Stream stream = scheduler->Submit(RandomTokens(20, 9), Draw(400));
  DrawnToken token;
  ASSERT_EQ(stream->Next(&token), TokenStream::Wait::kToken);
  scheduler->Stop(stream->id());
  EXPECT_EQ(Listen(stream).end.reason, EndReason::kStopped);
  Stream abandoned = scheduler->Submit(RandomTokens(20, 10), Draw(400));
  abandoned.reset();
  const LoopStats stats = scheduler->stats();
  EXPECT_EQ(stats.running + stats.waiting + stats.idle, 0u);
  EXPECT_EQ(BytesInUse(*scheduler), 0u);
}

TEST(Scheduler, AReaderThatIsSlowLosesNothing) {
  const auto scheduler = MakeScheduler();
  const Tokens prompt = RandomTokens(20, 11);
  SequenceOptions slow = Draw(40);
  slow.unread = 3;
  const Stream stream = scheduler->Submit(prompt, std::move(slow));
  std::this_thread::sleep_for(milliseconds(30));
  EXPECT_LE(scheduler->stats().drawn_tokens, 3u);
  EXPECT_EQ(Listen(stream).tokens, Alone(prompt, Warm(1), 40));
}

TEST(Scheduler, DeadlinesEndWithAReason) {
  const auto scheduler = MakeScheduler();
  SequenceOptions late = Draw(400);
  late.unread = 1;
  late.deadline = std::chrono::steady_clock::now() + milliseconds(20);
  const Stream stream = scheduler->Submit(RandomTokens(20, 12), std::move(late));
  std::this_thread::sleep_for(milliseconds(40));
  const Heard heard = Listen(stream);
  EXPECT_EQ(heard.end.reason, EndReason::kDeadline);
  EXPECT_THAT(heard.end.error->Message(), HasSubstr("deadline"));
}

/// Forbids odd tokens, wants 2, 4, 6 first, and ends after a number of tokens.
class EvenOnly : public LogitHook {
 public:
  explicit EvenOnly(int left) : left_(left) {}
  void Mask(std::span<float> logits) override {
    for (std::size_t i = 1; i < logits.size(); i += 2) logits[i] = -INFINITY;
  }
  bool Accept(std::int32_t token) override {
    EXPECT_EQ(token % 2, 0);
    forced_ = true;
    return --left_ > 0;
  }
  Tokens Forced() override { return forced_ ? Tokens{} : Tokens{2, 4, 6}; }
  std::unique_ptr<LogitHook> Fork() const override { return std::make_unique<EvenOnly>(*this); }

 private:
  int left_;
  bool forced_ = false;
};

TEST(Scheduler, HooksSteerAndEndSequences) {
  const auto scheduler = MakeScheduler();
  SequenceOptions options = Draw(100);
  options.hook = std::make_unique<EvenOnly>(10);
  options.keep = true;
  const Stream stream = scheduler->Submit(RandomTokens(20, 13), std::move(options));
  const Heard heard = Listen(stream);
  EXPECT_EQ(heard.end.reason, EndReason::kComplete);
  ASSERT_EQ(heard.tokens.size(), 10u);
  EXPECT_EQ(Tokens(heard.tokens.begin(), heard.tokens.begin() + 3), (Tokens{2, 4, 6}));
  for (const std::int32_t token : heard.tokens) EXPECT_EQ(token % 2, 0);
}

TEST(Scheduler, ManyThreadsMayAsk) {
  const auto scheduler = MakeScheduler();
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < 5; ++i) {
        const Tokens prompt = RandomTokens(30 + 20 * t, i);
        const Heard heard = Listen(scheduler->Submit(prompt, Draw(10, t)));
        EXPECT_EQ(heard.tokens, Alone(prompt, Warm(t), 10));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Scheduler, WhatIsAliveAtTheEndIsStopped) {
  auto scheduler = MakeScheduler();
  const Stream stream = scheduler->Submit(RandomTokens(20, 14), Draw(400));
  const std::uint64_t id = stream->id();
  scheduler.reset();
  const Heard heard = Listen(stream);
  EXPECT_EQ(heard.end.reason, EndReason::kStopped);
  EXPECT_GT(id, 0u);
}

TEST(ServiceOrder, PrioritiesThenTheLeastServedThenTheOldest) {
  ServiceOrder order;
  order.Enter("a");
  order.Serve("a", 100);
  order.Enter("b");  // starts where a stands
  EXPECT_TRUE(order.Before({1, "a", 5}, {0, "b", 1}));
  EXPECT_TRUE(order.Before({0, "a", 1}, {0, "b", 2}));
  order.Serve("a", 1);
  EXPECT_TRUE(order.Before({0, "b", 2}, {0, "a", 1}));
  EXPECT_TRUE(order.Before({0, "b", 2}, {0, "b", 3}));
}

}  // namespace
}  // namespace ergo::runtime
