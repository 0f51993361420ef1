#include "cli/suggest.h"

#include <gtest/gtest.h>

namespace ergo::cli {
namespace {

TEST(EditDistance, CountsEdits) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("--tmep", "--temp"), 1u);
  EXPECT_EQ(EditDistance("ab", "ba"), 1u);
}

TEST(Nearest, FindsSlipsOnly) {
  const std::vector<std::string> words = {"bench", "chat", "pull", "run", "show"};
  EXPECT_EQ(Nearest("rnu", words), "run");
  EXPECT_EQ(Nearest("shwo", words), "show");
  EXPECT_EQ(Nearest("ben", words), "bench");
  EXPECT_EQ(Nearest("translate", words), std::nullopt);
  EXPECT_EQ(Nearest("", words), std::nullopt);
  EXPECT_EQ(Nearest(std::string(100000, 'x'), words), std::nullopt);
}

}  // namespace
}  // namespace ergo::cli
