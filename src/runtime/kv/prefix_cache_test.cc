#include "runtime/kv/prefix_cache.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "runtime/kv/testing/prefix_world.h"

namespace ergo::runtime {
namespace {

using testing::Counting;
using testing::Fixture;
using testing::Operation;
using testing::Operations;
using testing::Tokens;
using testing::World;
using testing::WrittenSequence;

TEST(PrefixCache, FindsTheLongestPrefixToTheToken) {
  Fixture f(16);
  const Tokens text = Counting(150);
  f.Remember(text);
  EXPECT_EQ(f.Free(), 13u);
  EXPECT_EQ(f.Found(text), 150u);
  EXPECT_EQ(f.Found(text, 149), 149u);
  EXPECT_EQ(f.Found(text, 128), 128u);
  EXPECT_EQ(f.Found(text, 0), 0u);
  EXPECT_EQ(f.Found(Counting(200)), 150u);
  Tokens other = text;
  other[100] = 7;
  EXPECT_EQ(f.Found(other), 100u);
  other[0] = 7;
  EXPECT_EQ(f.Found(other), 0u);
  EXPECT_EQ(f.prefixes->Match("", text, 70), 70u);
  EXPECT_EQ(f.prefixes->Match("else", text, 70), 0u);
  EXPECT_EQ(f.Free(), 13u);
  const PrefixStats stats = f.prefixes->stats();
  EXPECT_EQ(stats.lookups, 7u);
  EXPECT_EQ(stats.hit_tokens, 150u + 149 + 128 + 0 + 150 + 100 + 0);
  EXPECT_EQ(stats.missed_tokens, 0u + 1 + 22 + 150 + 50 + 50 + 150);
  EXPECT_EQ(stats.nodes, 3u);
  EXPECT_EQ(stats.bytes, 3 * f.cache.block_bytes());
  EXPECT_EQ(stats.idle_bytes, stats.bytes);
}

TEST(PrefixCache, WhatIsFoundIsCopiedWhenItIsWrittenTo) {
  Fixture f(16);
  const Tokens text = Counting(150);
  f.Remember(text);
  Tokens other = Counting(140);
  other.push_back(7);
  WrittenSequence sequence = {"", {}, f.prefixes->Find("", other, 140)};
  sequence.tokens = Counting(140);
  EXPECT_EQ(f.Missing(sequence.blocks, 141), 1u);
  f.writer.Append(sequence, Tokens{7});
  EXPECT_TRUE(f.writer.IsRight(other, sequence.blocks));
  EXPECT_EQ(f.Found(text), 150u);
  f.prefixes->Insert("", other, sequence.blocks);
  EXPECT_EQ(f.prefixes->stats().nodes, 4u);
  EXPECT_EQ(f.Found(other), 141u);
  EXPECT_EQ(f.Found(text), 150u);
  f.cache.Trim(sequence.blocks, 0);
}

TEST(PrefixCache, KeepsOneCopyOfEachBlock) {
  Fixture f(16);
  const Tokens text = Counting(150);
  f.Remember(text);
  WrittenSequence again = f.Grown(text);  // as if it had been computed at the same time
  EXPECT_EQ(f.Free(), 10u);
  f.prefixes->Insert("", text, again.blocks);
  EXPECT_EQ(f.Free(), 12u);  // its full blocks are the tree's, the open one is its own
  EXPECT_TRUE(f.writer.IsRight(text, again.blocks));
  f.writer.Append(again, Counting(20, 150));
  f.prefixes->Insert("", again.tokens, again.blocks);  // the open node grows
  EXPECT_EQ(f.prefixes->stats().nodes, 3u);
  EXPECT_EQ(f.Free(), 13u);
  f.cache.Trim(again.blocks, 0);
  EXPECT_EQ(f.Found(Counting(170)), 170u);
}

TEST(PrefixCache, GivesBackTheOldestFirstLeavesFirst) {
  Fixture f(6);
  f.Remember(Counting(128, 1000));
  f.Remember(Counting(128, 2000));
  f.Remember(Counting(128, 3000));
  EXPECT_EQ(f.Free(), 0u);
  EXPECT_EQ(f.Found(Counting(128, 1000)), 128u);  // the second is the oldest now
  EXPECT_EQ(f.Evict(1), 1u);
  EXPECT_EQ(f.Found(Counting(128, 2000)), 64u);
  EXPECT_EQ(f.Found(Counting(128, 1000)), 128u);
  EXPECT_EQ(f.Found(Counting(128, 3000)), 128u);
  EXPECT_EQ(f.Evict(1), 0u);  // one is available
  EXPECT_EQ(f.Evict(100), 5u);
  EXPECT_EQ(f.Free(), 6u);
  EXPECT_EQ(f.prefixes->stats().evictions, 6u);
}

TEST(PrefixCache, WhatCostsMoreStaysLonger) {
  Fixture f(200);
  f.Remember(Counting(64 * 80));  // its last block costs more than twice a first one
  for (std::int32_t i = 0; i < 100; ++i) f.Remember(Counting(64, 100000 + 64 * i));
  f.Evict(60);
  EXPECT_EQ(f.prefixes->Match("", Counting(64 * 80), SIZE_MAX), 64u * 80);
  // It does not stay for ever.
  for (std::int32_t i = 0; i < 1000; ++i) {
    f.Evict(1);
    f.Remember(Counting(64, 200000 + 64 * i));
  }
  EXPECT_LT(f.prefixes->Match("", Counting(64 * 80), SIZE_MAX), 64u * 80);
}

TEST(PrefixCache, BlocksInUseAreNotGivenBack) {
  Fixture f(6);
  f.Remember(Counting(128, 1000));
  f.Remember(Counting(128, 2000));
  SequenceBlocks used = f.prefixes->Find("", Counting(128, 1000), 128);
  EXPECT_EQ(f.Evictable(), 2u);
  EXPECT_EQ(f.Evict(6), 2u);
  EXPECT_TRUE(f.writer.IsRight(Counting(128, 1000), used));
  EXPECT_EQ(f.Found(Counting(128, 1000)), 128u);
  EXPECT_EQ(f.Evictable(), 0u);
  f.cache.Trim(used, 0);
  EXPECT_EQ(f.Evictable(), 2u);
  EXPECT_EQ(f.Evict(6), 2u);
}

TEST(PrefixCache, ABranchInUseDoesNotHoldWhatNobodyUses) {
  Fixture f(8);
  f.Remember(Counting(128));
  WrittenSequence own = f.Grown(Counting(192));  // has copies of its own of the first two blocks
  SequenceBlocks fork = f.cache.Fork(own.blocks, 192);
  f.prefixes->Insert("", own.tokens, own.blocks);
  f.cache.Trim(own.blocks, 0);
  EXPECT_EQ(f.Evictable(), 2u);
  EXPECT_EQ(f.Free(), 3u);
  EXPECT_EQ(f.Evict(5), 2u);
  EXPECT_EQ(f.Free(), 5u);
  EXPECT_TRUE(f.writer.IsRight(Counting(192), fork));
  f.cache.Trim(fork, 0);
  EXPECT_EQ(f.Free(), 8u);
}

TEST(PrefixCache, ASequenceGoesOnInTheBlockThatIsRemembered) {
  Fixture f(2);
  WrittenSequence sequence = f.Grown(Counting(100));
  f.prefixes->Insert("", sequence.tokens, sequence.blocks);
  EXPECT_EQ(f.Missing(sequence.blocks, 101), 0u);
  f.writer.Append(sequence, Counting(10, 100));
  EXPECT_EQ(f.Found(Counting(128)), 100u);
  f.prefixes->Insert("", sequence.tokens, sequence.blocks);
  EXPECT_EQ(f.Found(Counting(128)), 110u);
  f.cache.Trim(sequence.blocks, 105);
  EXPECT_EQ(f.Missing(sequence.blocks, 106), 1u);
  f.cache.Trim(sequence.blocks, 0);
}

TEST(PrefixCache, AtLastASequenceGetsItsOpenBlockForItself) {
  Fixture f(2);
  f.Remember(Counting(128));
  WrittenSequence sequence = {"", Counting(100), f.prefixes->Find("", Counting(100), 100)};
  EXPECT_EQ(f.Missing(sequence.blocks, 101), 1u);
  EXPECT_EQ(f.Evict(1), 0u);
  EXPECT_TRUE(f.prefixes->Yield(sequence.blocks));
  EXPECT_FALSE(f.prefixes->Yield(sequence.blocks));
  EXPECT_EQ(f.Missing(sequence.blocks, 101), 0u);
  f.writer.Append(sequence, Counting(28, 1000));
  EXPECT_EQ(f.Found(Counting(128)), 64u);
  f.cache.Trim(sequence.blocks, 0);
}

TEST(PrefixCache, NameSpacesAreApart) {
  Fixture f(8);
  WrittenSequence a = f.Grown(Counting(100));
  f.prefixes->Insert("a", a.tokens, a.blocks);
  f.prefixes->Insert("b", a.tokens, a.blocks);  // its blocks are a's
  EXPECT_EQ(f.prefixes->Match("b", a.tokens, 100), 0u);
  WrittenSequence b = f.Grown(Counting(100));
  f.prefixes->Insert("b", b.tokens, b.blocks);
  f.cache.Trim(a.blocks, 0);
  f.cache.Trim(b.blocks, 0);
  EXPECT_EQ(f.Free(), 4u);
  f.prefixes->Drop("c");
  f.prefixes->Drop("a");
  EXPECT_EQ(f.Free(), 6u);
  EXPECT_EQ(f.prefixes->Match("a", a.tokens, 100), 0u);
  EXPECT_EQ(f.prefixes->Match("b", a.tokens, 100), 100u);
  f.prefixes->Clear();
  EXPECT_EQ(f.Free(), 8u);
}

// ---- Windows ----

using testing::WindowClasses;

/// Windows of 100 and 30 tokens.
struct WindowFixture : Fixture {
  explicit WindowFixture(std::size_t blocks) : Fixture(blocks, WindowClasses()) {}
};

TEST(PrefixWindows, AnEndIsFoundAndWhatStandsBeforeItIsNot) {
  WindowFixture f(100);
  f.Remember(Counting(1000));
  EXPECT_EQ(f.Found(Counting(1100)), 1000u);
  EXPECT_EQ(f.Found(Counting(1000), 999), 999u);
  EXPECT_EQ(f.Found(Counting(1000), 940), 940u);
  EXPECT_EQ(f.prefixes->Match("", Counting(1000), 500), 0u);
  SequenceBlocks found = f.prefixes->Find("", Counting(1000), 500);
  EXPECT_EQ(found.length, 0u);
  EXPECT_EQ(found.known, 500u);
  f.cache.Trim(found, 0);
  // Blocks of 16 places, but only the last four and three of those with windows.
  EXPECT_EQ(f.prefixes->stats().bytes, 16 * f.cache.blocks(1).block_bytes() +
                                           4 * f.cache.blocks(0).block_bytes() +
                                           3 * f.cache.blocks(2).block_bytes());
  EXPECT_EQ(f.prefixes->stats().idle_bytes, f.prefixes->stats().bytes);
}

TEST(PrefixWindows, WhereTextsPartTheirWindowsStay) {
  WindowFixture f(200);
  f.Remember(Counting(1000));
  Tokens other = Counting(500);
  const Tokens more = Counting(500, 10000);
  other.insert(other.end(), more.begin(), more.end());
  SequenceBlocks found = f.prefixes->Find("", other, 999);
  EXPECT_EQ(found.known, 500u);
  WrittenSequence second = {"", {}, std::move(found)};
  f.writer.Append(second, std::span(other).first(520));
  f.prefixes->Insert("", std::span(other).first(448), second.blocks);
  f.writer.Append(second, std::span(other).subspan(520));
  f.prefixes->Insert("", other, second.blocks);
  f.cache.Trim(second.blocks, 0);
  Tokens third = Counting(500);
  third.push_back(77);
  EXPECT_EQ(f.Found(third), 448u);
  EXPECT_EQ(f.Found(other), 1000u);
  EXPECT_EQ(f.Found(Counting(1000)), 1000u);
}

TEST(PrefixWindows, ThoseOfNoEndGoFirstAndThoseOfEndsInUseLast) {
  WindowFixture f(200);
  WrittenSequence chat = f.Grown(Counting(320));
  f.prefixes->Insert("", chat.tokens, chat.blocks);
  f.writer.Append(chat, Counting(680, 320));
  f.prefixes->Insert("", chat.tokens, chat.blocks);
  // Both ends are there as long as there is room.
  EXPECT_EQ(f.Found(Counting(320)), 320u);
  EXPECT_EQ(f.Found(Counting(1000)), 1000u);
  f.prefixes->Evict(f.cache.available() + 1);
  EXPECT_EQ(f.prefixes->stats().window_evictions, 1u);
  f.prefixes->Evict(f.cache.available() + f.prefixes->evictable());
  EXPECT_EQ(f.Found(Counting(320)), 0u);
  EXPECT_EQ(f.Found(Counting(1000)), 1000u);
  EXPECT_EQ(f.prefixes->stats().evictions, 0u);
  // Nothing is in use any more: leaves go.
  f.cache.Trim(chat.blocks, 0);
  f.prefixes->Evict(f.cache.available() + 1);
  EXPECT_EQ(f.prefixes->stats().evictions, 1u);
  f.prefixes->Evict(f.cache.capacity());
  EXPECT_EQ(f.cache.available(), f.cache.capacity());
}

TEST(PrefixWindows, OfALongChatTheLastEndsStay) {
  WindowFixture f(400);
  WrittenSequence chat = {"", {}, f.cache.NewSequence()};
  std::vector<std::size_t> windows;
  for (std::int32_t turn = 0; turn < 20; ++turn) {
    f.writer.Append(chat, Counting(100, 100 * turn));
    f.prefixes->Insert("", chat.tokens, chat.blocks);
    windows.push_back(
        (f.prefixes->stats().bytes - f.prefixes->stats().nodes * f.cache.blocks(1).block_bytes()) /
        f.cache.blocks(0).block_bytes());
  }
  f.cache.Trim(chat.blocks, 0);
  EXPECT_LE(windows.back(), 12u);  // of 32
  EXPECT_EQ(windows[19], windows[11]);
  EXPECT_EQ(f.Found(Counting(2000)), 2000u);
  EXPECT_EQ(f.Found(Counting(1900)), 1900u);
  EXPECT_EQ(f.Found(Counting(500)), 0u);
}

TEST(PrefixWindows, ANodeGetsWindowsFromWhoComputesThemAgain) {
  WindowFixture f(200);
  f.Remember(Counting(1000));
  WrittenSequence again = f.Grown(Counting(704));
  const std::size_t nodes = f.prefixes->stats().nodes;
  f.prefixes->Insert("", again.tokens, again.blocks);
  EXPECT_EQ(f.prefixes->stats().nodes, nodes);
  f.cache.Trim(again.blocks, 0);
  EXPECT_EQ(f.Found(Counting(1000), 704), 704u);
  EXPECT_EQ(f.Found(Counting(1000), 768), 704u);
}

// ---- Random operations against a model that knows only what was remembered ----

RC_GTEST_PROP(PrefixCacheProperty, FindsWhatWasRemembered, ()) {
  World world({.blocks = 4096});
  for (const Operation& op : *Operations()) world.Do(op);
  world.End();
}

RC_GTEST_PROP(PrefixCacheProperty, StaysRightUnderPressure, ()) {
  World world({.blocks = *rc::gen::inRange<std::size_t>(1, 24), .evicts = true});
  for (const Operation& op : *Operations()) world.Do(op);
  world.End();
}

RC_GTEST_PROP(PrefixCacheProperty, WithWindowsItFindsNothingWrong, ()) {
  World world({.blocks = 4096, .windows = true});
  for (const Operation& op : *Operations()) world.Do(op);
  world.End();
}

RC_GTEST_PROP(PrefixCacheProperty, WithWindowsItStaysRightUnderPressure, ()) {
  World world({.blocks = *rc::gen::inRange<std::size_t>(1, 24), .evicts = true, .windows = true});
  for (const Operation& op : *Operations()) world.Do(op);
  world.End();
}

}  // namespace
}  // namespace ergo::runtime
