#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/testing/command_line.h"

namespace ergo::cli {
namespace {

using testing::ErrorLine;
using testing::Execute;
using ::testing::HasSubstr;
using testing::Ran;

TEST(EvalCommand, ListsItsFamilies) {
  const Ran ran = Execute({"eval", "list"});
  EXPECT_EQ(ran.status, kOk);
  for (const char* family : {"chains", "gsm8k", "knights-and-knaves", "proofwriter"}) {
    EXPECT_THAT(ran.out, HasSubstr(family));
  }
}

TEST(EvalCommand, RowsHaveTheirDocumentedShape) {
  const std::string kept = ::testing::TempDir() + "ergo_eval_command.jsonl";
  std::filesystem::remove(kept);
  const std::vector<std::string> words = {
      "eval", "knights:2,chains:5", "--strategy", "solver", "-q", "6", "--json", "--resume", kept};
  const Ran ran = Execute(words);
  EXPECT_EQ(ran.status, kOk) << ran.err;
  const auto rows = ParseOrderedJson(ran.out, "output");
  ASSERT_TRUE(rows) << ran.out;
  ASSERT_EQ(rows->size(), 3u);
  for (const OrderedJson& row : *rows) {
    for (const char* key : {"family", "strategy", "accuracy", "accuracy_low", "accuracy_high",
                            "tokens_per_question", "seconds"}) {
      EXPECT_TRUE(row.contains(key)) << key;
    }
  }
  EXPECT_EQ((*rows)[0]["family"], "knights-and-knaves:2");
  EXPECT_EQ((*rows)[2]["family"], "all");
  EXPECT_EQ((*rows)[2]["questions"], 12);
  EXPECT_EQ(Execute(words).out, ran.out);  // all that was kept, its times too
  EXPECT_THAT(
      ErrorLine({"eval", "knights", "--strategy", "solver", "--seed", "1", "--resume", kept}),
      HasSubstr("seed was 0"));
  std::filesystem::remove(kept);
}

TEST(EvalCommand, SaysWhatIsWrong) {
  EXPECT_THAT(ErrorLine({"eval", "gsm9k"}), HasSubstr("no such family"));
  EXPECT_THAT(ErrorLine({"eval", "gsm8k"}), HasSubstr("--data gsm8k=FILE"));
  EXPECT_THAT(ErrorLine({"eval", "chains", "--strategy", "luck"}), HasSubstr("no strategy luck"));
  EXPECT_THAT(ErrorLine({"eval", "chains:0"}), HasSubstr("no such option"));
  EXPECT_THAT(ErrorLine({"eval", "gsm8k,math", "--data", "FILE"}), HasSubstr("--data gsm8k=FILE"));
}

}  // namespace
}  // namespace ergo::cli
