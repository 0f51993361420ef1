#include "runtime/kv/prefix_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <numeric>
#include <random>

#include "runtime/kv/testing/temporary_folder.h"

namespace ergo::runtime {
namespace {

using testing::TemporaryFolder;
using Block = std::vector<std::byte>;

/// Small blocks of two classes, unless told.
struct Fixture {
  explicit Fixture(const std::string& path, std::string key = "a model",
                   std::vector<std::size_t> block_bytes = {96, 64})
      : sizes(block_bytes) {
    StoreOptions options = {path, {std::move(key)}, 1 << 30, std::move(block_bytes), {}};
    options.warn = [this](const Error& error) { warnings.push_back(error); };
    auto opened = PrefixStore::Open(options);
    EXPECT_TRUE(opened) << opened.error().Message();
    if (opened) store = *std::move(opened);
  }

  /// What belongs to a prefix, class by class.
  std::vector<Block> Contents(const PrefixName& name) const {
    std::vector<Block> blocks;
    for (const std::size_t size : sizes) {
      Block& block = blocks.emplace_back(size);
      const std::size_t seed = static_cast<std::size_t>(name.tokens.back()) + size;
      for (std::size_t i = 0; i < size; ++i) {
        block[i] = static_cast<std::byte>(seed * 31 + i * 7 + (i >> 8));
      }
    }
    return blocks;
  }
  Status Write(const PrefixName& name) {
    const std::vector<Block> blocks = Contents(name);
    return store->Write(name,
                        std::vector<std::span<const std::byte>>(blocks.begin(), blocks.end()));
  }
  Status Prepare(const PrefixName& name) {
    const std::vector<Block> blocks = Contents(name);
    return store->Prepare(name,
                          std::vector<std::span<const std::byte>>(blocks.begin(), blocks.end()));
  }
  /// Whether the prefix can be read; if so it is right.
  bool Read(const PrefixName& name) {
    std::vector<Block> blocks;
    blocks.reserve(sizes.size());
    for (const std::size_t size : sizes) blocks.emplace_back(size);
    if (!store->Read(name, std::vector<std::span<std::byte>>(blocks.begin(), blocks.end()))) {
      return false;
    }
    EXPECT_EQ(blocks, Contents(name));
    return true;
  }

  std::vector<std::size_t> sizes;
  std::vector<Error> warnings;
  std::unique_ptr<PrefixStore> store;
};

std::vector<std::int32_t> Tokens(std::size_t count, std::int32_t first = 0) {
  std::vector<std::int32_t> tokens(count);
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

TEST(PrefixStore, GivesBackWhatWasWritten) {
  const TemporaryFolder folder;
  Fixture f(folder.path());
  const auto long_one = Tokens(100);
  const auto short_one = Tokens(64);
  ASSERT_TRUE(f.Write({"someone", long_one}));
  ASSERT_TRUE(f.Prepare({"", short_one}));
  EXPECT_FALSE(f.Read({"", short_one}));  // not yet
  ASSERT_TRUE(f.Prepare({"", short_one}));
  ASSERT_TRUE(f.store->Commit());
  EXPECT_TRUE(f.Read({"someone", long_one}));
  EXPECT_TRUE(f.Read({"", short_one}));
  EXPECT_FALSE(f.Read({"", long_one}));
  const std::size_t bytes = f.store->bytes();
  EXPECT_EQ(bytes,
            f.store->FileBytes({"someone", long_one}, 3) + f.store->FileBytes({"", short_one}, 3));

  Fixture again(folder.path());
  const auto list = again.store->List();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].tokens, short_one);
  EXPECT_EQ(list[1].tokens, long_one);
  EXPECT_EQ(list[1].name_space, "someone");
  EXPECT_EQ(again.store->bytes(), bytes);
  EXPECT_TRUE(again.Read({"someone", long_one}));
  again.store->Remove({"someone", long_one});
  EXPECT_FALSE(again.store->Has({"someone", long_one}));
  EXPECT_FALSE(f.Read({"someone", long_one}));  // another process removed it
  EXPECT_TRUE(f.warnings.empty());
  struct stat status = {};
  ASSERT_EQ(::stat(folder.Files().at(0).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);  // prompts can be read from it
}

TEST(PrefixStore, NoFlippedByteIsBelieved) {
  const TemporaryFolder folder;
  const auto tokens = Tokens(20);
  ASSERT_TRUE(Fixture(folder.path()).Write({"n", tokens}));
  const std::string file = folder.Files().at(0);
  const std::string good = TemporaryFolder::Read(file);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << i % 8));
    TemporaryFolder::Write(file, bad);
    Fixture reader(folder.path());
    EXPECT_FALSE(reader.Read({"n", tokens})) << i;  // without a look at the list
    EXPECT_EQ(reader.warnings.size(), 1u) << i;
    TemporaryFolder::Write(file, bad);
    Fixture lister(folder.path());
    EXPECT_FALSE(!lister.store->List().empty() && lister.Read({"n", tokens})) << i;
    EXPECT_EQ(lister.warnings.size(), 1u) << i;
  }
  TemporaryFolder::Write(file, good);
  EXPECT_TRUE(Fixture(folder.path()).Read({"n", tokens}));
}

TEST(PrefixStore, NoOtherLengthIsBelieved) {
  const TemporaryFolder folder;
  const auto tokens = Tokens(20);
  ASSERT_TRUE(Fixture(folder.path()).Write({"n", tokens}));
  const std::string file = folder.Files().at(0);
  const std::string good = TemporaryFolder::Read(file);
  for (std::size_t size = 0; size <= good.size() + 64; ++size) {
    if (size == good.size()) continue;
    std::string bad = good;
    bad.resize(size);
    TemporaryFolder::Write(file, bad);
    Fixture f(folder.path());
    EXPECT_TRUE(f.store->List().empty()) << size;
    EXPECT_EQ(f.warnings.size(), 1u) << size;
    TemporaryFolder::Write(file, bad);
    EXPECT_FALSE(f.Read({"n", tokens})) << size;
  }
}

TEST(PrefixStore, ForeignFilesAreLeftAlone) {
  const TemporaryFolder folder;
  const auto tokens = Tokens(64);
  ASSERT_TRUE(Fixture(folder.path(), "a model").Write({"", tokens}));
  Fixture other(folder.path(), "another model");
  EXPECT_TRUE(other.store->List().empty());
  EXPECT_FALSE(other.Read({"", tokens}));
  EXPECT_TRUE(other.warnings.empty());
  // Copied to where the other one looks.
  ASSERT_TRUE(other.Write({"", tokens}));
  const std::vector<std::string> files = folder.Files();
  ASSERT_EQ(files.size(), 2u);
  const std::string both[] = {TemporaryFolder::Read(files[0]), TemporaryFolder::Read(files[1])};
  TemporaryFolder::Write(files[0], both[1]);
  TemporaryFolder::Write(files[1], both[0]);
  Fixture again(folder.path(), "another model");
  EXPECT_TRUE(again.store->List().empty());
  ASSERT_EQ(again.warnings.size(), 1u);
  EXPECT_NE(again.warnings[0].what.find("another model"), std::string::npos);
  EXPECT_EQ(folder.Files().size(), 2u);
  EXPECT_FALSE(again.Read({"", tokens}));
}

TEST(PrefixStore, OtherVersionsAreNotUsed) {
  const TemporaryFolder folder;
  const auto tokens = Tokens(64);
  ASSERT_TRUE(Fixture(folder.path()).Write({"", tokens}));
  const std::string file = folder.Files().at(0);
  std::string bytes = TemporaryFolder::Read(file);
  bytes[8] = 0;
  TemporaryFolder::Write(file, bytes);
  Fixture f(folder.path());
  EXPECT_TRUE(f.store->List().empty());
  ASSERT_EQ(f.warnings.size(), 1u);
  EXPECT_NE(f.warnings[0].what.find("version"), std::string::npos);
}

TEST(PrefixStore, SaysWhereItCannotWrite) {
  const TemporaryFolder folder;
  TemporaryFolder::Write(folder.path() + "/file", "");
  const auto store = PrefixStore::Open({folder.path() + "/file/kv", {"key"}, 1000, {64}, {}});
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().where.find("/file/kv"), std::string::npos);
  EXPECT_FALSE(store.error().remedy.empty());
  if (::geteuid() == 0) return;  // may write everywhere
  ASSERT_EQ(::chmod(folder.path().c_str(), 0500), 0);
  EXPECT_FALSE(PrefixStore::Open({folder.path(), {"key"}, 1000, {64}, {}}));
  ::chmod(folder.path().c_str(), 0700);
}

TEST(PrefixStore, AGoneFolderIsAnError) {
  const TemporaryFolder folder;
  Fixture f(folder.path() + "/kv");
  std::filesystem::remove_all(folder.path() + "/kv");
  const auto tokens = Tokens(64);
  EXPECT_FALSE(f.Write({"", tokens}));
  EXPECT_FALSE(f.Prepare({"", tokens}));
  EXPECT_FALSE(f.store->Commit());
  EXPECT_TRUE(f.store->List().empty());
}

/// Runs `work` in a process of its own.
template <typename Work>
pid_t InProcess(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  return child;
}

TEST(PrefixStore, ProcessesShareAFolder) {
  const TemporaryFolder folder;
  constexpr std::int32_t kPrefixes = 20;
  const auto work = [&] {
    Fixture f(folder.path(), "a model", {4096, 1000});
    for (int round = 0; round < 5; ++round) {
      for (std::int32_t i = 0; i < kPrefixes; ++i) {
        const auto tokens = Tokens(64, i);
        EXPECT_TRUE(i % 2 == 0 ? f.Write({"", tokens}) : f.Prepare({"", tokens}));
        f.Read({"", tokens});
      }
      EXPECT_TRUE(f.store->Commit());
      f.store->List();
    }
    EXPECT_TRUE(f.warnings.empty());
  };
  const pid_t children[] = {InProcess(work), InProcess(work), InProcess(work)};
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  Fixture f(folder.path(), "a model", {4096, 1000});
  EXPECT_EQ(f.store->List().size(), static_cast<std::size_t>(kPrefixes));
  for (std::int32_t i = 0; i < kPrefixes; ++i) EXPECT_TRUE(f.Read({"", Tokens(64, i)}));
  EXPECT_EQ(folder.Files().size(), static_cast<std::size_t>(kPrefixes));
}

TEST(PrefixStore, AKilledWriterLeavesWholeFilesOrNone) {
  const TemporaryFolder folder;
  const std::vector<std::size_t> large = {300000, 100000};
  std::mt19937 random(5);
  for (int round = 0; round < 50; ++round) {
    int started[2] = {};
    ASSERT_EQ(::pipe(started), 0);
    const pid_t child = InProcess([&] {
      Fixture f(folder.path(), "a model", large);
      for (std::int32_t i = 0;; ++i) {
        const auto tokens = Tokens(64, i % 8);
        (void)(i % 2 == 0 ? f.Write({"", tokens}) : f.Prepare({"", tokens}));
        if (i % 4 == 3) (void)f.store->Commit();
        if (i == 0) (void)!::write(started[1], "x", 1);
      }
    });
    char byte = 0;
    ASSERT_EQ(::read(started[0], &byte, 1), 1);
    ::close(started[0]);
    ::close(started[1]);
    ::usleep(random() % 5000);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    Fixture f(folder.path(), "a model", large);
    const auto list = f.store->List();
    EXPECT_FALSE(list.empty());
    for (const auto& stored : list) {
      EXPECT_TRUE(f.Read({stored.name_space, stored.tokens}));
      f.store->Remove({stored.name_space, stored.tokens});
    }
    EXPECT_TRUE(f.warnings.empty());
    EXPECT_TRUE(folder.Files(".kv").empty());
  }
}

TEST(PrefixStore, LeftoversOfTheDeadAreCleared) {
  const TemporaryFolder folder;
  Fixture f(folder.path());
  ASSERT_TRUE(f.Write({"", Tokens(64)}));
  const std::string leftover = folder.Files().at(0) + ".1.1.new";
  TemporaryFolder::Write(leftover, "something");
  EXPECT_EQ(f.store->List().size(), 1u);
  EXPECT_EQ(folder.Files().size(), 2u);  // it may still be written to
  const auto old = std::filesystem::last_write_time(leftover) - std::chrono::hours(2);
  std::filesystem::last_write_time(leftover, old);
  EXPECT_EQ(f.store->List().size(), 1u);
  EXPECT_EQ(folder.Files().size(), 1u);
}

}  // namespace
}  // namespace ergo::runtime
