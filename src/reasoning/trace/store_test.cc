#include "reasoning/trace/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <thread>

#include "reasoning/trace/recorder.h"
#include "reasoning/trace/store_writer.h"

namespace ergo::reasoning {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::string shape = (fs::temp_directory_path() / "ergo-traces-XXXXXX").string();
    folder_ = ::mkdtemp(shape.data());
  }
  ~StoreTest() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  std::unique_ptr<TraceStore> Open(StoreOptions options = {}) {
    options.folder = folder_;
    auto store = TraceStore::Open(options);
    EXPECT_TRUE(store) << store.error().Message();
    return store ? std::move(*store) : nullptr;
  }

  fs::path folder_;
};

Trace Head(std::string question, std::string owner = "", std::int64_t created_ms = 0) {
  Trace head;
  head.question = std::move(question);
  head.owner = std::move(owner);
  head.strategy = "direct";
  head.model_name = "tiny";
  head.created_ms = created_ms;
  return head;
}

TraceNode Step(std::string text) {
  TraceNode node;
  node.text = std::move(text);
  return node;
}

/// A whole trace of `steps` steps; its id.
std::string Write(TraceStore* store, const Trace& head, int steps = 3) {
  StoreWriter writer(store);
  std::string id;
  {
    Recorder recorder(head, writer.Listener());
    id = recorder.id();
    for (int i = 0; i < steps; ++i) recorder.Add(Step("step " + std::to_string(i)));
    recorder.Set({{"status", "answered"}, {"answer", "36"}, {"confidence", 0.75}});
  }
  writer.Flush();
  EXPECT_TRUE(writer.status()) << writer.status().error().Message();
  return id;
}

TEST_F(StoreTest, KeepsTheDocumentAndTheEvents) {
  const auto store = Open();
  StoreWriter writer(store.get());
  std::vector<TraceEvent> events;
  const OnTraceEvent stored = writer.Listener();
  Recorder recorder(Head("半 dozen, how many?", "ann"), [&](const TraceEvent& event) {
    events.push_back(event);
    stored(event);
  });
  recorder.Add(Step(std::string("a\0b\xFF", 4)), "q", EdgeType::kPremise);
  writer.Flush();
  EXPECT_EQ(store->List()->at(0).status, "running");
  EXPECT_EQ(store->Load(recorder.id())->trace.status, "running");
  EXPECT_THAT(store->Remove(recorder.id()).error().Message(), HasSubstr("is being written"));
  recorder.Set({{"status", "answered"}, {"answer", "six"}, {"confidence", 0.5}});
  recorder.Stage({"late", 1.0, 2, "done"});
  writer.Flush();

  // Another process sees the same.
  const auto other = Open();
  const auto loaded = other->Load(recorder.id());
  ASSERT_TRUE(loaded) << loaded.error().Message();
  EXPECT_TRUE(loaded->damage);
  EXPECT_EQ(ToJson(loaded->trace), ToJson(recorder.Document()));
  ASSERT_EQ(loaded->events.size(), events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(ToJson(loaded->events[i]), ToJson(events[i]));
  }
  const auto list = other->List();
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->at(0).question, "半 dozen, how many?");
  EXPECT_EQ(list->at(0).answer, "six");
  EXPECT_EQ(list->at(0).confidence, 0.5);
  EXPECT_EQ(list->at(0).events, events.size());
  EXPECT_EQ(fs::status(store->file()).permissions() & fs::perms::group_all, fs::perms::none);
}

TEST_F(StoreTest, ListsByOwnerNewestFirstAndFindsByPrefix) {
  const auto store = Open();
  EXPECT_THAT(store->Resolve("last").error().Message(), HasSubstr("no traces yet"));
  Trace head = Head("first", "ann", 1'700'000'000'001);
  head.id = "01AAAAAAAAAAAAAAAAAAAAAAAA";
  Write(store.get(), head);
  head = Head("second", "bob", 1'700'000'000'002);
  head.id = "01ABBBBBBBBBBBBBBBBBBBBBBB";
  StoreOptions keep;
  keep.max_age_ms = std::int64_t{1} << 50;
  const auto old = Open(keep);  // Prune at the next beginning would take those of 2023.
  Write(old.get(), head);
  const auto questions = [&](const TraceFilter& filter) {
    std::vector<std::string> found;
    const std::vector<StoredTrace> list = store->List(filter).value();
    for (const StoredTrace& trace : list) found.push_back(trace.question);
    return found;
  };
  EXPECT_THAT(questions({}), ElementsAre("second", "first"));
  EXPECT_THAT(questions({.owner = "ann"}), ElementsAre("first"));
  EXPECT_THAT(questions({.owner = ""}), ElementsAre());
  EXPECT_THAT(questions({.owner = {}, .limit = 1}), ElementsAre("second"));
  EXPECT_EQ(store->Resolve("last"), "01ABBBBBBBBBBBBBBBBBBBBBBB");
  EXPECT_EQ(store->Resolve("last", {.owner = "ann"}), "01AAAAAAAAAAAAAAAAAAAAAAAA");
  EXPECT_EQ(store->Resolve("01ab"), "01ABBBBBBBBBBBBBBBBBBBBBBB");
  EXPECT_THAT(store->Resolve("01A").error().Message(), HasSubstr("begins the ids of 2"));
  EXPECT_THAT(store->Resolve("01ABC").error().Message(), HasSubstr("no such trace"));
  EXPECT_FALSE(store->Resolve(""));
  EXPECT_TRUE(store->Remove("01AAAAAAAAAAAAAAAAAAAAAAAA"));
  EXPECT_FALSE(store->Remove("01AAAAAAAAAAAAAAAAAAAAAAAA"));
  EXPECT_FALSE(store->Load("01AAAAAAAAAAAAAAAAAAAAAAAA"));
  EXPECT_THAT(questions({}), ElementsAre("second"));
  // An id is taken once.
  StoreWriter writer(old.get());
  const Recorder again(head, writer.Listener());
  writer.Flush();
  EXPECT_FALSE(writer.status());
  EXPECT_EQ(store->Load(head.id)->trace.answer, "36");
}

TEST_F(StoreTest, RetentionByAgeAndBySize) {
  StoreOptions options;
  options.max_age_ms = 1'000'000;
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  const auto store = Open(options);
  Write(store.get(), Head("old", "", now - 2'000'000));
  const std::string fresh = Write(store.get(), Head("fresh", "", now - 10));
  ASSERT_EQ(store->List()->size(), 1u);
  EXPECT_EQ(store->List()->at(0).id, fresh);

  const std::string large = Write(store.get(), Head("large"), 20'000);
  const auto size = fs::file_size(store->file());
  options.max_bytes = 100'000;
  const auto small = Open(options);
  ASSERT_TRUE(small->Prune());
  EXPECT_EQ(small->List()->size(), 0u);  // Oldest first: once one is over, all before it are.
  const std::string last = Write(small.get(), Head("last"));
  ASSERT_EQ(small->List()->size(), 1u);
  EXPECT_EQ(small->List()->at(0).id, last);
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(small->file().c_str(), &handle), SQLITE_OK);
  sqlite3_exec(handle, "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr);
  sqlite3_close(handle);
  EXPECT_LT(fs::file_size(small->file()), size / 4 + 100'000);
}

/// Writes steps until it is killed; tells of its id and of each step by a pipe.
[[noreturn]] void WriteForever(const fs::path& folder, int pipe) {
  auto store = TraceStore::Open({.folder = folder});
  if (!store) ::_exit(1);
  StoreWriter writer(store->get());
  Recorder recorder(Head("never ends"), writer.Listener());
  if (::write(pipe, recorder.id().data(), 26) != 26) ::_exit(2);
  for (int i = 0;; ++i) {
    recorder.Add(Step("step " + std::to_string(i)), "n1", EdgeType::kPremise);
    if (i % 10 == 0) writer.Flush();
    if (::write(pipe, ".", 1) != 1) ::_exit(2);
  }
}

TEST_F(StoreTest, APrefixSurvivesAKillAtAnyMoment) {
  std::mt19937 random(7);
  for (int round = 0; round < 8; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      WriteForever(folder_, ends[1]);
    }
    ::close(ends[1]);
    std::string id(26, ' ');
    ASSERT_EQ(::read(ends[0], id.data(), 26), 26);
    const int steps = 20 + static_cast<int>(random() % 100);
    char byte = 0;
    for (int i = 0; i < steps; ++i) ASSERT_EQ(::read(ends[0], &byte, 1), 1);
    if (round == 0) {
      EXPECT_EQ(Open()->Load(id)->trace.status, "running");
    }
    ::usleep(random() % 3000);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ::close(ends[0]);
    ASSERT_TRUE(WIFSIGNALED(status));

    const auto store = Open();
    EXPECT_EQ(store->notice(), "");
    const auto loaded = store->Load(id);
    ASSERT_TRUE(loaded) << loaded.error().Message();
    EXPECT_TRUE(loaded->damage);
    EXPECT_EQ(loaded->trace.status, "interrupted");
    EXPECT_EQ(store->List()->at(0).status, "interrupted");
    EXPECT_GE(loaded->trace.nodes.size() + 11, static_cast<std::size_t>(steps));
    for (std::size_t i = 0; i < loaded->trace.nodes.size(); ++i) {
      EXPECT_EQ(loaded->trace.nodes[i].text, "step " + std::to_string(i));
    }
    EXPECT_TRUE(store->Remove(id));
  }
}

TEST_F(StoreTest, TwoProcessesWriteAtOnce) {
  Open();
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto store = TraceStore::Open({.folder = folder_});
      bool fine = store.has_value();
      for (int j = 0; fine && j < 5; ++j) {
        StoreWriter writer(store->get());
        Recorder recorder(Head("q"), writer.Listener());
        for (int k = 0; k < 30; ++k) {
          recorder.Add(Step("step"));
          if (k % 3 == 0) writer.Flush();
        }
        recorder.Set({{"status", "answered"}});
        writer.Flush();
        fine = writer.status().has_value();
      }
      ::_exit(fine ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const auto store = Open();
  const std::vector<StoredTrace> list = store->List().value();
  EXPECT_EQ(list.size(), 15u);
  for (const StoredTrace& trace : list) {
    EXPECT_EQ(trace.status, "answered");
    EXPECT_EQ(store->Load(trace.id)->trace.nodes.size(), 30u);
  }
}

std::size_t FilesLike(const fs::path& folder, const std::string& part) {
  std::size_t count = 0;
  for (const auto& file : fs::directory_iterator(folder)) {
    count += file.path().filename().string().find(part) != std::string::npos;
  }
  return count;
}

TEST_F(StoreTest, ADamagedFileIsMovedAside) {
  std::ofstream(folder_ / "traces.db") << std::string(5000, 'x');
  const auto store = Open();
  EXPECT_THAT(store->notice(), HasSubstr("was damaged"));
  EXPECT_EQ(FilesLike(folder_, "damaged"), 1u);
  const std::string id = Write(store.get(), Head("after"));
  EXPECT_TRUE(store->Load(id));
  EXPECT_EQ(Open()->notice(), "");
}

TEST_F(StoreTest, AnyDamageEndsInAnErrorOrIsRead) {
  Write(Open().get(), Head("some", "", 0), 200);
  {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ / "traces.db").c_str(), &handle), SQLITE_OK);
    sqlite3_exec(handle, "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr);
    sqlite3_close(handle);
  }
  std::ifstream file(folder_ / "traces.db", std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(file), {}};
  ASSERT_GT(good.size(), 20'000u);
  std::mt19937 random(3);
  std::size_t moved = 0;
  for (int round = 0; round < 24; ++round) {
    for (const auto& entry : fs::directory_iterator(folder_)) fs::remove(entry.path());
    std::string bad = good;
    if (round % 3 == 0) bad.resize(1 + random() % bad.size());
    for (int i = 0; round % 3 != 0 && i < 40; ++i) {
      // Half of the damage hits the first pages, where the tables are described.
      bad[random() % (round % 2 ? bad.size() : 4096)] = static_cast<char>(random());
    }
    std::ofstream(folder_ / "traces.db", std::ios::binary) << bad;
    const auto store = TraceStore::Open({.folder = folder_, .busy_ms = 100});
    if (!store) continue;
    const auto list = (*store)->List();
    const auto traces = list.value_or(std::vector<StoredTrace>());
    for (const StoredTrace& trace : traces) {
      (void)(*store)->Load(trace.id);
    }
    StoreWriter writer(store->get());
    Recorder recorder(Head("more"), writer.Listener());
    for (int i = 0; i < 50; ++i) recorder.Add(Step(std::string(1000, 's')));
    writer.Flush();
    (void)(*store)->Prune();
    moved += FilesLike(folder_, "damaged");
  }
  EXPECT_GT(moved, 0u);
}

TEST_F(StoreTest, ADamagedEventLeavesThePrefix) {
  const std::string id = Write(Open().get(), Head("some"), 5);
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open((folder_ / "traces.db").c_str(), &handle), SQLITE_OK);
  EXPECT_EQ(
      sqlite3_exec(handle, "UPDATE event SET patch = '{' WHERE seq = 3", nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(handle);
  const auto loaded = Open()->Load(id);
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->damage.error().Message(), HasSubstr("event 3"));
  EXPECT_EQ(loaded->trace.nodes.size(), 2u);
  EXPECT_EQ(loaded->trace.status, "interrupted");
}

TEST_F(StoreTest, ANewerVersionIsLeftAlone) {
  Open();
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open((folder_ / "traces.db").c_str(), &handle), SQLITE_OK);
  sqlite3_exec(handle, "PRAGMA user_version = 99", nullptr, nullptr, nullptr);
  sqlite3_close(handle);
  const auto store = TraceStore::Open({.folder = folder_});
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().Message(), HasSubstr("newer version"));
  EXPECT_EQ(FilesLike(folder_, "damaged"), 0u);
}

TEST_F(StoreTest, AFolderThatCannotBeMadeIsAnError) {
  std::ofstream(folder_ / "file") << "x";
  const auto store = TraceStore::Open({.folder = folder_ / "file" / "traces"});
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().Message(), HasSubstr("ERGO_HOME"));
  if (::geteuid() == 0) return;  // Root may write everywhere.
  fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_FALSE(TraceStore::Open({.folder = folder_}));
  fs::permissions(folder_, fs::perms::owner_all);
}

TEST_F(StoreTest, AFullDiskLosesTheTraceNotTheAnswer) {
  const std::string before = Write(Open().get(), Head("before"));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // A file may not grow beyond the limit, as on a disk that is full.
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{300'000, 300'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto store = TraceStore::Open({.folder = folder_});
    if (!store) ::_exit(1);
    StoreWriter writer(store->get());
    Recorder recorder(Head("large"), writer.Listener());
    for (int i = 0; i < 200; ++i) {
      recorder.Add(Step(std::string(5000, 's')));
      if (i % 20 == 0) writer.Flush();
    }
    writer.Flush();
    if (writer.status()) ::_exit(2);
    ::_exit(recorder.Document().nodes.size() == 200 ? 0 : 3);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  const auto store = Open();
  EXPECT_EQ(store->Load(before)->trace.answer, "36");
  const auto large = store->Load(store->Resolve("last").value());
  ASSERT_TRUE(large);
  EXPECT_EQ(large->trace.status, "interrupted");
  EXPECT_GT(large->trace.nodes.size(), 0u);
}

TEST_F(StoreTest, ManyTracesThroughOneWriter) {
  const auto store = Open();
  StoreWriter writer(store.get());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      Recorder recorder(Head("q"), writer.Listener());
      for (int i = 0; i < 100; ++i) recorder.Add(Step("s"));
      recorder.Set({{"status", "answered"}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  writer.Flush();
  ASSERT_TRUE(writer.status());
  const std::vector<StoredTrace> list = store->List().value();
  EXPECT_EQ(list.size(), 4u);
  for (const StoredTrace& trace : list) EXPECT_EQ(trace.events, 102u);
}

TEST(StoreFolderTest, FollowsTheEnvironment) {
  setenv("ERGO_HOME", "/a", 1);
  setenv("XDG_DATA_HOME", "/b", 1);
  EXPECT_EQ(DefaultStoreFolder(), fs::path("/a"));
  unsetenv("ERGO_HOME");
  EXPECT_EQ(DefaultStoreFolder(), fs::path("/b/ergo"));
  unsetenv("XDG_DATA_HOME");
  setenv("ERGO_TRACE_DAYS", "2", 1);
  setenv("ERGO_TRACE_MB", "x", 1);
  EXPECT_EQ(StoreOptions::FromEnvironment().max_age_ms, 2 * 24 * 3600 * 1000);
  EXPECT_EQ(StoreOptions::FromEnvironment().max_bytes, StoreOptions().max_bytes);
  unsetenv("ERGO_TRACE_DAYS");
  unsetenv("ERGO_TRACE_MB");
}

}  // namespace
}  // namespace ergo::reasoning
