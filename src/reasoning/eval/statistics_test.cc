#include "reasoning/eval/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "reasoning/eval/random.h"

namespace ergo::reasoning::eval {
namespace {

TEST(Proportion, IsThatOfNewcombe) {
  // Newcombe 1998, Statistics in Medicine 17, table I, method 3.
  const struct {
    std::size_t right, count;
    double low, high;
  } cases[] = {{81, 263, 0.2553, 0.3662},
               {15, 148, 0.0624, 0.1605},
               {0, 20, 0.0, 0.1611},
               {1, 29, 0.0061, 0.1718}};
  for (const auto& expected : cases) {
    const Interval interval = Proportion(expected.right, expected.count);
    EXPECT_NEAR(interval.low, expected.low, 5e-5);
    EXPECT_NEAR(interval.high, expected.high, 5e-5);
  }
  EXPECT_NEAR(Proportion(29, 29).low, 0.88303, 5e-6);
  EXPECT_DOUBLE_EQ(Proportion(29, 29).high, 1.0);
  EXPECT_DOUBLE_EQ(Proportion(0, 0).high, 1.0);
}

TEST(McNemar, IsTheBinomialTail) {
  // Sums of binomial coefficients over 2^n, by hand and in exact arithmetic.
  EXPECT_NEAR(ExactMcNemar(1, 9), 22.0 / 1024, 1e-12);
  EXPECT_NEAR(ExactMcNemar(0, 6), 2.0 / 64, 1e-12);
  EXPECT_NEAR(ExactMcNemar(5, 15), 0.04138946533203125, 1e-12);
  EXPECT_NEAR(ExactMcNemar(15, 5), 0.04138946533203125, 1e-12);
  EXPECT_NEAR(ExactMcNemar(60, 100), 0.001953728034064342, 1e-12);
  EXPECT_DOUBLE_EQ(ExactMcNemar(10, 10), 1.0);
  EXPECT_DOUBLE_EQ(ExactMcNemar(0, 0), 1.0);
}

TEST(Compare, HasTheIntervalOfTheNormalApproximation) {
  std::vector<Pair> pairs;
  for (int i = 0; i < 30; ++i) pairs.push_back({false, true});
  for (int i = 0; i < 10; ++i) pairs.push_back({true, false});
  for (int i = 0; i < 80; ++i) pairs.push_back({true, true});
  for (int i = 0; i < 80; ++i) pairs.push_back({false, false});
  const PairedDifference found = Compare(pairs, 1);
  EXPECT_DOUBLE_EQ(found.difference.value, 0.1);
  // sd = sqrt((30 + 10)/200 - 0.1^2) / sqrt(200)
  const double half = 1.96 * std::sqrt((0.2 - 0.01) / 200);
  EXPECT_NEAR(found.difference.low, 0.1 - half, 0.01);
  EXPECT_NEAR(found.difference.high, 0.1 + half, 0.01);
  EXPECT_EQ(found.only_first, 10u);
  EXPECT_EQ(found.only_second, 30u);
  EXPECT_NEAR(found.p, ExactMcNemar(10, 30), 1e-15);
  EXPECT_EQ(Compare(pairs, 1).difference.low, found.difference.low);
  EXPECT_EQ(Compare({}, 1).p, 1.0);
}

TEST(CalibrationErrorOf, BinsOfEqualMass) {
  // 30 outcomes, two a bin; by hand: in each bin the confidence is (i + 0.5) / 15 and one of two is
  // right, so that the error is the mean of |(i + 0.5) / 15 - 0.5| over i = 0 … 14, 112 / 450.
  std::vector<Outcome> outcomes;
  for (int i = 0; i < 15; ++i) {
    outcomes.push_back({(i + 0.4) / 15, true});
    outcomes.push_back({(i + 0.6) / 15, false});
  }
  const auto bins = EqualMassBins(outcomes);
  ASSERT_EQ(bins.size(), 15u);
  for (const ReliabilityBin& bin : bins) EXPECT_EQ(bin.count, 2u);
  EXPECT_NEAR(CalibrationError(outcomes), 112.0 / 450, 1e-12);
}

TEST(CalibrationErrorOf, DoesNotDependOnTheOrderOfTies) {
  std::vector<Outcome> outcomes;
  for (int i = 0; i < 100; ++i) outcomes.push_back({0.7, i < 70});
  EXPECT_NEAR(CalibrationError(outcomes), 0.0, 1e-12);
  for (Outcome& outcome : outcomes) outcome.confidence = 0.9;
  EXPECT_NEAR(CalibrationError(outcomes), 0.2, 1e-12);
  EXPECT_EQ(CalibrationError({}), 0.0);
}

TEST(CalibrationErrorOf, IntervalHoldsTheValueOfACalibratedSource) {
  Random random(3);
  std::vector<Outcome> outcomes;
  for (int i = 0; i < 600; ++i) {
    const double confidence = random.Unit();
    outcomes.push_back({confidence, random.Unit() < confidence});
  }
  const Interval calibrated = CalibrationErrorInterval(outcomes, 1);
  EXPECT_LT(calibrated.value, 0.08);
  EXPECT_LT(calibrated.low, calibrated.high);
  for (Outcome& outcome : outcomes) outcome.confidence = 0.3 + 0.7 * outcome.confidence;
  const Interval shifted = CalibrationErrorInterval(outcomes, 1);
  EXPECT_GT(shifted.low, calibrated.value);
  EXPECT_LE(shifted.low, shifted.value);
  EXPECT_GE(shifted.high, shifted.value);
}

TEST(Auroc, CountsPairs) {
  const std::vector<Outcome> outcomes = {{0.1, false}, {0.4, false}, {0.35, true}, {0.8, true}};
  EXPECT_DOUBLE_EQ(Auroc(outcomes), 0.75);  // 3 of 4 pairs
  EXPECT_DOUBLE_EQ(Auroc(std::vector<Outcome>{{0.5, true}, {0.5, false}}), 0.5);
  EXPECT_DOUBLE_EQ(Auroc(std::vector<Outcome>{{0.5, true}}), 0.5);
  Random random(5);
  std::vector<Outcome> many;
  for (int i = 0; i < 200; ++i) {
    many.push_back({static_cast<double>(random.Below(20)) / 20, random.Chance(40)});
  }
  double wins = 0;
  double pairs = 0;
  for (const Outcome& a : many) {
    for (const Outcome& b : many) {
      if (!a.right || b.right) continue;
      ++pairs;
      wins += a.confidence > b.confidence ? 1 : a.confidence == b.confidence ? 0.5 : 0;
    }
  }
  EXPECT_NEAR(Auroc(many), wins / pairs, 1e-12);
}

TEST(Brier, IsTheMeanSquare) {
  const std::vector<Outcome> outcomes = {{0.8, true}, {0.3, false}, {1.0, false}};
  EXPECT_NEAR(Brier(outcomes), (0.04 + 0.09 + 1.0) / 3, 1e-12);
  EXPECT_EQ(Brier({}), 0.0);
}

}  // namespace
}  // namespace ergo::reasoning::eval
