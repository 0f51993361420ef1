#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "runtime/kv/prefix_cache.h"
#include "runtime/kv/testing/prefix_world.h"

namespace ergo::runtime {
namespace {

using testing::Counting;
using testing::Fixture;
using testing::Operation;
using testing::Operations;
using testing::TemporaryFolder;
using testing::Tokens;
using testing::World;

constexpr std::size_t kMuch = 1 << 30;

TEST(PrefixSpill, WhatWasSavedIsThereAfterARestart) {
  const TemporaryFolder folder;
  Fixture f(16);
  f.Restart(folder.path(), kMuch);
  f.Remember(Counting(150));
  Tokens other = Counting(150);
  other[140] = 7;
  f.Remember(other);
  ASSERT_TRUE(f.prefixes->Save());
  EXPECT_EQ(f.prefixes->stats().stored_nodes, 4u);
  f.Restart(folder.path(), kMuch);
  EXPECT_EQ(f.Free(), 16u);
  EXPECT_EQ(f.prefixes->Match("", other, SIZE_MAX), 150u);
  EXPECT_EQ(f.Found(other, 145), 145u);
  EXPECT_EQ(f.prefixes->stats().loads, 3u);
  EXPECT_EQ(f.Found(Counting(151)), 150u);
  EXPECT_EQ(f.prefixes->stats().loads, 4u);
  EXPECT_EQ(f.prefixes->stats().nodes, 4u);
  EXPECT_TRUE(f.warnings.empty());
}

TEST(PrefixSpill, WhatIsEvictedComesBack) {
  const TemporaryFolder folder;
  Fixture f(4);
  f.Restart(folder.path(), kMuch);
  f.Remember(Counting(200));
  f.Evict(4);
  EXPECT_EQ(f.prefixes->stats().spills, 4u);
  f.Remember(Counting(256, 1000));
  f.Evict(2);
  EXPECT_EQ(f.Found(Counting(200)), 200u);  // what it takes is taken from the other one
  EXPECT_EQ(f.Found(Counting(256, 1000)), 256u);
  EXPECT_EQ(f.prefixes->stats().stored_nodes, 8u);
  f.prefixes->Drop("");
  EXPECT_EQ(f.prefixes->stats().stored_nodes, 0u);
  EXPECT_TRUE(folder.Files().empty());
}

TEST(PrefixSpill, FindGoesAsFarAsThereIsRoom) {
  const TemporaryFolder folder;
  Fixture f(4);
  f.Restart(folder.path(), kMuch);
  f.Remember(Counting(256));
  f.Evict(4);
  testing::WrittenSequence other = f.Grown(Counting(128, 1000));
  EXPECT_EQ(f.Found(Counting(256)), 128u);
  f.cache.Trim(other.blocks, 0);
  EXPECT_EQ(f.Found(Counting(256)), 256u);
}

TEST(PrefixSpill, KeepsItsBudgetByAge) {
  const TemporaryFolder folder;
  Fixture f(16);
  const std::size_t file = 128 + 256 + f.cache.block_bytes();
  f.Restart(folder.path(), 5 * file);
  for (std::int32_t i = 0; i < 4; ++i) {
    f.Remember(Counting(128, 1000 * i));
    f.Evict(16);
    EXPECT_LE(f.prefixes->stats().stored_bytes, 5 * file);
  }
  EXPECT_EQ(f.Found(Counting(128, 3000)), 128u);
  EXPECT_EQ(f.Found(Counting(128, 2000)), 128u);
  EXPECT_EQ(f.Found(Counting(128, 0)), 0u);
  f.Restart(folder.path(), 3 * file);  // a smaller one: the latest use decides
  EXPECT_EQ(f.Found(Counting(128, 2000)), 128u);
  EXPECT_EQ(f.Found(Counting(128, 3000)), 0u);
  EXPECT_LE(folder.Files().size(), 2u);
}

TEST(PrefixSpill, ADamagedBlockEndsThePrefix) {
  const TemporaryFolder folder;
  Fixture f(16);
  f.Restart(folder.path(), kMuch);
  f.Remember(Counting(256));
  ASSERT_TRUE(f.prefixes->Save());
  f.Restart(folder.path(), kMuch);
  EXPECT_EQ(f.prefixes->Match("", Counting(256), SIZE_MAX), 256u);
  for (const std::string& file : folder.Files()) {
    std::string bytes = TemporaryFolder::Read(file);
    const bool third = bytes.size() == (64 + 7 + 192 * 4 + 63) / 64 * 64 + f.cache.block_bytes();
    if (!third) continue;
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    TemporaryFolder::Write(file, bytes);
  }
  EXPECT_EQ(f.Found(Counting(256)), 128u);
  ASSERT_EQ(f.warnings.size(), 1u);
  EXPECT_NE(f.warnings[0].what.find("damaged"), std::string::npos);
  EXPECT_EQ(f.prefixes->stats().stored_nodes, 2u);
  f.Remember(Counting(256));
  EXPECT_EQ(f.Found(Counting(256)), 256u);
}

TEST(PrefixSpill, GoesOnWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  Fixture f(4);
  f.Restart(folder.path(), kMuch);
  f.Remember(Counting(256));
  std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before = {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const struct rlimit little = {1000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &little);
  auto saved = f.prefixes->Save();
  f.Evict(2);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_DFL);
  ASSERT_FALSE(saved);
  EXPECT_NE(saved.error().remedy.find("room on the disk"), std::string::npos);
  EXPECT_EQ(f.warnings.size(), 1u);
  EXPECT_TRUE(folder.Files().empty());
  EXPECT_EQ(f.prefixes->stats().stored_bytes, 0u);
  EXPECT_EQ(f.Found(Counting(256)), 128u);
  EXPECT_TRUE(f.prefixes->Save());
  EXPECT_EQ(folder.Files(".kv").size(), 2u);
}

TEST(PrefixSpill, WindowsAreStoredWhereTheyAre) {
  const TemporaryFolder folder;
  Fixture f(100, testing::WindowClasses());
  f.Restart(folder.path(), kMuch);
  f.Remember(Counting(1000));
  ASSERT_TRUE(f.prefixes->Save());
  const std::size_t data = 16 * f.cache.blocks(1).block_bytes() +
                           4 * f.cache.blocks(0).block_bytes() +
                           3 * f.cache.blocks(2).block_bytes();
  EXPECT_GE(f.prefixes->stats().stored_bytes, data);
  EXPECT_LE(f.prefixes->stats().stored_bytes, data + 16 * 5000);
  f.Restart(folder.path(), kMuch);
  EXPECT_EQ(f.prefixes->Match("", Counting(1000), 500), 0u);
  EXPECT_EQ(f.Found(Counting(1000)), 1000u);
  EXPECT_EQ(f.prefixes->stats().loads, 16u);
  // What the store lacks is added to it.
  testing::WrittenSequence again = f.Grown(Counting(512));
  f.prefixes->Insert("", again.tokens, again.blocks);
  f.cache.Trim(again.blocks, 0);
  ASSERT_TRUE(f.prefixes->Save());
  f.Restart(folder.path(), kMuch);
  EXPECT_EQ(f.prefixes->stats().stored_nodes, 16u);
  EXPECT_EQ(f.Found(Counting(512)), 512u);
  EXPECT_EQ(f.Found(Counting(1000)), 1000u);
  EXPECT_TRUE(f.warnings.empty());
}

TEST(PrefixSpill, WindowsThatMemoryLostAreReadAgain) {
  const TemporaryFolder folder;
  Fixture f(100, testing::WindowClasses());
  f.Restart(folder.path(), kMuch);
  testing::WrittenSequence chat = f.Grown(Counting(1000));
  f.prefixes->Insert("", chat.tokens, chat.blocks);
  f.cache.Trim(chat.blocks, 0);
  SequenceBlocks whole = f.prefixes->Find("", Counting(1000), 1000);
  f.writer.Append(chat = {"", Counting(1000), std::move(whole)}, Counting(400, 1000));
  // The windows before the first end, which a sequence in use no longer sees.
  f.prefixes->Evict(f.cache.capacity());
  EXPECT_GT(f.prefixes->stats().window_evictions, 0u);
  EXPECT_EQ(f.prefixes->stats().evictions, 0u);
  EXPECT_EQ(f.Found(Counting(1000)), 1000u);
  EXPECT_GT(f.prefixes->stats().loads, 0u);
  f.cache.Trim(chat.blocks, 0);
}

RC_GTEST_PROP(PrefixSpillProperty, AllIsThereAfterRestarts, ()) {
  World world({.blocks = 4096, .stored_bytes = kMuch});
  for (const Operation& op : *Operations()) world.Do(op);
  world.End();
}

RC_GTEST_PROP(PrefixSpillProperty, StaysRightWithLittleRoomAndDamage, ()) {
  World world({.blocks = *rc::gen::inRange<std::size_t>(1, 24),
               .evicts = true,
               .stored_bytes = *rc::gen::inRange<std::size_t>(1, 1000000),
               .damages = true});
  for (const Operation& op : *Operations()) world.Do(op);
  world.End();
}

RC_GTEST_PROP(PrefixSpillProperty, WithWindowsItStaysRightToo, ()) {
  World world({.blocks = *rc::gen::inRange<std::size_t>(1, 24),
               .evicts = true,
               .stored_bytes = *rc::gen::inRange<std::size_t>(1, 1000000),
               .damages = true,
               .windows = true});
  for (const Operation& op : *Operations()) world.Do(op);
  world.End();
}

}  // namespace
}  // namespace ergo::runtime
