// `ergo trace`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "base/json.h"
#include "cli/testing/command_line.h"
#include "generate/testing/tiny_model.h"
#include "reasoning/trace/recorder.h"
#include "reasoning/trace/store_writer.h"

namespace ergo::cli {
namespace {

namespace fs = std::filesystem;
using reasoning::EdgeType;
using reasoning::NodeKind;
using reasoning::Recorder;
using reasoning::Trace;
using reasoning::TraceNode;
using reasoning::TraceStore;
using reasoning::Verdict;
using ::testing::AllOf;
using testing::ErrorLine;
using testing::Execute;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Ran;
using ::testing::StartsWith;

class TraceCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string shape = (fs::temp_directory_path() / "ergo-trace-cli-XXXXXX").string();
    ASSERT_NE(::mkdtemp(shape.data()), nullptr);
    folder_ = shape;
    setenv("ERGO_HOME", folder_.c_str(), 1);
  }
  void TearDown() override {
    unsetenv("ERGO_HOME");
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  std::string Write(const std::string& id, const std::string& question) {
    auto store = TraceStore::Open({});
    EXPECT_TRUE(store);
    reasoning::StoreWriter writer(store->get());
    Trace head;
    head.id = id;
    head.question = question;
    head.strategy = "progressive";
    head.model_name = "tiny";
    Recorder recorder(head, writer.Listener());
    TraceNode node;
    node.kind = NodeKind::kQuestion;
    node.text = question;
    const std::string root = recorder.Add(node);
    node = {};
    node.text = "3 × 12 = 36\x1b[31m";
    node.confidence.calibrated = 0.75;
    const std::string step = recorder.Add(node, root, EdgeType::kGoal);
    recorder.Verify(step, {"arithmetic", Verdict::kVerified, true, "", "3 × 12 is 36", {}, ""});
    node.text = "3 × 12 = 37";
    const std::string wrong = recorder.Add(node, root, EdgeType::kGoal);
    recorder.Verify(wrong, {"arithmetic", Verdict::kRefuted, true, "", "it is 36", {}, "36"});
    recorder.Stage({"derive", 12.0, 30, "done"});
    recorder.Set({{"status", "answered"}, {"answer", "36"}, {"confidence", 0.75}});
    writer.Flush();
    EXPECT_TRUE(writer.status());
    return id;
  }

  fs::path folder_;
};

TEST_F(TraceCommandTest, ListsShowsAndRemoves) {
  const Ran none = Execute({"trace", "list"});
  EXPECT_EQ(none.status, kOk);
  EXPECT_THAT(none.err, HasSubstr("no traces yet"));
  EXPECT_EQ(none.out, "");
  Write("01AAAAAAAAAAAAAAAAAAAAAAAA", "How many eggs?");
  Write("01BBBBBBBBBBBBBBBBBBBBBBBB", "And\nthen?\x1b]0;x\x07");
  const Ran list = Execute({"trace", "list"});
  EXPECT_THAT(list.out, AllOf(StartsWith("ID "), HasSubstr("How many eggs?"), HasSubstr("75%"),
                              HasSubstr("answered")));
  EXPECT_EQ(list.out.find('\x1b'), list.out.npos);  // Text cannot rule the terminal.
  const auto rows = ParseOrderedJson(Execute({"trace", "list", "--json"}).out, "list");
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ(rows->at(0)["answer"], "36");

  const Ran shown = Execute({"trace", "show", "01a"});
  EXPECT_EQ(shown.status, kOk);
  EXPECT_THAT(shown.out, AllOf(HasSubstr("How many eggs?"), HasSubstr("answered, 75% sure"),
                               HasSubstr("derive")));
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("├─ ✓ n2 3 × 12 = 36"), HasSubstr("└─ ✗ n3 3 × 12 = 37  [75%]"),
                    HasSubstr("refuted by arithmetic: it is 36")));
  EXPECT_EQ(shown.out.find('\x1b'), shown.out.npos);
  const auto json = ParseOrderedJson(Execute({"trace", "show", "last", "--json"}).out, "show");
  ASSERT_TRUE(json);
  EXPECT_EQ(json->at("id"), "01BBBBBBBBBBBBBBBBBBBBBBBB");

  EXPECT_THAT(ErrorLine({"trace", "show", "01"}), HasSubstr("begins the ids of 2 traces"));
  EXPECT_THAT(ErrorLine({"trace", "show", "02"}), HasSubstr("no such trace"));
  EXPECT_THAT(ErrorLine({"trace", "show"}), HasSubstr("which trace?"));
  EXPECT_THAT(ErrorLine({"trace", "shew", "01A"}), HasSubstr("did you mean show?"));
  EXPECT_EQ(Execute({"trace"}).status, kUsage);
  EXPECT_EQ(Execute({"trace", "rm", "01A", "last"}).status, kOk);
  EXPECT_EQ(Execute({"trace", "list"}).out, "");
}

TEST_F(TraceCommandTest, Exports) {
  Write("01AAAAAAAAAAAAAAAAAAAAAAAA", "How many eggs? hunter2");
  EXPECT_THAT(Execute({"trace", "export", "last"}).out, StartsWith("<!doctype html>"));
  EXPECT_THAT(Execute({"trace", "export", "last", "--format", "dot"}).out, StartsWith("digraph"));
  EXPECT_THAT(Execute({"trace", "export", "last", "--format", "mermaid"}).out,
              StartsWith("flowchart"));
  const std::string file = (folder_ / "out.json").string();
  EXPECT_EQ(Execute({"trace", "export", "last", "--format", "json", "-o", file}).out, "");
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  EXPECT_THAT(text.str(), AllOf(HasSubstr("\"schema_version\": 1"), HasSubstr("hunter2")));
  EXPECT_THAT(Execute({"trace", "export", "last", "--redact", "h.nter\\d"}).out,
              AllOf(Not(HasSubstr("hunter2")), HasSubstr("[redacted]")));
  EXPECT_THAT(
      Execute({"trace", "export", "last", "--redact-text", "hunter2", "--format", "json"}).out,
      AllOf(Not(HasSubstr("hunter2")), HasSubstr("[redacted]")));
  EXPECT_THAT(ErrorLine({"trace", "export", "last", "--redact", "("}), HasSubstr("pattern"));
  EXPECT_THAT(ErrorLine({"trace", "export", "last", "-o", "/nowhere/x"}),
              HasSubstr("cannot be written"));
  EXPECT_EQ(Execute({"trace", "export", "last", "--format", "pdf"}).status, kUsage);
}

TEST_F(TraceCommandTest, ADamagedStoreIsMovedAside) {
  std::ofstream(folder_ / "traces.db") << std::string(3000, 'x');
  const Ran list = Execute({"trace", "list"});
  EXPECT_EQ(list.status, kOk);
  EXPECT_THAT(list.err, AllOf(HasSubstr("was damaged"), HasSubstr("traces.db.damaged-")));
  std::ofstream(folder_ / "file") << "x";
  setenv("ERGO_HOME", (folder_ / "file").c_str(), 1);
  EXPECT_THAT(ErrorLine({"trace", "list"}), HasSubstr("ERGO_HOME"));
}

TEST_F(TraceCommandTest, APlainAnswerIsKept) {
  const generate::testing::TinyFolder model;
  const std::vector<std::string> words = {"run", "-m", model.path(), "-c", "64", "Tell a story."};
  const Ran ran = Execute(words);
  EXPECT_EQ(ran.status, kOk) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("nothing in it was checked"));
  const Ran shown = Execute({"trace", "show", "last"});
  EXPECT_THAT(shown.out, AllOf(HasSubstr("Tell a story."), HasSubstr("plain")));
  std::vector<std::string> plain = words;
  plain.insert(plain.begin() + 1, {"--effort", "none"});
  EXPECT_THAT(Execute(plain).err, Not(HasSubstr("trace")));
}

}  // namespace
}  // namespace ergo::cli
