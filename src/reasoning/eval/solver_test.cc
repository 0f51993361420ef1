#include "reasoning/eval/solver.h"

#include <gtest/gtest.h>

#include <string>

#include "reasoning/eval/family.h"

namespace ergo::reasoning::eval {
namespace {

struct Score {
  int right = 0;
  int wrong = 0;
  int none = 0;
};

Score Solved(const std::string& written, std::size_t count) {
  Score score;
  const auto choice = ParseFamily(written);
  EXPECT_TRUE(choice);
  Selection selection;
  selection.options = choice->options;
  selection.count = count;
  const auto items = choice->family->load(selection);
  EXPECT_TRUE(items);
  for (const Item& item : *items) {
    const Judgement judged =
        item.judge(SolveWithoutModel(item.question).value_or(Answer())).value();
    ++(judged == Judgement::kRight  ? score.right
       : judged == Judgement::kNone ? score.none
                                    : score.wrong);
  }
  return score;
}

TEST(Solver, AnswersControlledDeductions) {
  const Score score = Solved("deduction:controlled", 80);
  EXPECT_EQ(score.wrong, 0);
  EXPECT_GE(score.right, 76);
}

TEST(Solver, IsNeverWrongOnParaphrases) {
  EXPECT_EQ(Solved("deduction:3:5:paraphrased", 40).wrong, 0);
}

TEST(Solver, LeavesOtherQuestionsAlone) {
  EXPECT_EQ(Solved("chains:story", 10).wrong, 0);
  EXPECT_FALSE(SolveWithoutModel({.text = "Why is the sky blue?"}));
}

}  // namespace
}  // namespace ergo::reasoning::eval
