#include "reasoning/derive/counterfactual.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "reasoning/strategies/strategy.h"
#include "reasoning/testing/scripted_model.h"

namespace ergo::reasoning {
namespace {

constexpr const char* kEggs =
    "Tom has 3 boxes of 12 eggs and sells 5/6 of them at $0.25 each. How much does he earn?";

/// 'r', 'd' or '?' for each step.
std::string Letters(std::string_view question, std::string_view derivation,
                    std::string_view final_value) {
  std::string letters;
  for (const StepRole& role : RolesOf(question, derivation, final_value)) {
    letters += role.role == Role::kReal ? 'r' : role.role == Role::kDecorative ? 'd' : '?';
  }
  return letters;
}

TEST(Counterfactual, PredictsTheAnswerByRecomputation) {
  const auto roles =
      RolesOf(kEggs, "3 * 12 = 36 eggs\n36 * 5/6 = 30\n30 * $0.25 = $7.50\n#### 7.50", "7.5");
  ASSERT_EQ(roles.size(), 4u);
  EXPECT_EQ(roles[0].role, Role::kReal);
  EXPECT_EQ(roles[0].value, "36");
  EXPECT_EQ(roles[0].changed_to, "37");
  EXPECT_EQ(roles[0].predicted, "185/24");  // 37 * 5/6 / 4
  EXPECT_EQ(roles[1].predicted, "7.75");
  EXPECT_EQ(roles[2].predicted, "8.5");
  EXPECT_EQ(roles[3].role, Role::kUnknown);
}

TEST(Counterfactual, StepsWithoutUseAreDecorative) {
  EXPECT_EQ(Letters(kEggs, "3 * 12 = 36\n12 + 3 = 15\n36 * 5/6 = 30\n30 * 0.25 = 7.5", "7.5"),
            "rdrr");
  // Used, but only by what is not used itself.
  EXPECT_EQ(
      Letters(kEggs, "3 * 12 = 36\n12 + 3 = 15\n15 * 2 = 30.0\n36 * 5/6 = 31\n31*2 = 62", "62"),
      "rddrr");
  // Used, but times nothing.
  EXPECT_EQ(Letters("", "8 + 9 = 17\n17 * 0 = 0\n0 + 5 = 5", "5"), "drr");
}

TEST(Counterfactual, GivenNumbersComeBeforeEqualResults) {
  constexpr const char* kQuestion = "Ann has 15 pens and 4 cups. She gets 12 pens and 3 more.";
  EXPECT_EQ(Letters(kQuestion, "12 + 3 = 15\n15 + 4 = 19", "19"), "dr");
  // The question says 15 once; the second one is the result.
  EXPECT_EQ(Letters(kQuestion, "15 + 4 = 19\n12 + 3 = 15\n19 + 15 = 34", "34"), "rrr");
}

TEST(Counterfactual, EqualResultsLeaveTheFewestStepsWithoutUse) {
  EXPECT_EQ(Letters("", "2 * 3 = 6\n6 + 14 = 20\n4 * 5 = 20\n20 + 1 = 21", "21"), "rrdr");
}

TEST(Counterfactual, ReadsChainsRestatementsPercentAndMinus) {
  EXPECT_EQ(Letters("", "36 * 5/6 = 180/6 = 30\n30 + 1 = 31", "31"), "rr");
  EXPECT_EQ(Letters("", "2 + 3 = 5\n5 * 4 = 20\nAgain: 2 + 3 = 5\nSo 5 * 4 = 20.", "20"), "rrrr");
  EXPECT_EQ(Letters("", "15/60 = 25%\n25% of 80 = 20", "20"), "rr");
  const auto roles = RolesOf("", "3 - 8 = -5\n12 - 5 = 7", "7");
  EXPECT_EQ(roles[0].predicted, "8");
}

TEST(Counterfactual, SaysNothingOfWhatItDoesNotUnderstand) {
  EXPECT_EQ(Letters(kEggs, "He sells them.\n3 * 12 = 36", "seven"), "??");
  EXPECT_EQ(Letters(kEggs, "3 * 12 = 36\n36 * 2 = 72", "99"), "??");
  EXPECT_EQ(Letters(kEggs, "", "7.5"), "");
  // 36 goes into a formula that is not understood.
  EXPECT_EQ(Letters("", "3 * 12 = 36\nx = 36 + 2y\n4 + 5 = 9\n", "9"), "??r");
}

TEST(Counterfactual, HostileTextEndsInTime) {
  std::string text;
  for (int i = 0; i < 4000; ++i) text += "9**9**9 = 1/0 = ((((( 2 + 2 = 4\n";
  EXPECT_EQ(RolesOf(text, text, "4").size(), 4000u);
  std::string chain = "1 + 1 = 2\n";
  for (int i = 2; i < 400; ++i)
    chain += std::to_string(i) + " + 1 = " + std::to_string(i + 1) + "\n";
  EXPECT_EQ(RolesOf("", chain, "50")[0].role, Role::kReal);
}

TEST(Counterfactual, EveryDecorativeStepLowersConfidence) {
  std::vector<StepRole> roles(3);
  EXPECT_DOUBLE_EQ(ConfidenceFactor(roles), 1.0);
  roles[0].role = roles[1].role = Role::kDecorative;
  EXPECT_NEAR(ConfidenceFactor(roles), 0.81, 1e-9);
  roles.assign(40, roles[0]);
  EXPECT_DOUBLE_EQ(ConfidenceFactor(roles), 0.5);
}

TEST(Counterfactual, ProgressiveShowsItInTheTrace) {
  const auto solve = [](const std::string& said) {
    // Goes on from where it was stopped.
    testing::ScriptedModel model([&](const testing::ScriptedPlace& place) {
      return said.starts_with(place.answer) ? said.substr(place.answer.size()) : said;
    });
    Question question;
    question.text = "Ann has 4 boxes with 6 pens each and 7 cups. How many pens has she?";
    SolveSettings settings;
    settings.limits.tokens = 4000;
    return Solve(model, "progressive", question, settings);
  };
  const auto answer = solve("4 + 7 = 11\n4 * 6 = 24\n#### 24");
  ASSERT_TRUE(answer) << answer.error().Message();
  ASSERT_EQ(answer->value, "24");
  std::size_t contradicted = 0;
  std::size_t supported = 0;
  for (const TraceEdge& edge : answer->trace.edges) {
    const TraceNode* const from = answer->trace.Find(edge.from);
    const TraceNode* const to = answer->trace.Find(edge.to);
    ASSERT_TRUE(from != nullptr && to != nullptr);
    if (from->kind != NodeKind::kCounterfactual) continue;
    EXPECT_EQ(to->kind, NodeKind::kStep);
    for (const NodeVerification& one : from->verification) EXPECT_FALSE(one.exact);
    if (edge.type == EdgeType::kContradicts) {
      ++contradicted;
      EXPECT_EQ(to->text, "4 + 7 = 11");
      EXPECT_EQ(from->value, "24");
    } else {
      ++supported;
      EXPECT_EQ(edge.type, EdgeType::kSupports);
      EXPECT_EQ(to->text, "4 * 6 = 24");
      EXPECT_EQ(from->value, "25");
    }
  }
  EXPECT_GE(contradicted, 1u);
  EXPECT_EQ(contradicted, supported);
}

TEST(Counterfactual, TheModelIsAskedWhatCannotBeRecomputed) {
  const std::string said = "There are 7 cups on the shelf.\nSo she has 24 pens.\n#### 24";
  testing::ScriptedModel model([&](const testing::ScriptedPlace& place) -> std::string {
    if (said.starts_with(place.answer)) return said.substr(place.answer.size());
    const bool other = place.answer.find("has 25 pens") != std::string_view::npos;
    return other ? "#### 25" : "So she has 24 pens.\n#### 24";
  });
  Question question;
  question.text = "Ann has 4 boxes with 6 pens each and 7 cups. How many pens has she?";
  SolveSettings settings;
  settings.limits.tokens = 4000;
  const auto answer = Solve(model, "progressive", question, settings);
  ASSERT_TRUE(answer) << answer.error().Message();
  ASSERT_EQ(answer->value, "24");
  std::map<std::string, std::string> changed;  // what each step's change gives
  for (const TraceEdge& edge : answer->trace.edges) {
    const TraceNode* const from = answer->trace.Find(edge.from);
    if (from == nullptr || from->kind != NodeKind::kCounterfactual) continue;
    const TraceNode* const to = answer->trace.Find(edge.to);
    ASSERT_NE(to, nullptr);
    changed[to->text] = from->value;
    const bool real = edge.type == EdgeType::kSupports;
    EXPECT_EQ(real, from->value != "24") << to->text;
    ASSERT_FALSE(from->verification.empty());
    EXPECT_EQ(from->verification[0].semantics, "what the model draws from the step on");
  }
  EXPECT_EQ(changed["There are 7 cups on the shelf."], "24");
  EXPECT_EQ(changed["So she has 24 pens."], "25");
}

}  // namespace
}  // namespace ergo::reasoning
