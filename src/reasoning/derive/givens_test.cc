#include "reasoning/derive/givens.h"

#include <gtest/gtest.h>

namespace ergo::reasoning {
namespace {

TEST(Givens, AreFoundOnceEach) {
  EXPECT_EQ(GivensOf("Tom has 3 dozen eggs and sells 5/6 of them at $0.25, 3 a day").size(), 5u);
  EXPECT_EQ(GivensOf("1,250 people, 20% of them twice").size(), 3u);
  EXPECT_EQ(GivensOf("他有3打鸡蛋,卖掉了一半").size(), 3u);
  EXPECT_TRUE(GivensOf("no numbers here; done").empty());
}

TEST(Givens, AreUsedInWhateverForm) {
  const auto givens = GivensOf("A coat of $1,250 is 20% cheaper. Half of that is paid.");
  EXPECT_EQ(MissingGivens(givens, "1250 * 0.8 = 1000; 1000 / 2 = 500"), 0u);
  EXPECT_EQ(MissingGivens(givens, "1250 * 0.8 = 1000"), 1u);
  EXPECT_EQ(MissingGivens(givens, "answer = 7"), 3u);
  EXPECT_EQ(MissingGivens({}, "answer = 7"), 0u);
}

TEST(Givens, CountingWordsAreCounted) {
  EXPECT_EQ(CountsOf("Tom has 3 dozen eggs"), "3 dozen = 36\n");
  EXPECT_EQ(CountsOf("汤姆有3打鸡蛋"), "3打 = 36\n");
  EXPECT_EQ(CountsOf("a dozen of 12 eggs"), "");
}

TEST(Givens, HugeTextsAreBounded) {
  EXPECT_LE(GivensOf(std::string(1 << 20, '7')).size(), 1u);
  std::string many;
  for (int i = 0; i < 5000; ++i) many += std::to_string(i) + " ";
  EXPECT_LE(GivensOf(many).size(), 64u);
}

}  // namespace
}  // namespace ergo::reasoning
