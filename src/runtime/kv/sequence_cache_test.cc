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

TEST(SequenceCache, GivesEachSequenceItsOwnBlocks) {
  auto cache = SequenceCache::Create(Classes(), 5);
  ASSERT_TRUE(cache);
  SequenceBlocks a = cache->NewSequence();
  SequenceBlocks b = cache->NewSequence();
  cache->Reserve(a, 65);
  cache->Reserve(b, 64);
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
  SequenceBlocks a = cache->NewSequence();
  cache->Reserve(a, 256);
  a.length = 256;
  EXPECT_EQ(cache->available(), 0u);
  cache->Trim(a, 65);
  EXPECT_EQ(a.length, 65u);
  EXPECT_EQ(cache->available(), 2u);
  cache->Trim(a, 0);
  EXPECT_EQ(cache->available(), 4u);
  SequenceBlocks b = cache->NewSequence();
  cache->Reserve(b, 256);
  EXPECT_EQ(std::set<std::int32_t>(b.tables[1].begin(), b.tables[1].end()),
            (std::set<std::int32_t>{0, 1, 2, 3}));
}

TEST(SequenceCache, AForkTakesNothingUntilItWrites) {
  auto cache = SequenceCache::Create(Classes(), 6);
  ASSERT_TRUE(cache);
  SequenceBlocks a = cache->NewSequence();
  cache->Reserve(a, 100);
  a.length = 100;
  std::byte* open =
      cache->arena(1) + static_cast<std::size_t>(a.tables[1][1]) * Classes()[1].layout.BlockBytes();
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
  const std::byte* copy =
      cache->arena(1) + static_cast<std::size_t>(b.tables[1][1]) * Classes()[1].layout.BlockBytes();
  EXPECT_EQ(copy[7], std::byte{42});
  EXPECT_EQ(cache->Missing(a, 101), 0u);  // nobody shares its open block any more

  cache->Trim(a, 0);
  EXPECT_EQ(cache->available(), 3u);  // the first block is still in use
  cache->Trim(b, 0);
  cache->Trim(c, 0);
  EXPECT_EQ(cache->available(), 6u);
}

TEST(SequenceCache, RefusesWhatCannotBeMapped) {
  EXPECT_FALSE(SequenceCache::Create(Classes(), std::size_t{1} << 60));
  EXPECT_FALSE(SequenceCache::Create(Classes(), 0));
}

}  // namespace
}  // namespace ergo::runtime
