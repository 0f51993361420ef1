#include <gtest/gtest.h>

#include <string>

#include "reasoning/derive/derivation.h"
#include "reasoning/testing/scripted_model.h"

namespace ergo::reasoning {
namespace {

using testing::ScriptedModel;
using testing::ScriptedPlace;

/// One answer in the making, by a model that follows a script.
class ChainsTest : public ::testing::Test {
 protected:
  Work& Begin(testing::Script script, std::size_t tokens, std::size_t calls = Limits::kNoLimit) {
    question_.text = "Ann has 4 boxes with 6 pens each. How many pens has she?";
    settings_.limits.tokens = tokens;
    settings_.limits.calls = calls;
    model_ = std::make_unique<ScriptedModel>(std::move(script));
    budget_ = std::make_unique<Budget>(settings_.limits);
    work_ = std::make_unique<Work>(*model_, question_, settings_, trace_, *budget_);
    return *work_;
  }

  Question question_;
  SolveSettings settings_;
  Recorder trace_{Trace()};
  std::unique_ptr<ScriptedModel> model_;
  std::unique_ptr<Budget> budget_;
  std::unique_ptr<Work> work_;
};

TEST_F(ChainsTest, WhatOneLeavesAnotherTakes) {
  const std::string brief = "#### 24";
  const std::string wordy = "She has four boxes, and in each of them six pens: 24.\n#### 24";
  std::uint64_t first = 0;
  Work& work = Begin(
      [&](const ScriptedPlace& place) {
        if (first == 0) first = place.seed;
        return (place.seed == first ? brief : wordy).substr(place.answer.size());
      },
      brief.size() + wordy.size());
  const auto chains = DrawChains(work, {.count = 2});
  ASSERT_TRUE(chains) << chains.error().Message();
  ASSERT_EQ(chains->size(), 2u);
  EXPECT_EQ((*chains)[0].text, brief);
  EXPECT_EQ((*chains)[1].text, wordy);
  EXPECT_TRUE((*chains)[1].finished);
}

TEST_F(ChainsTest, EachPutsInItsExactValues) {
  Work& work = Begin(
      [](const ScriptedPlace& place) {
        return place.answer.empty() ? "There are 4 * 6 = 25 pens." : " pens.\n#### 24";
      },
      1000);
  const auto chains = DrawChains(work, {.count = 3, .exact_values = true});
  ASSERT_TRUE(chains) << chains.error().Message();
  ASSERT_EQ(chains->size(), 3u);
  for (const Derivation& chain : *chains) {
    EXPECT_EQ(chain.text, "There are 4 * 6 = 24 pens.\n#### 24");
    EXPECT_EQ(chain.value, "24");
    ASSERT_FALSE(chain.findings.empty());
    EXPECT_EQ(chain.findings.front().verdict, Verdict::kVerified);
  }
}

TEST_F(ChainsTest, NoneThatGoesOnOverrunsABudget) {
  const auto chatter = [](const ScriptedPlace&) { return "and 1 + 1 = "; };
  for (const std::size_t tokens : {1, 7, 50, 333}) {
    Work& work = Begin(chatter, tokens);
    static_cast<void>(DrawChains(work, {.count = 3, .exact_values = true}));
    EXPECT_LE(model_->tokens(), tokens);
    EXPECT_EQ(model_->tokens(), work.budget().tokens_spent());
  }
  for (const std::size_t calls : {1, 2, 5, 20}) {
    Work& work = Begin(chatter, 10000, calls);
    static_cast<void>(DrawChains(work, {.count = 3, .exact_values = true}));
    EXPECT_LE(work.budget().calls_spent(), calls);
  }
}

}  // namespace
}  // namespace ergo::reasoning
