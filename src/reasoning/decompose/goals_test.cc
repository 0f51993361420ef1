#include "reasoning/decompose/goals.h"

#include <gtest/gtest.h>

namespace ergo::reasoning {
namespace {

TEST(Goals, AreReadInOrder) {
  const auto goals = ParseGoals(
      "1. How many pens? [-]\n2. How many books? [1]\n3. What do pens cost? [1]\n"
      "4. What does she pay? [2,3]\n\n");
  ASSERT_TRUE(goals);
  ASSERT_EQ(goals->size(), 4u);
  EXPECT_EQ((*goals)[3].text, "What does she pay?");
  EXPECT_EQ((*goals)[3].needs, (std::vector<std::size_t>{1, 2}));
  using Groups = std::vector<std::vector<std::size_t>>;
  EXPECT_EQ(InOrder(*goals), (Groups{{0}, {1, 2}, {3}}));
}

TEST(Goals, OfAnotherFormAreThrownAway) {
  for (const char* text : {"", "How many?", "1. How many? [1]", "1. How many? [2]\n2. Why? [-]",
                           "2. How many? [-]", "1. How many? [-]\n1. Why? [-]", "1. How many?",
                           "1. How many? [-]\n2. How many? [1]", "1. [-]", "1. How many? [a]"}) {
    EXPECT_FALSE(ParseGoals(text)) << text;
  }
}

}  // namespace
}  // namespace ergo::reasoning
