// Layers with windows give blocks back, and what a sequence draws is the same.
#include <gtest/gtest.h>

#include <vector>

#include "runtime/schedule/testing/small_scheduler.h"

namespace ergo::runtime {
namespace {

using testing::Alone;
using testing::Draw;
using testing::Gemma;
using testing::Heard;
using testing::Listen;
using testing::MakeScheduler;
using testing::RandomTokens;
using testing::Tokens;
using testing::Warm;

TEST(Scheduler, AChatHoldsItsWindowsAndTheRest) {
  const auto scheduler = MakeScheduler();
  const auto bytes = [](std::size_t c) { return Gemma().kv_classes()[c].layout.BlockBytes(); };
  ASSERT_EQ(Gemma().kv_classes()[0].window, 36u);
  Tokens text = RandomTokens(100, 31);
  for (std::uint64_t turn = 0; turn < 6; ++turn) {
    const std::size_t before = text.size();
    const Tokens more = RandomTokens(30, 32 + static_cast<unsigned>(turn));
    text.insert(text.end(), more.begin(), more.end());
    SequenceOptions options = Draw(30, turn);
    options.keep = true;
    const Stream stream = scheduler->Submit(text, std::move(options));
    const Heard heard = Listen(stream);
    EXPECT_EQ(heard.tokens, Alone(text, Warm(turn), 30));
    // The last token of the turn before was never computed.
    EXPECT_EQ(heard.end.cached_tokens, turn == 0 ? 0 : before - 1);
    text.insert(text.end(), heard.tokens.begin(), heard.tokens.end());
    std::size_t used = 0;
    std::size_t held = 0;
    scheduler->Between([&](EngineLoop& loop) {
      used = loop.engine().kv_bytes_used();
      held = loop.engine().capacity() - loop.engine().room();
    });
    const std::size_t blocks = (text.size() + 63) / 64;
    // While it is kept: all blocks of the layers that see everything, and three of the others.
    EXPECT_LE(held, blocks * bytes(1) + 3 * bytes(0));
    EXPECT_GE(held, blocks * bytes(1) + bytes(0));
    EXPECT_LE(used, blocks * (bytes(1) + bytes(0)));
  }
}

TEST(Scheduler, WhereTextsPartTheThirdFindsItsWindows) {
  const auto scheduler = MakeScheduler({.chunk = 32});
  const Tokens common = RandomTokens(300, 41);
  std::vector<std::size_t> cached;
  for (unsigned i = 0; i < 3; ++i) {
    Tokens text = common;
    text[299] = static_cast<std::int32_t>(i);
    const Tokens own = RandomTokens(150, 42 + i);
    text.insert(text.end(), own.begin(), own.end());
    const Heard heard = Listen(scheduler->Submit(text, Draw(5, i)));
    EXPECT_EQ(heard.tokens, Alone(text, Warm(i), 5));
    cached.push_back(heard.end.cached_tokens);
  }
  EXPECT_EQ(cached, (std::vector<std::size_t>{0, 0, 256}));
}

TEST(Scheduler, ForksFarBackComputeWhatIsGone) {
  const auto scheduler = MakeScheduler();
  const Tokens prompt = RandomTokens(200, 51);
  SequenceOptions kept = Draw(150);
  kept.keep = true;
  const Stream parent = scheduler->Submit(prompt, std::move(kept));
  Tokens all = prompt;
  const Heard heard = Listen(parent);
  all.insert(all.end(), heard.tokens.begin(), heard.tokens.end());
  std::vector<Stream> forks;
  const std::vector<std::size_t> positions = {100, 190, 200, 260, 261, 300, 349};
  forks.reserve(positions.size());
  for (const std::size_t position : positions) {
    forks.push_back(scheduler->Fork({parent->id(), position, {7, 8, 9}}, Draw(20, position)));
  }
  std::vector<std::size_t> cached;
  for (std::size_t i = 0; i < forks.size(); ++i) {
    Tokens start(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(positions[i]));
    start.insert(start.end(), {7, 8, 9});
    const Heard branch = Listen(forks[i]);
    EXPECT_EQ(branch.tokens, Alone(start, Warm(positions[i]), 20)) << positions[i];
    cached.push_back(branch.end.cached_tokens);
  }
  // Near the end, or where the prompt was remembered, there is everything.
  EXPECT_EQ(cached[1], 190u);
  EXPECT_EQ(cached[2], 192u);
  EXPECT_EQ(cached[5], 300u);
  EXPECT_EQ(cached[6], 349u);
}

}  // namespace
}  // namespace ergo::runtime
