#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "cli/testing/command_line.h"
#include "generate/testing/tiny_model.h"

namespace ergo::cli {
namespace {

using testing::Execute;
using ::testing::HasSubstr;
using testing::Ran;

TEST(Bench, PrintsARowForEachTest) {
  const generate::testing::TinyFolder folder;
  const Ran ran = Execute({"bench", "-m", folder.path(), "-p", "8,16", "-n", "4", "-b", "1,2", "-t",
                           "1", "-r", "3", "--json"});
  ASSERT_EQ(ran.status, kOk) << ran.err;
  const auto rows = ParseJson(ran.out, "output");
  ASSERT_TRUE(rows) << ran.out;
  ASSERT_TRUE(rows->is_array());
  std::vector<std::string> names;
  for (const Json& row : *rows) {
    const auto name = row["test"].get<std::string>();
    names.push_back(name + " x " + std::to_string(row["batch"].get<int>()));
    EXPECT_EQ(row["shared_prefix"], 0);
    EXPECT_EQ(row["threads"], 1);
    EXPECT_EQ(row["repetitions"], 3);
    EXPECT_TRUE(row["cpu"].is_array());
    const Json& rate = row["tokens_per_second"];
    EXPECT_EQ(rate.size(), 3u);
    EXPECT_GT(rate["min"].get<double>(), 0.0);
    EXPECT_LE(rate["min"].get<double>(), rate["median"].get<double>());
    EXPECT_LE(rate["median"].get<double>(), rate["max"].get<double>());
    EXPECT_GT(row["rss_bytes"].get<std::int64_t>(), 1 << 20);
    EXPECT_GT(row["read_bandwidth_bytes_per_second"].get<double>(), 0.0);
    // Prompts are bound by arithmetic: the wall is decode's.
    EXPECT_EQ(row["memory_wall_tokens_per_second"].is_number(), name.starts_with("tg"));
    EXPECT_EQ(row["int8_peak_share"].is_number(), name.starts_with("pp"));
  }
  EXPECT_THAT(names, ::testing::ElementsAre("pp8 x 1", "pp16 x 1", "tg4 x 1", "pp8 x 2", "pp16 x 2",
                                            "tg4 x 2"));
}

TEST(Bench, SequencesCanShareAPrefix) {
  const generate::testing::TinyFolder folder;
  const Ran ran = Execute({"bench", "-m", folder.path(), "-p", "8", "-n", "4", "-b", "3", "-r", "1",
                           "--shared-prefix", "70", "--json"});
  ASSERT_EQ(ran.status, kOk) << ran.err;
  const auto rows = ParseJson(ran.out, "output");
  ASSERT_TRUE(rows) << ran.out;
  EXPECT_EQ((*rows)[0]["shared_prefix"], 0);  // a prompt
  EXPECT_EQ((*rows)[1]["shared_prefix"], 70);
}

TEST(Bench, PrintsATable) {
  const generate::testing::TinyFolder folder;
  EXPECT_EQ(Execute({"bench", "-m", folder.path(), "-p", "0", "-n", "0"}).status, kError);
  const Ran ran = Execute({"bench", "-m", folder.path(), "-p", "0", "-n", "4", "-r", "1"});
  ASSERT_EQ(ran.status, kOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("\ntg4 "));
  EXPECT_THAT(ran.out, ::testing::Not(HasSubstr("\npp")));
  EXPECT_THAT(ran.out, HasSubstr("of wall"));
}

}  // namespace
}  // namespace ergo::cli
