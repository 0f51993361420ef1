#include "serve/cache/far_tier.h"

#include <gtest/gtest.h>

#include <future>
#include <map>

#include "serve/cache/memory_tier.h"
#include "serve/cache/redis_keeper.h"
#include "serve/cache/sqlite_keeper.h"
#include "serve/cache/testing/cache_folder.h"
#include "serve/cache/testing/redis_process.h"

namespace ergo::serve {
namespace {

using std::chrono::milliseconds;
using testing::CacheFolder;
using Clock = std::chrono::steady_clock;

/// What is allowed beyond the patience: this machine may be busy.
constexpr milliseconds kSlack{150};

std::shared_ptr<const std::string> Text(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

struct Found {
  std::shared_ptr<const std::string> answer;
  Clock::duration time{};
};

Found Find(FarTier& tier, const std::string& key) {
  const auto begin = Clock::now();
  auto promise = std::make_shared<std::promise<std::shared_ptr<const std::string>>>();
  tier.Find(key, [promise](std::shared_ptr<const std::string> answer) {
    promise->set_value(std::move(answer));
  });
  Found found;
  found.answer = promise->get_future().get();
  found.time = Clock::now() - begin;
  return found;
}

bool WaitWorking(const FarTier& tier, milliseconds time = milliseconds(20'000)) {
  for (const auto end = Clock::now() + time; Clock::now() < end;) {
    if (tier.working()) return true;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

/// Sleeps past every deadline, or fails, as told.
class OddKeeper final : public Keeper {
 public:
  Status Open(Clock::time_point) override { return {}; }
  Result<std::optional<std::string>> Find(std::string_view key,
                                          Clock::time_point deadline) override {
    ++asked;
    if (slow) {
      std::this_thread::sleep_until(deadline);
      return Fail("too slow", "keeper");
    }
    const auto found = kept.find(std::string(key));
    return found == kept.end() ? std::optional<std::string>() : found->second;
  }
  Status Put(std::string_view key, std::string_view answer, Clock::time_point) override {
    kept[std::string(key)] = answer;
    return {};
  }
  std::atomic<bool> slow = false;
  std::atomic<int> asked = 0;
  std::map<std::string, std::string> kept;
};

TEST(MemoryTier, KeepsWhatWasUsedLast) {
  MemoryTier tier(8 * 1300);
  for (int i = 0; i < 8; ++i) tier.Put("k" + std::to_string(i), Text(std::string(1000, 'x')));
  EXPECT_EQ(tier.count(), 8U);
  EXPECT_NE(tier.Find("k0"), nullptr);
  tier.Put("new", Text(std::string(1000, 'y')));
  EXPECT_NE(tier.Find("k0"), nullptr);
  EXPECT_EQ(tier.Find("k1"), nullptr);
  EXPECT_NE(tier.Find("new"), nullptr);
  EXPECT_LE(tier.bytes(), 8U * 1300U);
  tier.Put("large", Text(std::string(2000, 'z')));
  EXPECT_EQ(tier.Find("large"), nullptr);
  tier.Put("new", Text("short"));
  EXPECT_EQ(*tier.Find("new"), "short");
}

TEST(FarTier, FindsWhatWasKept) {
  FarTier tier(std::make_unique<OddKeeper>(), {});
  ASSERT_TRUE(WaitWorking(tier));
  EXPECT_EQ(Find(tier, "a").answer, nullptr);
  tier.Put("a", Text("b"));
  tier.Flush();
  const Found found = Find(tier, "a");
  ASSERT_NE(found.answer, nullptr);
  EXPECT_EQ(*found.answer, "b");
}

TEST(FarTier, ASlowKeeperCostsNoMoreThanThePatience) {
  auto owned = std::make_unique<OddKeeper>();
  OddKeeper& keeper = *owned;
  FarOptions options;
  options.first_pause = milliseconds(60'000);
  options.longest_pause = milliseconds(60'000);
  std::atomic<int> told = 0;
  options.on_change = [&](const std::string& text) { told += text.empty() ? 0 : 1; };
  FarTier tier(std::move(owned), options);
  ASSERT_TRUE(WaitWorking(tier));
  keeper.slow = true;
  // All at a time: none waits for the others.
  std::vector<std::future<Found>> all;
  for (int i = 0; i < 16; ++i) {
    all.push_back(std::async(std::launch::async, [&] { return Find(tier, "a"); }));
  }
  for (auto& one : all) {
    const Found found = one.get();
    EXPECT_EQ(found.answer, nullptr);
    EXPECT_LT(found.time, milliseconds(20) + kSlack);
  }
  // Now the breaker is open: nobody asks.
  EXPECT_FALSE(tier.working());
  const int asked = keeper.asked;
  for (int i = 0; i < 1000; ++i) Find(tier, "a");
  EXPECT_EQ(keeper.asked, asked);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(tier.failures, 1U);
}

TEST(SqliteKeeper, OutlivesTheProcessAndItsDamage) {
  const CacheFolder folder;
  const SqliteCacheOptions options{.file = folder.path() + "/answers.db", .most_bytes = 1 << 20};
  {
    FarTier tier(MakeSqliteKeeper(options), {});
    ASSERT_TRUE(WaitWorking(tier));
    tier.Put("a", Text(std::string("b\0c", 3)));
    tier.Flush();
  }
  {
    FarTier tier(MakeSqliteKeeper(options), {});
    ASSERT_TRUE(WaitWorking(tier));
    const Found found = Find(tier, "a");
    ASSERT_NE(found.answer, nullptr);
    EXPECT_EQ(*found.answer, std::string("b\0c", 3));
    EXPECT_EQ(Find(tier, "other").answer, nullptr);
  }
  CacheFolder::Write(options.file, "this is no database, whatever its name says, but text");
  FarTier tier(MakeSqliteKeeper(options), {});
  ASSERT_TRUE(WaitWorking(tier));
  EXPECT_EQ(Find(tier, "a").answer, nullptr);
}

TEST(SqliteKeeper, StaysWithinItsBytesAndTime) {
  const CacheFolder folder;
  const std::unique_ptr<Keeper> keeper = MakeSqliteKeeper({folder.path() + "/answers.db", 100'000});
  const auto later = Keeper::Clock::now() + milliseconds(10'000);
  ASSERT_TRUE(keeper->Open(later));
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(keeper->Put("key " + std::to_string(i), std::string(1000, 'x'), later));
  }
  int kept = 0;
  for (int i = 0; i < 300; ++i) kept += *keeper->Find("key " + std::to_string(i), later) ? 1 : 0;
  EXPECT_GT(kept, 50);
  EXPECT_LE(kept, 100);
  EXPECT_TRUE((*keeper->Find("key 299", later)).has_value());

  const std::unique_ptr<Keeper> brief =
      MakeSqliteKeeper({folder.path() + "/brief.db", 100'000, std::chrono::seconds(0)});
  ASSERT_TRUE(brief->Open(later));
  ASSERT_TRUE(brief->Put("a", "b", later));
  EXPECT_FALSE((*brief->Find("a", later)).has_value());
}

TEST(SqliteKeeper, AFolderThatIsNotThereIsAnError) {
  FarTier tier(MakeSqliteKeeper({"/nowhere/at/all/answers.db"}), {});
  EXPECT_FALSE(WaitWorking(tier, milliseconds(300)));
  EXPECT_EQ(Find(tier, "a").answer, nullptr);
  EXPECT_GE(tier.failures, 1U);
}

TEST(RedisUrl, IsReadInAllItsParts) {
  const auto full = ParseRedisUrl("redis://ann:p@ss@cache.example:7000/3");
  ASSERT_TRUE(full) << full.error().Message();
  EXPECT_EQ(full->user, "ann");
  EXPECT_EQ(full->password, "p@ss");
  EXPECT_EQ(full->host, "cache.example");
  EXPECT_EQ(full->port, 7000);
  EXPECT_EQ(full->database, 3);
  EXPECT_EQ(ParseRedisUrl("redis://h")->port, 6379);
  EXPECT_EQ(ParseRedisUrl("redis://[::1]:7000")->host, "::1");
  EXPECT_EQ(ParseRedisUrl("redis://[::1]")->host, "::1");
  EXPECT_EQ(ParseRedisUrl("unix:///run/redis.sock")->socket, "/run/redis.sock");
  for (const char* bad : {"", "redis://", "http://h", "redis://h:0", "redis://h:x", "redis://h/x",
                          "unix://relative", "rediss://h", "redis://user@h"}) {
    EXPECT_FALSE(ParseRedisUrl(bad)) << bad;
  }
}

TEST(Seal, OnlyWhatWasSealedWithTheSecretUnderTheKeyIsTaken) {
  const std::string sealed = Seal("secret", "key", "answer", 100);
  EXPECT_EQ(Unseal("secret", "key", sealed, 99), "answer");
  EXPECT_FALSE(Unseal("secret", "key", sealed, 100));
  EXPECT_FALSE(Unseal("Secret", "key", sealed, 99));
  EXPECT_FALSE(Unseal("secret", "kez", sealed, 99));
  EXPECT_FALSE(Unseal("secret", "key", "", 99));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(Unseal("secret", "key", changed, 99)) << i;
    EXPECT_FALSE(Unseal("secret", "key", sealed.substr(0, i), 99)) << i;
  }
}

class RedisTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::RedisProcess::Available()) GTEST_SKIP() << "redis-server is not installed";
    redis_ = std::make_unique<testing::RedisProcess>(folder_.path());
  }
  std::unique_ptr<Keeper> MakeKeeper(const std::string& secret) const {
    return MakeRedisKeeper({*ParseRedisUrl(redis_->url()), secret, std::chrono::seconds(60)});
  }

  CacheFolder folder_;
  std::unique_ptr<testing::RedisProcess> redis_;
};

TEST_F(RedisTest, ReplicasShareAndStrangersDoNot) {
  FarTier one(MakeKeeper("a secret of ours"), {});
  FarTier two(MakeKeeper("a secret of ours"), {});
  FarTier stranger(MakeKeeper("some other words"), {});
  ASSERT_TRUE(WaitWorking(one) && WaitWorking(two) && WaitWorking(stranger));
  one.Put("a", Text(std::string(100'000, 'x')));
  one.Flush();
  const Found found = Find(two, "a");
  ASSERT_NE(found.answer, nullptr);
  EXPECT_EQ(found.answer->size(), 100'000U);
  EXPECT_EQ(Find(stranger, "a").answer, nullptr);
  EXPECT_TRUE(stranger.working());
}

TEST_F(RedisTest, AFrozenOneCostsNoMoreThanThePatience) {
  FarTier tier(MakeKeeper("a secret of ours"), {});
  ASSERT_TRUE(WaitWorking(tier));
  tier.Put("a", Text("b"));
  tier.Flush();
  redis_->Freeze();
  for (int i = 0; i < 20; ++i) {
    const Found found = Find(tier, "a");
    EXPECT_EQ(found.answer, nullptr);
    EXPECT_LT(found.time, milliseconds(20) + kSlack);
  }
  redis_->Thaw();
  ASSERT_TRUE(WaitWorking(tier));
  EXPECT_NE(Find(tier, "a").answer, nullptr);
}

TEST_F(RedisTest, KilledInTheMiddleAndStartedAgain) {
  FarTier tier(MakeKeeper("a secret of ours"), {});
  ASSERT_TRUE(WaitWorking(tier));
  tier.Put("a", Text("b"));
  tier.Flush();
  std::atomic<bool> stop = false;
  std::atomic<int> found = 0;
  std::atomic<int> slow = 0;
  std::thread asker([&] {
    while (!stop) {
      const Found one = Find(tier, "a");
      found += one.answer != nullptr ? 1 : 0;
      slow += one.time > milliseconds(20) + kSlack ? 1 : 0;
      std::this_thread::sleep_for(milliseconds(1));
    }
  });
  while (found == 0) std::this_thread::sleep_for(milliseconds(5));
  redis_->Kill();
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_FALSE(tier.working());
  EXPECT_GE(tier.failures, 1U);
  redis_->Start();
  EXPECT_TRUE(WaitWorking(tier));
  tier.Put("a", Text("b"));
  const int before = found;
  for (int i = 0; i < 1000 && found == before; ++i) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_GT(found, before);
  stop = true;
  asker.join();
  EXPECT_EQ(slow, 0);
}

}  // namespace
}  // namespace ergo::serve
