#include "runtime/kv/sequence_cache.h"

#include <gtest/gtest.h>

#include <set>

namespace ergo::runtime {
namespace {

const std::vector<model::KvClass>& Classes() {
  static const std::vector<model::KvClass> classes = {
      {{kernels::KvType::kF32, 2, 1, 8}, 0},
      {{kernels::KvType::kF32, 3, 1, 8}, 32},
  };
  return classes;
}

/// A new sequence of `length` tokens.
SequenceBlocks Grown(SequenceCache& cache, std::size_t length) {
  SequenceBlocks sequence = cache.NewSequence();
  cache.Reserve(sequence, length);
  sequence.length = length;
  return sequence;
}

TEST(SequenceCache, GivesEachSequenceItsOwnBlocks) {
  auto cache = SequenceCache::Create(Classes(), 5);
  ASSERT_TRUE(cache);
  const SequenceBlocks a = Grown(*cache, 65);
  const SequenceBlocks b = Grown(*cache, 64);
  EXPECT_EQ(a.tables[0].size(), 2u);
  EXPECT_EQ(b.tables[1].size(), 1u);
  EXPECT_EQ(cache->available(), 2u);
  std::set<std::int32_t> blocks(a.tables[0].begin(), a.tables[0].end());
  blocks.insert(b.tables[0].begin(), b.tables[0].end());
  EXPECT_EQ(blocks.size(), 3u);
}

TEST(SequenceCache, CountsWhatIsMissing) {
  auto cache = SequenceCache::Create(Classes(), 5);
  ASSERT_TRUE(cache);
  SequenceBlocks a = cache->NewSequence();
  EXPECT_EQ(cache->Missing(a, 0), 0u);
  EXPECT_EQ(cache->Missing(a, 1), 1u);
  cache->Reserve(a, 64);
  EXPECT_EQ(cache->Missing(a, 64), 0u);
  EXPECT_EQ(cache->Missing(a, 129), 2u);
  EXPECT_EQ(cache->Missing(a, 3), 0u);
}

TEST(SequenceCache, TrimGivesBlocksBack) {
  auto cache = SequenceCache::Create(Classes(), 4);
  ASSERT_TRUE(cache);
  SequenceBlocks a = Grown(*cache, 256);
  EXPECT_EQ(cache->available(), 0u);
  cache->Trim(a, 65);
  EXPECT_EQ(a.length, 65u);
  EXPECT_EQ(cache->available(), 2u);
  cache->Trim(a, 0);
  EXPECT_EQ(cache->available(), 4u);
  const SequenceBlocks b = Grown(*cache, 256);
  EXPECT_EQ(std::set<std::int32_t>(b.tables[1].begin(), b.tables[1].end()),
            (std::set<std::int32_t>{0, 1, 2, 3}));
}

TEST(SequenceCache, AForkTakesNothingUntilItWrites) {
  auto cache = SequenceCache::Create(Classes(), 6);
  ASSERT_TRUE(cache);
  SequenceBlocks a = Grown(*cache, 100);
  const auto second_block = [&](const SequenceBlocks& sequence) {
    return cache->arena(1) +
           static_cast<std::size_t>(sequence.tables[1][1]) * Classes()[1].layout.BlockBytes();
  };
  std::byte* open = second_block(a);
  open[7] = std::byte{42};
  SequenceBlocks b = cache->Fork(a, 100);
  SequenceBlocks c = cache->Fork(a, 64);
  EXPECT_EQ(cache->available(), 4u);
  EXPECT_EQ(cache->Missing(b, 100), 0u);
  EXPECT_EQ(cache->Missing(b, 101), 1u);
  EXPECT_EQ(cache->Missing(c, 65), 1u);

  cache->Reserve(b, 129);  // its own second block, and a third
  b.length = 129;
  EXPECT_EQ(cache->available(), 2u);
  EXPECT_EQ(b.tables[0][0], a.tables[0][0]);
  EXPECT_NE(b.tables[0][1], a.tables[0][1]);
  EXPECT_EQ(second_block(b)[7], std::byte{42});
  EXPECT_EQ(cache->Missing(a, 101), 0u);  // nobody shares its open block any more

  cache->Trim(a, 0);
  EXPECT_EQ(cache->available(), 3u);  // the first block is still in use
  cache->Trim(b, 0);
  cache->Trim(c, 0);
  EXPECT_EQ(cache->available(), 6u);
}

TEST(SequenceCache, TheLastWriterOfASharedBlockKeepsIt) {
  auto cache = SequenceCache::Create(Classes(), 4);
  ASSERT_TRUE(cache);
  SequenceBlocks a = Grown(*cache, 100);
  SequenceBlocks b = cache->Fork(a, 100);
  SequenceBlocks c = cache->Fork(a, 70);
  const SequenceBlocks idle = cache->Fork(a, 64);  // shares no open block
  const std::vector<Growth> two = {{&a, 101}, {&b, 101}};
  const std::vector<Growth> all = {{&a, 101}, {&b, 128}, {&c, 71}, {&idle, 64}};
  EXPECT_EQ(cache->Missing(two), 2u);  // c still needs what is there
  EXPECT_EQ(cache->Missing(all), 2u);
  EXPECT_EQ(cache->available(), 2u);
  cache->Reserve(a, 101);
  cache->Reserve(b, 128);
  cache->Reserve(c, 71);
  EXPECT_EQ(cache->available(), 0u);
  EXPECT_EQ(cache->Missing(std::vector<Growth>{{&a, 129}, {&b, 128}}), 1u);
}

TEST(SequenceCache, ACacheLetsASequenceGoOnBehindWhatItNeeds) {
  auto cache = SequenceCache::Create(Classes(), 4);
  ASSERT_TRUE(cache);
  SequenceBlocks a = Grown(*cache, 100);
  for (std::size_t c = 0; c < 2; ++c) cache->blocks(c).Share(a.tables[c][1]);
  cache->blocks(0).Keep(a.tables[0][1], 36);
  EXPECT_EQ(cache->Missing(a, 101), 0u);
  SequenceBlocks b = cache->Fork(a, 99);
  EXPECT_EQ(cache->Missing(a, 101), 1u);
  EXPECT_EQ(cache->Missing(b, 101), 1u);
  EXPECT_EQ(cache->Missing(std::vector<Growth>{{&b, 101}, {&a, 101}}), 1u);
  EXPECT_EQ(cache->Missing(std::vector<Growth>{{&a, 101}, {&b, 101}}), 2u);
  cache->Reserve(b, 101);
  EXPECT_NE(b.tables[0][1], a.tables[0][1]);
  const std::int32_t open = a.tables[0][1];
  cache->Reserve(a, 101);
  EXPECT_EQ(a.tables[0][1], open);
  cache->Trim(a, 99);
  EXPECT_EQ(cache->Missing(a, 100), 1u);
}

TEST(BlockArena, CountsWhatOnlyACacheUses) {
  auto arena = BlockArena::Create(Classes()[0].layout, 3);
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
  EXPECT_FALSE(SequenceCache::Create(Classes(), std::size_t{1} << 60));
  EXPECT_FALSE(SequenceCache::Create(Classes(), 0));
}

}  // namespace
}  // namespace ergo::runtime
