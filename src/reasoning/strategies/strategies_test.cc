#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <random>
#include <string>

#include "base/utf8.h"
#include "generate/constrain/compile.h"
#include "reasoning/sandbox/sandbox.h"
#include "reasoning/strategies/strategy.h"
#include "reasoning/testing/scripted_model.h"

namespace ergo::reasoning {
namespace {

using testing::ScriptedModel;
using testing::ScriptedPlace;

Question Ask(std::string text) {
  Question question;
  question.text = std::move(text);
  return question;
}

SolveSettings Within(std::size_t tokens) {
  SolveSettings settings;
  settings.limits.tokens = tokens;
  return settings;
}

constexpr const char* kStory = "Ann has 4 boxes with 6 pens each. How many pens has she?";

TEST(Strategies, DirectTakesTheOneDerivation) {
  ScriptedModel model([](const ScriptedPlace&) { return "4 * 6 = 24\n#### 24"; });
  const auto answer = Solve(model, "direct", Ask(kStory), Within(200));
  ASSERT_TRUE(answer) << answer.error().Message();
  EXPECT_EQ(answer->value, "24");
  EXPECT_EQ(answer->trace.status, "answered");
  ASSERT_FALSE(answer->trace.nodes.empty());
  EXPECT_EQ(answer->trace.nodes.front().kind, NodeKind::kQuestion);
}

TEST(Strategies, ChecksMarkTheStepsThatTheyRefute) {
  ScriptedModel model([](const ScriptedPlace&) { return "4 * 6 = 26\nso it is 26\n#### 26"; });
  const auto answer = Solve(model, "direct", Ask(kStory), Within(200));
  ASSERT_TRUE(answer);
  bool refuted = false;
  for (const TraceNode& node : answer->trace.nodes) {
    for (const NodeVerification& one : node.verification) {
      if (one.status != Verdict::kRefuted) continue;
      refuted = true;
      EXPECT_TRUE(one.exact);
      EXPECT_EQ(one.value, "24");
      EXPECT_EQ(node.text, "4 * 6 = 26");
    }
  }
  EXPECT_TRUE(refuted);
}

TEST(Strategies, TokensOfATraceAreWholeCharacters) {
  ScriptedModel model([](const ScriptedPlace&) { return "四箱共 24 支\n#### 24"; });
  const auto answer = Solve(model, "direct", Ask(kStory), Within(200));
  ASSERT_TRUE(answer);
  std::size_t tokens = 0;
  for (const TraceNode& node : answer->trace.nodes) {
    for (const TraceToken& token : node.tokens) {
      EXPECT_FALSE(FindInvalidUtf8(token.text)) << token.text;
      ++tokens;
    }
  }
  EXPECT_GT(tokens, 10u);
}

TEST(Strategies, MajorityCountsVotes) {
  ScriptedModel model([](const ScriptedPlace& place) {
    return place.seed % 4 == 0 ? "#### 25" : "4 * 6 = 24\n#### 24";
  });
  const auto answer = Solve(model, "majority", Ask(kStory), Within(4096));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->value, "24");
  EXPECT_GT(*answer->confidence, 0.5);
}

TEST(Strategies, ExactValuesReplaceTheModelsOwn) {
  // It says a wrong result after each "=", unless the result is there already.
  ScriptedModel model([](const ScriptedPlace& place) -> std::string {
    if (place.answer.find("= 24") != std::string_view::npos) return "\n#### 24";
    if (place.answer.find('=') != std::string_view::npos) return " 99\n#### 99";
    return "4 * 6 = 99\n#### 99";
  });
  const auto answer =
      Solve(model, "decompose", Ask("How many are 4 times 6 pens for Ann?"), Within(2000));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->value, "24");
}

TEST(Strategies, ProgramsAreRun) {
  if (!SandboxAvailable()) GTEST_SKIP() << SandboxAvailable().error().Message();
  ScriptedModel model([](const ScriptedPlace&) { return "\nanswer = 4 * 6\n```"; });
  const auto answer = Solve(model, "program", Ask(kStory), Within(400));
  ASSERT_TRUE(answer) << answer.error().Message();
  EXPECT_EQ(answer->value, "24");
}

TEST(Strategies, WhatParsesToTheLastWordIsSolvedExactly) {
  ScriptedModel model([](const ScriptedPlace&) { return "no idea"; });
  const auto plain = Solve(model, "auto",
                           Ask("Start with 5. Add 3. Multiply by 4. Subtract 2. "
                               "Divide by 3. What is the result?"),
                           Within(100));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->value, "10");
  EXPECT_TRUE(plain->verified);
  EXPECT_EQ(plain->trace.budget.tokens, 0u);
  const auto system =
      Solve(model, "auto", Ask("Solve for x, y:\n2x + y = 7\nx - y = -1"), Within(100));
  ASSERT_TRUE(system);
  EXPECT_EQ(system->value, "x = 2, y = 3");
  const auto game =
      Solve(model, "auto", Ask("Make 24 from the numbers 3, 3, 8, 8. Answer with one expression."),
            Within(100));
  ASSERT_TRUE(game);
  EXPECT_TRUE(game->verified) << game->text;
  Question theory;
  theory.context = "Every wumpus is a rompus. Every rompus is not blue. Max is a wumpus.";
  theory.text = "Is the following statement true or false? Max is blue.";
  theory.options = {"True", "False"};
  const auto deduction = Solve(model, "auto", theory, Within(100));
  ASSERT_TRUE(deduction);
  EXPECT_EQ(deduction->value, "False");
  EXPECT_TRUE(deduction->verified);
}

TEST(Strategies, WhatTheParserDoesNotReadIsRestatedByTheModel) {
  Question theory;
  theory.context =
      "Anne is kind. Bob is rough. Those who tend towards kindness, being kind, come out green "
      "all over. Every green thing is cold.";
  theory.text = "Is the following statement true or false? Anne is cold.";
  theory.options = {"True", "False"};
  const auto solve = [&](const std::string& said) {
    ScriptedModel model([&](const ScriptedPlace& place) {
      if (place.prompt.find("Say it plainly") != std::string_view::npos) {
        const auto grammar = generate::constrain::CompileGbnf(place.grammar, "grammar");
        EXPECT_TRUE(grammar) << grammar.error().Message();
      }
      return said;
    });
    return Solve(model, "auto", theory, Within(3000));
  };
  const auto answer = solve("If someone is kind then they are green.");
  ASSERT_TRUE(answer) << answer.error().Message();
  EXPECT_EQ(answer->value, "True");
  EXPECT_FALSE(answer->verified);
  bool restated = false;
  for (const TraceNode& node : answer->trace.nodes) {
    for (const NodeVerification& one : node.verification) {
      EXPECT_FALSE(one.exact);
      restated =
          restated || one.detail.find("as the model restates \"Those who") != std::string::npos;
    }
  }
  EXPECT_TRUE(restated);
  // What the parser cannot read either is not taken, and what is not derived is not false then.
  const auto other = solve("Kindness is what it is, and so on and so forth");
  ASSERT_TRUE(other);
  EXPECT_FALSE(other->verified);
  EXPECT_NE(other->value, "False");
}

/// A model that plans when it is asked to, and answers goals as told.
ScriptedModel Planner(const std::function<std::string(std::string_view goal)>& leaf) {
  return ScriptedModel([leaf](const ScriptedPlace& place) -> std::string {
    const std::size_t goal = place.prompt.rfind("Answer only this: ");
    if (goal != std::string_view::npos) return leaf(place.prompt.substr(goal));
    const std::size_t asked = place.prompt.rfind("Question: ");
    if (asked == std::string_view::npos) return "#### 0";
    return place.prompt.find("How many pens are in boxes?", asked) != std::string_view::npos
               ? "1. How many pens are in a box? [-]\n2. How many are in all 4? [1]\n"
               : "1. How many pens are in boxes? [-]\n2. How many pens has she? [1]\n";
  });
}

constexpr const char* kPens =
    "Ann has 4 boxes with half a dozen pens each and lends out 7 pens. How many pens has she?";

TEST(Strategies, AGoalIsDrawnUntilOneValueIsAhead) {
  std::size_t draws = 0;
  ScriptedModel model = Planner([&](std::string_view goal) -> std::string {
    if (goal.find("in boxes") == std::string_view::npos) return "24 - 7 = 17\n#### 17";
    return ++draws == 2 ? "4 * 5 = 20\n#### 20" : "4 * 6 = 24\n#### 24";
  });
  const auto answer = Solve(model, "decompose", Ask(kPens), Within(4000));
  ASSERT_TRUE(answer) << answer.error().Message();
  EXPECT_EQ(answer->value, "17");
  EXPECT_EQ(draws, 4u);
}

TEST(Strategies, SamplesOfAGoalWithARefutedStepAreThrownAway) {
  std::size_t draws = 0;
  ScriptedModel model = Planner([&](std::string_view goal) -> std::string {
    if (goal.find("in boxes") == std::string_view::npos) return "24 - 7 = 17\n#### 17";
    return ++draws <= 2 ? "4 * 6 = 25\n#### 25" : "4 * 6 = 24\n#### 24";
  });
  const auto answer = Solve(model, "decompose", Ask(kPens), Within(4000));
  ASSERT_TRUE(answer) << answer.error().Message();
  EXPECT_EQ(answer->value, "17");
}

TEST(Strategies, AGoalThatNoCheckSettlesIsSplit) {
  ScriptedModel model = Planner([](std::string_view goal) -> std::string {
    if (goal.find("in boxes") != std::string_view::npos) return "#### 23";
    if (goal.find("in a box") != std::string_view::npos) return "12 / 2 = 6\n#### 6";
    if (goal.find("in all 4") != std::string_view::npos) return "4 * 6 = 24\n#### 24";
    return "24 - 7 = 17\n#### 17";
  });
  const auto answer = Solve(model, "decompose", Ask(kPens), Within(9000));
  ASSERT_TRUE(answer) << answer.error().Message();
  EXPECT_EQ(answer->value, "17");
  const TraceNode* inner = nullptr;
  for (const TraceNode& node : answer->trace.nodes) {
    if (node.kind == NodeKind::kSubgoal && node.text == "How many are in all 4?") inner = &node;
  }
  ASSERT_NE(inner, nullptr);
  EXPECT_EQ(inner->value, "24");
  EXPECT_EQ(inner->search.depth, 2);
  const TraceNode* const whole = answer->trace.Find(inner->search.parent);
  ASSERT_NE(whole, nullptr);
  EXPECT_EQ(whole->text, "How many pens are in boxes?");
  EXPECT_EQ(whole->value, "24");
}

TEST(Strategies, RunningQuantitiesAreSettledSentenceBySentence) {
  ScriptedModel model([](const ScriptedPlace& place) -> std::string {
    const std::string_view last = place.prompt.substr(place.prompt.rfind("Ben"));
    const bool direction = last.find("more or fewer") != std::string_view::npos;
    if (last.find("finds 7") != std::string_view::npos) return direction ? "more" : "+ 7";
    if (last.find("loses 4") != std::string_view::npos) return direction ? "fewer" : "- 4";
    return direction ? "more" : "* 3";
  });
  const auto answer = Solve(model, "decompose",
                            Ask("Ben has 10 coins. Ben finds 7 coins. Ben loses 4 coins. Ben gets "
                                "3 times as many. How many coins has Ben?"),
                            Within(2000));
  ASSERT_TRUE(answer) << answer.error().Message();
  EXPECT_EQ(answer->value, "39");
}

TEST(Strategies, BadQuestionsAndNamesAreErrors) {
  ScriptedModel model([](const ScriptedPlace&) { return "x"; });
  EXPECT_THAT(Solve(model, "none", Ask("x?")).error().Message(),
              ::testing::HasSubstr("no strategy 'none'"));
  EXPECT_FALSE(Solve(model, "auto", Ask("  \n")));
  EXPECT_FALSE(Solve(model, "auto", Ask("caf\xE9?")));
  EXPECT_FALSE(Solve(model, "auto", Ask(std::string(3 << 20, 'a'))));
}

TEST(Strategies, CancellationComesBackWithWhatThereIs) {
  ScriptedModel model([](const ScriptedPlace&) { return "#### 3"; });
  for (const Strategy* strategy : Strategies()) {
    SolveSettings settings = Within(500);
    settings.cancelled = [] { return true; };
    const auto answer = Solve(model, strategy->name, Ask(kStory), settings);
    ASSERT_TRUE(answer) << strategy->name << ": " << answer.error().Message();
    EXPECT_FALSE(answer->text.empty());
    EXPECT_EQ(answer->trace.status, "cancelled");
  }
}

/// Garbage of all kinds: what a broken or hostile model may say.
std::string Garbage(std::mt19937_64& random) {
  static const char* kParts[] = {"",
                                 "\n\n\n",
                                 "####",
                                 "#### ",
                                 "= = =",
                                 "```",
                                 "```python\n",
                                 "\\boxed{",
                                 "}}}}",
                                 "9**9**9 =",
                                 "1/0 = 5",
                                 "import os\nos.fork()",
                                 "answer = ",
                                 "\xF0\x9F",
                                 "=",
                                 "4 * 6 = 24",
                                 "#### -7",
                                 "yes",
                                 "True",
                                 "1. a [-]\n2. b [3]\n",
                                 "while True: pass\n",
                                 "\\frac{1}{0}"};
  std::string text;
  const std::size_t count = random() % 6;
  for (std::size_t i = 0; i < count; ++i) text += kParts[random() % std::size(kParts)];
  if (random() % 20 == 0) text += std::string(5000, 'x');
  return text;
}

TEST(Strategies, HostileModelsNeverBreakABudgetOrLeaveNothing) {
  const char* wanted = std::getenv("ERGO_HOSTILE_RUNS");
  const int runs = wanted != nullptr ? std::atoi(wanted) : 150;
  const std::vector<Question> questions = {
      Ask(kStory),
      Ask("What is 9**9**9?"),
      Ask("Hello"),
      Ask("def f(x):\n    \"\"\"\n    >>> f(1)\n    2\n    \"\"\""),
      Ask("Ben has 10 coins. Ben finds 7. Ben loses 4. Ben gets 3. How many coins has Ben?"),
      Ask("一共有多少个 3 + 4?")};
  for (int run = 0; run < runs; ++run) {
    const auto seed = static_cast<std::uint64_t>(run);
    ScriptedModel model([](const ScriptedPlace& place) {
      std::mt19937_64 random(place.seed ^ place.answer.size());
      return Garbage(random);
    });
    std::mt19937_64 random(seed);
    const Strategy& strategy = *Strategies()[random() % Strategies().size()];
    // Programs are tested elsewhere; a thousand sandboxes take minutes.
    if (strategy.name == "program" && run % 10 != 0) continue;
    const std::size_t budget = 1 + random() % 400;
    SolveSettings settings = Within(budget);
    settings.seed = seed;
    const auto answer =
        Solve(model, strategy.name, questions[random() % questions.size()], settings);
    ASSERT_TRUE(answer) << strategy.name << ": " << answer.error().Message();
    EXPECT_FALSE(answer->text.empty()) << strategy.name;
    EXPECT_LE(model.tokens(), budget) << strategy.name;
    EXPECT_EQ(answer->trace.budget.tokens, model.tokens()) << strategy.name;
    EXPECT_NE(answer->trace.status, "running");
  }
}

}  // namespace
}  // namespace ergo::reasoning
