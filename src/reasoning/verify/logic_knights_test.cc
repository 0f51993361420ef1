#include "reasoning/verify/logic_knights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "reasoning/verify/logic_check.h"

namespace ergo::reasoning {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string Solve(std::string_view text) {
  const auto answer = SolveKnights(text);
  return answer ? answer->Say() : "?";
}

constexpr const char* kIsland =
    "On an island everybody is either a knight, who always tells the truth, or a knave, who always "
    "lies. ";

TEST(KnightsTest, ClassicPuzzles) {
  EXPECT_EQ(Solve("Ada says: \"At least one of us is a knave.\" Boris says: \"Ada is a knave.\""),
            "Ada: knight, Boris: knave");
  EXPECT_EQ(Solve("A says: B is a knave. B says: A and B are of different kinds."),
            "A: knave, B: knight");
  EXPECT_EQ(Solve(std::string(kIsland) + "Ada says: \"Boris is a knave.\" Boris says: \"Ada and I "
                                         "are both knights.\" Who is what?"),
            "Ada: knight, Boris: knave");
  EXPECT_EQ(Solve("Ada says that at least one of us is a knave. Boris is silent. Boris says Ada is "
                  "a knave."),
            "Ada: knight, Boris: knave");
  EXPECT_EQ(Solve("Zoey remarked, \"Oliver is a knight and Zoey is a knave\". According to Oliver, "
                  "Zoey is a knight."),
            "Zoey: knave, Oliver: knave");
}

TEST(KnightsTest, EveryFormOfSaying) {
  for (const auto& [said, answer] : std::vector<std::pair<std::string, std::string>>{
           {"Exactly one of us is a knight", "Ada: unknown, Boris: knave"},
           {"Neither Ada nor Boris is a knight", "Ada: knave, Boris: knight"},
           {"We are both knaves", "Ada: knave, Boris: knight"},
           {"All of us are knaves", "Ada: knave, Boris: knight"},
           {"None of us is a knight", "Ada: knave, Boris: knight"},
           {"I am a knave or Boris is a knave", "Ada: knight, Boris: knave"},
           {"Either I am a knave or Boris is a knight", "Ada: knight, Boris: knight"},
           {"If I am a knight, then Boris is a knight", "Ada: knight, Boris: knight"},
           {"If I am a knight Boris is a knight", "?"},
           {"I am a knight if and only if Boris is a knight", "Ada: unknown, Boris: knight"},
           {"Boris and I are of the same kind", "Ada: unknown, Boris: knight"},
           {"Boris and I are of different kinds", "Ada: unknown, Boris: knave"},
           {"It is not the case that Boris is a liar", "Ada: unknown, Boris: unknown"},
           {"Boris would say that I am a knave", "Ada: unknown, Boris: knave"},
           {"Boris sings well", "?"}}) {
    EXPECT_EQ(Solve("You meet two inhabitants: Ada and Boris. Ada says: \"" + said + ".\""), answer)
        << said;
  }
}

TEST(KnightsTest, GapsContradictionsAndAmbiguityAreNotExact) {
  const auto paradox = SolveKnights("Ada says: \"I am a knave.\" Boris says: \"Ada is a knight.\"");
  ASSERT_TRUE(paradox);
  EXPECT_EQ(paradox->solutions, 0U);
  EXPECT_FALSE(paradox->exact);
  EXPECT_THAT(paradox->conflict, SizeIs(1));
  const auto gap = SolveKnights("Ada says: \"Boris is a knave.\" Boris says: \"My hat is green.\"");
  ASSERT_TRUE(gap);
  EXPECT_FALSE(gap->exact);
  EXPECT_THAT(gap->unparsed, SizeIs(1));
  const auto fine =
      SolveKnights("Ada says: \"Boris is a knave.\" Boris says: \"Ada and I are both knights.\"");
  ASSERT_TRUE(fine);
  EXPECT_TRUE(fine->exact);
  EXPECT_THAT(fine->steps, SizeIs(2));
  // Whoever keeps silent is one of "us", if he is there at all.
  const auto silent = SolveKnights("Boris is silent. Ada says: \"Exactly one of us is a knight.\"");
  ASSERT_TRUE(silent);
  EXPECT_FALSE(silent->exact);
  EXPECT_FALSE(SolveKnights(""));
  EXPECT_FALSE(SolveKnights("Tom says hello and buys three dozen eggs."));
}

TEST(KnightsTest, CountsInDigitsAndWords) {
  // Of Ada, Boris and Clara; Boris and Clara say nothing that is settled otherwise.
  const auto solve = [](const std::string& said) {
    const auto answer = SolveKnights(
        "Boris says: \"Clara is a knight.\" Clara says: \"Ada is a knave.\" Ada says: \"" + said +
        ".\"");
    return answer ? std::to_string(answer->exact) + " " + answer->Say() : "?";
  };
  const std::string both = "1 Boris: knight, Clara: knight, Ada: knave";
  const std::string ada = "1 Boris: knave, Clara: knave, Ada: knight";
  for (const char* said :
       {"Exactly 3 of us are knights", "Exactly three of us are knights",
        "Exactly 0 of us are knights", "None of us are knights", "At least 3 of us are knights",
        "More than 2 of us are knights", "All 3 of us are knights", "Fewer than 1 of us are knaves",
        "Every one of us is a knight", "Exactly 4 of us are knights",
        "There are no knaves among us", "Fewer than 0 of us are knights"}) {
    EXPECT_EQ(solve(said), both) << said;
  }
  EXPECT_EQ(solve("At least 1 of us is a knight"), ada);
  EXPECT_EQ(solve("No more than 3 of us are knights"), ada);
  EXPECT_EQ(solve("I'm a knight").substr(0, 1), "1");
  for (const char* said : {"2 of us are knights", "About 2 of us are knights", "Ada's a knight",
                           "Boris is a knave. Clara is a knight", "50% of us are knights"}) {
    EXPECT_NE(solve(said).substr(0, 1), "1") << said;
  }
}

TEST(KnightsTest, WhatIsSaidOutsideTheFormsIsNotExact) {
  const std::string said = "Ada says: \"Boris is a knave.\" Boris says: \"We are both knaves.\" ";
  EXPECT_TRUE(SolveKnights(kIsland + said + "Who is a knight?")->exact);
  for (const char* more : {"\"Ada is a knave\", Boris says softly.", "Clara is a knight.",
                           "Exactly one of them is a knight.", "Spies may say either."}) {
    EXPECT_FALSE(SolveKnights(said + more)->exact) << more;
  }
}

TEST(KnightsTest, StepsAreChecked) {
  const std::string question = std::string(kIsland) +
                               "Ada says: \"Boris is a knave.\" Boris says: \"Ada and I are both "
                               "knights.\" Who is a knight and who is a knave?";
  const auto verdicts = [&](std::string_view text) {
    std::vector<Verdict> found;
    for (const Finding& finding : LogicCheck().Run({.question = question, .text = text}))
      found.push_back(finding.verdict);
    return found;
  };
  EXPECT_THAT(verdicts("So Ada is a knight. Boris is a knight."),
              ElementsAre(Verdict::kVerified, Verdict::kRefuted));
  EXPECT_THAT(verdicts("Ada: knight, Boris: knave"),
              ElementsAre(Verdict::kVerified, Verdict::kVerified));
  EXPECT_THAT(verdicts("Exactly one of them sings."), IsEmpty());
  const auto assumed =
      LogicCheck().Run({.question = question, .text = "Suppose the opposite. Boris is a knight."});
  ASSERT_THAT(assumed, SizeIs(1));
  EXPECT_FALSE(assumed[0].exact);
}

}  // namespace
}  // namespace ergo::reasoning
