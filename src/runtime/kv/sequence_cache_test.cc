#include "runtime/kv/sequence_cache.h"

#include <gtest/gtest.h>

#include <set>

#include "runtime/kv/testing/written_sequences.h"

namespace ergo::runtime {
namespace {

using testing::TwoClasses;
using testing::WindowClasses;
using testing::WrittenSequence;

/// A cache of `blocks` blocks of all classes.
Result<SequenceCache> CacheOf(std::size_t blocks,
                              const std::vector<model::KvClass>& classes = TwoClasses()) {
  std::size_t bytes = 0;
  for (const model::KvClass& kv_class : classes) bytes += kv_class.layout.BlockBytes();
  return SequenceCache::Create(classes, {.bytes = blocks * bytes});
}

std::size_t Free(const SequenceCache& cache) { return cache.available() / cache.block_bytes(); }

/// Of sequences, in blocks of all classes.
template <typename... Of>
std::size_t Missing(const SequenceCache& cache, const Of&... of) {
  return cache.Missing(of...) / cache.block_bytes();
}

/// A new sequence of `length` tokens.
SequenceBlocks Grown(SequenceCache& cache, std::size_t length) {
  SequenceBlocks sequence = cache.NewSequence();
  cache.Reserve(sequence, length);
  sequence.length = length;
  return sequence;
}

TEST(SequenceCache, GivesEachSequenceItsOwnBlocks) {
  auto cache = CacheOf(5);
  ASSERT_TRUE(cache);
  const SequenceBlocks a = Grown(*cache, 65);
  const SequenceBlocks b = Grown(*cache, 64);
  EXPECT_EQ(a.tables[0].size(), 2u);
  EXPECT_EQ(b.tables[1].size(), 1u);
  EXPECT_EQ(Free(*cache), 2u);
  std::set<std::int32_t> blocks(a.tables[0].begin(), a.tables[0].end());
  blocks.insert(b.tables[0].begin(), b.tables[0].end());
  EXPECT_EQ(blocks.size(), 3u);
}

TEST(SequenceCache, CountsWhatIsMissing) {
  auto cache = CacheOf(5);
  ASSERT_TRUE(cache);
  SequenceBlocks a = cache->NewSequence();
  EXPECT_EQ(Missing(*cache, a, 0), 0u);
  EXPECT_EQ(Missing(*cache, a, 1), 1u);
  cache->Reserve(a, 64);
  EXPECT_EQ(Missing(*cache, a, 64), 0u);
  EXPECT_EQ(Missing(*cache, a, 129), 2u);
  EXPECT_EQ(Missing(*cache, a, 3), 0u);
}

TEST(SequenceCache, TrimGivesBlocksBack) {
  auto cache = CacheOf(4);
  ASSERT_TRUE(cache);
  SequenceBlocks a = Grown(*cache, 256);
  EXPECT_EQ(Free(*cache), 0u);
  cache->Trim(a, 65);
  EXPECT_EQ(a.length, 65u);
  EXPECT_EQ(Free(*cache), 2u);
  cache->Trim(a, 0);
  EXPECT_EQ(Free(*cache), 4u);
  const SequenceBlocks b = Grown(*cache, 256);
  EXPECT_EQ(std::set<std::int32_t>(b.tables[1].begin(), b.tables[1].end()),
            (std::set<std::int32_t>{0, 1, 2, 3}));
}

TEST(SequenceCache, AForkTakesNothingUntilItWrites) {
  auto cache = CacheOf(6);
  ASSERT_TRUE(cache);
  SequenceBlocks a = Grown(*cache, 100);
  const auto second_block = [&](const SequenceBlocks& sequence) {
    return cache->arena(1) +
           static_cast<std::size_t>(sequence.tables[1][1]) * TwoClasses()[1].layout.BlockBytes();
  };
  std::byte* open = second_block(a);
  open[7] = std::byte{42};
  SequenceBlocks b = cache->Fork(a, 100);
  SequenceBlocks c = cache->Fork(a, 64);
  EXPECT_EQ(Free(*cache), 4u);
  EXPECT_EQ(Missing(*cache, b, 100), 0u);
  EXPECT_EQ(Missing(*cache, b, 101), 1u);
  EXPECT_EQ(Missing(*cache, c, 65), 1u);

  cache->Reserve(b, 129);  // its own second block, and a third
  b.length = 129;
  EXPECT_EQ(Free(*cache), 2u);
  EXPECT_EQ(b.tables[0][0], a.tables[0][0]);
  EXPECT_NE(b.tables[0][1], a.tables[0][1]);
  EXPECT_EQ(second_block(b)[7], std::byte{42});
  EXPECT_EQ(Missing(*cache, a, 101), 0u);  // nobody shares its open block any more

  cache->Trim(a, 0);
  EXPECT_EQ(Free(*cache), 3u);  // the first block is still in use
  cache->Trim(b, 0);
  cache->Trim(c, 0);
  EXPECT_EQ(Free(*cache), 6u);
}

TEST(SequenceCache, TheLastWriterOfASharedBlockKeepsIt) {
  auto cache = CacheOf(4);
  ASSERT_TRUE(cache);
  SequenceBlocks a = Grown(*cache, 100);
  SequenceBlocks b = cache->Fork(a, 100);
  SequenceBlocks c = cache->Fork(a, 70);
  const SequenceBlocks idle = cache->Fork(a, 64);  // shares no open block
  const std::vector<Growth> two = {{&a, 101}, {&b, 101}};
  const std::vector<Growth> all = {{&a, 101}, {&b, 128}, {&c, 71}, {&idle, 64}};
  EXPECT_EQ(Missing(*cache, two), 2u);  // c still needs what is there
  EXPECT_EQ(Missing(*cache, all), 2u);
  EXPECT_EQ(Free(*cache), 2u);
  cache->Reserve(a, 101);
  cache->Reserve(b, 128);
  cache->Reserve(c, 71);
  EXPECT_EQ(Free(*cache), 0u);
  EXPECT_EQ(Missing(*cache, std::vector<Growth>{{&a, 129}, {&b, 128}}), 1u);
}

TEST(SequenceCache, ACacheLetsASequenceGoOnBehindWhatItNeeds) {
  auto cache = CacheOf(4);
  ASSERT_TRUE(cache);
  SequenceBlocks a = Grown(*cache, 100);
  for (std::size_t c = 0; c < 2; ++c) {
    cache->blocks(c).Share(a.tables[c][1]);
    cache->blocks(c).Keep(a.tables[c][1], 36);
  }
  EXPECT_EQ(Missing(*cache, a, 101), 0u);
  SequenceBlocks b = cache->Fork(a, 99);
  EXPECT_EQ(Missing(*cache, a, 101), 1u);
  EXPECT_EQ(Missing(*cache, b, 101), 1u);
  EXPECT_EQ(Missing(*cache, std::vector<Growth>{{&b, 101}, {&a, 101}}), 1u);
  EXPECT_EQ(Missing(*cache, std::vector<Growth>{{&a, 101}, {&b, 101}}), 2u);
  cache->Reserve(b, 101);
  EXPECT_NE(b.tables[0][1], a.tables[0][1]);
  const std::int32_t open = a.tables[0][1];
  cache->Reserve(a, 101);
  EXPECT_EQ(a.tables[0][1], open);
  cache->Trim(a, 99);
  EXPECT_EQ(Missing(*cache, a, 100), 1u);
}

TEST(BlockArena, CountsWhatOnlyACacheUses) {
  auto arena = BlockArena::Create(TwoClasses()[0].layout, 3);
  ASSERT_TRUE(arena);
  std::vector<std::int32_t> idle;
  const std::int32_t block = arena->Take();
  arena->Share(block);
  arena->Keep(block, 64);
  EXPECT_EQ(arena->idle(), 0u);
  arena->Return(block);
  EXPECT_EQ(arena->idle(), 1u);
  arena->Share(block);
  EXPECT_EQ(arena->idle(), 0u);
  arena->Return(block);
  arena->DrainIdle(idle);
  EXPECT_EQ(idle, std::vector<std::int32_t>{block});  // once
  arena->DrainIdle(idle);
  EXPECT_TRUE(idle.empty());
  arena->Unkeep(block);
  EXPECT_EQ(arena->idle(), 0u);
  arena->Return(block);
  EXPECT_EQ(arena->available(), 3u);
}

TEST(SequenceCache, RefusesWhatCannotBeMapped) {
  EXPECT_FALSE(CacheOf(std::size_t{1} << 45));
  EXPECT_FALSE(CacheOf(0));
}

// ---- Windows ----

/// Blocks that are there of each class.
std::vector<std::size_t> Held(const SequenceBlocks& sequence) {
  std::vector<std::size_t> held;
  for (std::size_t c = 0; c < sequence.tables.size(); ++c) {
    held.push_back(sequence.tables[c].size() - sequence.gone[c]);
  }
  return held;
}

TEST(SequenceCache, GivesBackWhatNoLaterTokenSees) {
  auto cache = CacheOf(100, WindowClasses());
  ASSERT_TRUE(cache);
  EXPECT_EQ(cache->anchor(), 1u);
  testing::Writer writer(*cache);
  WrittenSequence a = {"", {}, cache->NewSequence()};
  for (std::int32_t i = 0; i < 60; ++i) {
    const std::vector<std::int32_t> tokens(static_cast<std::size_t>(1 + i % 40), i);
    const std::size_t length = a.tokens.size() + tokens.size();
    const std::size_t available = cache->available();
    const std::size_t missing = cache->Missing(a.blocks, length);
    writer.Append(a, tokens);
    EXPECT_GE(cache->available() + missing, available);
    EXPECT_TRUE(writer.IsRight(a.tokens, a.blocks));
  }
  cache->Slide(a.blocks);
  const std::size_t length = a.tokens.size();
  EXPECT_EQ(length, 1030u);
  // The next token sees 100 tokens with itself, one that is 64 before it as many.
  EXPECT_EQ(Held(a.blocks), (std::vector<std::size_t>{17 - 13, 17, 17 - 14}));
  EXPECT_EQ(a.blocks.gone,
            (std::vector<std::size_t>{(1030 - 64 - 99) / 64, 0, (1030 - 64 - 29) / 64}));
  cache->Trim(a.blocks, 0);
  EXPECT_EQ(cache->available(), cache->capacity());
}

TEST(SequenceCache, ALongSequenceLacksNoMoreThanItsWindowsAndAStep) {
  auto cache = CacheOf(100, WindowClasses());
  ASSERT_TRUE(cache);
  const SequenceBlocks empty = cache->NewSequence();
  const auto bytes = [&](std::size_t c) { return cache->blocks(c).block_bytes(); };
  EXPECT_EQ(cache->Missing(empty, 128), 2 * cache->block_bytes());
  EXPECT_EQ(cache->Missing(empty, 6400),
            100 * bytes(1) + (228 / 64 + 2) * bytes(0) + (158 / 64 + 2) * bytes(2));
}

TEST(SequenceCache, WhereWindowsAreGoneASequenceBeginsBeforeThem) {
  auto cache = CacheOf(100, WindowClasses());
  ASSERT_TRUE(cache);
  testing::Writer writer(*cache);
  WrittenSequence a = {"", {}, cache->NewSequence()};
  writer.Append(a, std::vector<std::int32_t>(1000, 7));
  const auto forked = [&](std::size_t length) {
    SequenceBlocks fork = cache->Fork(a.blocks, length);
    EXPECT_EQ(fork.known, length);
    EXPECT_TRUE(writer.IsRight(a.tokens, fork));
    const std::size_t left = fork.length;
    cache->Trim(fork, 0);
    return left;
  };
  EXPECT_EQ(forked(1000), 1000u);
  EXPECT_EQ(forked(936), 936u);
  EXPECT_EQ(forked(500), 0u);
  cache->Trim(a.blocks, 940);
  EXPECT_EQ(a.blocks.length, 940u);
  EXPECT_TRUE(writer.IsRight(a.tokens, a.blocks));
  cache->Trim(a.blocks, 700);
  EXPECT_EQ(a.blocks.length, 0u);
  EXPECT_EQ(cache->available(), cache->capacity());
}

TEST(SequenceCache, BytesGoFromOneClassToAnother) {
  // One long sequence has many blocks of the anchor; many short ones have as many of each.
  auto cache = CacheOf(20, WindowClasses());
  ASSERT_TRUE(cache);
  testing::Writer writer(*cache);
  for (int round = 0; round < 3; ++round) {
    std::vector<WrittenSequence> all(20, {"", {}, cache->NewSequence()});
    for (auto& one : all) writer.Append(one, std::vector<std::int32_t>(64, 5));
    EXPECT_EQ(cache->available(), 0u);
    for (auto& one : all) EXPECT_TRUE(writer.IsRight(one.tokens, one.blocks));
    for (auto& one : all) cache->Trim(one.blocks, 0);
    WrittenSequence long_one = {"", {}, cache->NewSequence()};
    writer.Append(long_one, std::vector<std::int32_t>(64 * 33, 6));
    EXPECT_TRUE(writer.IsRight(long_one.tokens, long_one.blocks));
    std::size_t resident = 0;
    for (std::size_t c = 0; c < cache->classes(); ++c) {
      resident += cache->blocks(c).resident() * cache->blocks(c).block_bytes();
    }
    EXPECT_LE(resident, cache->capacity());
    cache->Trim(long_one.blocks, 0);
  }
}

}  // namespace
}  // namespace ergo::runtime
