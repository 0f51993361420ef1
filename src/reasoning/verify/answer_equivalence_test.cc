#include "reasoning/verify/answer_equivalence.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace ergo::reasoning {
namespace {

TEST(AnswerEquivalence, SameAnswersInOtherWords) {
  const char* const pairs[][2] = {
      {"1/2", "\\frac{1}{2}"},
      {"0.5", "\\frac12"},
      {"1,234", "1234"},
      {"$28\\%$", "28 percent"},
      {"x = 3", "3"},
      {"\\boxed{3}", "The answer is 3."},
      {"2\\sqrt{3}", "\\sqrt{12}"},
      {"(1, 2)", "\\left( 1, 2 \\right)"},
      {"\\{1, 2\\}", "\\{2, 1\\}"},
      {"1, -2", "-2, 1"},
      {"[0, 1)", "0 \\le x < 1"},
      {"1 \\pm \\sqrt{2}", "1 + \\sqrt{2}, 1 - \\sqrt{2}"},
      {"125\\text{ miles}", "125"},
      {"90^\\circ", "90"},
      {"x \\ge 5", "5 \\le x"},
      {"-x > -1", "x < 1"},
      {"2x + 4y - 3 = 0", "4x + 8y = 6"},
      {"\\text{Evelyn}", "Evelyn"},
      {"\\frac{\\pi}{2}", "\\pi/2"},
      {"2\\frac{1}{2}", "2.5"},
      {"\\$18.00", "18"},
      {"3.5 \\times 10^3", "3500"},
      {"0.0833333", "1/12"},
      {"#### 42", "\\boxed{42}"},
      {"\\begin{pmatrix}1 & 2\\end{pmatrix}", "\\begin{bmatrix} 1 & 2 \\end{bmatrix}"},
      {"(-\\infty, 2] \\cup (3, 4)", "(3, 4) \\cup (-\\infty, 2]"},
  };
  for (const auto& [a, b] : pairs) {
    EXPECT_EQ(Equivalent(a, b), Equivalence::kYes) << a << " | " << b;
    EXPECT_EQ(Equivalent(b, a), Equivalence::kYes) << b << " | " << a;
  }
}

TEST(AnswerEquivalence, OtherAnswersAreNotEqual) {
  const char* const pairs[][2] = {
      {"1/2", "1/3"},
      {"(1, 2)", "(2, 1)"},
      {"[0, 1)", "[0, 1]"},
      {"x > 5", "x < 5"},
      {"0.28", "28"},
      {"4", "4\\sqrt{2}"},
      {"1, 2", "1, 2, 3"},
      {"\\pm 5", "5"},
      {"\\text{odd}", "even"},
      {"x + 1", "x + 2n + 1"},
      {"7 = 11a + c", "11a + c"},
      {"32349", "32, 349"},
      {"\\{1, 2\\}", "\\{1, 3\\}"},
      {"12:00", "1:00"},
  };
  for (const auto& [a, b] : pairs) {
    EXPECT_NE(Equivalent(a, b), Equivalence::kYes) << a << " | " << b;
  }
}

TEST(AnswerEquivalence, TheLastBoxCounts) {
  EXPECT_EQ(ExtractAnswer("We try \\boxed{3}. That fails. So it is \\boxed{\\frac{1}{2}}."),
            "\\frac{1}{2}");
  EXPECT_EQ(ExtractAnswer("They are \\boxed{1} and \\boxed{2}."), "1, 2");
  EXPECT_EQ(ExtractAnswer("Therefore she pays 12 dollars in all for the 3 days."), "3");
  EXPECT_EQ(ExtractAnswer("5 * 3 = 15\n#### 15"), "15");
}

TEST(AnswerEquivalence, HostileAnswersEndInTime) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_NE(Equivalent("9^{9^{9}}", "1"), Equivalence::kYes);
  EXPECT_NE(Equivalent(std::string(100000, '{'), "1"), Equivalence::kYes);
  EXPECT_NE(Equivalent("\\boxed{" + std::string(5000, '('), "1"), Equivalence::kYes);
  EXPECT_NE(Equivalent("\xff\xfe\\frac{", "1"), Equivalence::kYes);
  std::string list = "1";
  for (int i = 0; i < 900; ++i) list += ",x";
  Equivalent(list, list + ",2");
  EXPECT_EQ(Equivalent("", "1"), Equivalence::kUnknown);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

}  // namespace
}  // namespace ergo::reasoning
