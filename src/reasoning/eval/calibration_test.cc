#include "reasoning/eval/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "reasoning/eval/random.h"
#include "reasoning/eval/statistics.h"

namespace ergo::reasoning::eval {
namespace {

using ::testing::HasSubstr;

/// Answers whose raw confidence is `shown(chance)` of their true chance.
std::vector<CalibrationExample> Examples(std::size_t count, double (*shown)(double),
                                         std::uint64_t seed = 1) {
  Random random(seed);
  std::vector<CalibrationExample> examples;
  for (std::size_t i = 0; i < count; ++i) {
    const double chance = 0.05 + 0.9 * random.Unit();
    CalibrationExample example;
    example.features.raw = shown(chance);
    example.features.vote = random.Unit();  // says nothing
    example.right = random.Unit() < chance;
    examples.push_back(example);
  }
  return examples;
}

double ErrorOn(const Calibration& calibration, const std::vector<CalibrationExample>& examples) {
  std::vector<Outcome> outcomes;
  for (const CalibrationExample& example : examples) {
    outcomes.push_back({calibration.Apply(example.features), example.right});
  }
  return CalibrationError(outcomes);
}

double RawError(const std::vector<CalibrationExample>& examples) {
  std::vector<Outcome> outcomes;
  for (const CalibrationExample& example : examples) {
    outcomes.push_back({*example.features.raw, example.right});
  }
  return CalibrationError(outcomes);
}

double Overconfident(double chance) { return 1 - 0.3 * (1 - chance) * (1 - chance); }
double Steps(double chance) { return chance < 0.6 ? 0.1 + chance / 10 : 0.95 + chance / 100; }

TEST(Calibration, MendsConfidenceOnAnswersThatItWasNotFittedOn) {
  for (const auto shown : {Overconfident, Steps}) {
    const auto calibration = FitCalibration(Examples(2000, shown));
    ASSERT_TRUE(calibration) << calibration.error().Message();
    const auto others = Examples(2000, shown, 2);
    EXPECT_LT(ErrorOn(*calibration, others), 0.05);
    EXPECT_GT(RawError(others), 0.1);
    EXPECT_NEAR(calibration->error_after, ErrorOn(*calibration, others), 0.03);
    EXPECT_NEAR(calibration->error_before, RawError(others), 0.03);
    EXPECT_EQ(calibration->questions, 2000u);
  }
}

TEST(Calibration, LearnsWhatChecksAreWorth) {
  Random random(4);
  std::vector<CalibrationExample> examples;
  for (int i = 0; i < 1000; ++i) {
    CalibrationExample example;
    example.features.verified = random.Chance(50);
    example.features.refuted = example.features.verified ? 0 : random.Below(3);
    example.right = random.Chance(example.features.verified       ? 95
                                  : example.features.refuted == 0 ? 50
                                                                  : 10);
    examples.push_back(example);
  }
  const auto calibration = FitCalibration(examples);
  ASSERT_TRUE(calibration);
  ConfidenceFeatures features;
  EXPECT_NEAR(calibration->Apply(features), 0.5, 0.15);
  features.verified = true;
  EXPECT_NEAR(calibration->Apply(features), 0.95, 0.04);
  features.verified = false;
  features.refuted = 2;
  EXPECT_NEAR(calibration->Apply(features), 0.1, 0.06);
}

TEST(Calibration, NeedsExamplesOfBothKinds) {
  EXPECT_THAT(FitCalibration(Examples(39, Steps)).error().Message(), HasSubstr("too few"));
  auto examples = Examples(100, Steps);
  for (CalibrationExample& example : examples) example.right = true;
  EXPECT_THAT(FitCalibration(examples).error().Message(), HasSubstr("all answers are right"));
  examples.front().right = false;
  EXPECT_TRUE(FitCalibration(examples));
}

TEST(Calibration, TheDefaultIsCautious) {
  ConfidenceFeatures features;
  features.raw = 0.95;
  const double plain = DefaultCalibration().Apply(features);
  EXPECT_GT(plain, 0.5);
  EXPECT_LT(plain, 0.95);
  features.verified = true;
  EXPECT_GT(DefaultCalibration().Apply(features), plain);
  features.verified = false;
  features.refuted = 1;
  EXPECT_LT(DefaultCalibration().Apply(features), plain);
  EXPECT_NEAR(DefaultCalibration().Apply({}), 0.5, 1e-12);
}

TEST(Calibration, SurvivesItsJson) {
  for (const auto shown : {Overconfident, Steps}) {
    Calibration calibration = FitCalibration(Examples(500, shown)).value();
    calibration.model = "m";
    calibration.strategy = "s";
    const auto read = CalibrationFromJson(ToJson(calibration), "test");
    ASSERT_TRUE(read) << read.error().Message();
    for (const CalibrationExample& example : Examples(50, shown, 9)) {
      EXPECT_DOUBLE_EQ(read->Apply(example.features), calibration.Apply(example.features));
    }
  }
}

TEST(Calibration, RefusesDamagedJson) {
  OrderedJson good = ToJson(FitCalibration(Examples(500, Steps)).value());
  ASSERT_TRUE(CalibrationFromJson(good, "test"));
  const auto spoilt = [&](auto&& change) {
    OrderedJson json = good;
    change(json);
    return !CalibrationFromJson(json, "test");
  };
  EXPECT_TRUE(spoilt([](OrderedJson& json) { json["version"] = 2; }));
  EXPECT_TRUE(spoilt([](OrderedJson& json) { json["version"] = "1"; }));
  EXPECT_TRUE(spoilt([](OrderedJson& json) { json.erase("bias"); }));
  EXPECT_TRUE(spoilt([](OrderedJson& json) { json["weights"].erase("vote"); }));
  EXPECT_TRUE(spoilt([](OrderedJson& json) { json["scale"]["vote"] = 0; }));
  EXPECT_TRUE(spoilt([](OrderedJson& json) { json["model"] = 7; }));
  EXPECT_TRUE(spoilt([](OrderedJson& json) { json["points"] = {{1, 0.5}, {0, 0.6}}; }));
  EXPECT_TRUE(spoilt([](OrderedJson& json) { json["points"] = {{0, 1.5}}; }));
  EXPECT_TRUE(spoilt([](OrderedJson& json) { json = OrderedJson::array(); }));
}

TEST(Calibration, IsSavedForModelAndStrategy) {
  const std::string home = ::testing::TempDir() + "ergo_calibration_test";
  std::filesystem::remove_all(home);
  ASSERT_EQ(setenv("ERGO_HOME", home.c_str(), 1), 0);
  ConfidenceFeatures features;
  features.raw = 0.9;
  const double unfitted = Calibrate(features, "org/model", "auto");
  EXPECT_DOUBLE_EQ(unfitted, DefaultCalibration().Apply(features));
  Calibration calibration = FitCalibration(Examples(1000, Overconfident)).value();
  calibration.model = "org/model";
  calibration.strategy = "auto";
  ASSERT_TRUE(SaveCalibration(home, calibration));
  const std::string path = CalibrationPath(home, "org/model", "auto");
  EXPECT_EQ(path, home + "/calibration/org_model-auto.json");
  EXPECT_DOUBLE_EQ(Calibrate(features, "org/model", "auto"), calibration.Apply(features));
  EXPECT_DOUBLE_EQ(LoadCalibration(path)->Apply(features), calibration.Apply(features));
  EXPECT_DOUBLE_EQ(Calibrate(features, "org/model", "mcts"), unfitted);
  // A damaged file is as none.
  std::ofstream(CalibrationPath(home, "other", "auto")) << "{";
  EXPECT_DOUBLE_EQ(Calibrate(features, "other", "auto"), unfitted);
  EXPECT_FALSE(SaveCalibration(path, calibration));  // a file is no folder
  unsetenv("ERGO_HOME");
  std::filesystem::remove_all(home);
}

TEST(Features, ComeFromTheTrace) {
  Answer answer;
  answer.confidence = 0.4;
  answer.verified = true;
  EXPECT_EQ(FeaturesOf(answer).raw, 0.4);
  const auto refuted = [] {
    NodeVerification verification;
    verification.status = Verdict::kRefuted;
    return verification;
  };
  TraceNode step;
  step.id = "n1";
  step.verification = {refuted()};
  TraceNode aside = step;
  aside.id = "n2";
  TraceNode last;
  last.id = "n3";
  last.kind = NodeKind::kAnswer;
  last.confidence.posterior = 0.7;
  last.confidence.vote = 0.75;
  last.confidence.token = 0.8;
  answer.trace.nodes = {step, aside, last};
  answer.trace.edges = {{"n1", "n3", EdgeType::kPremise, 1.0},
                        {"n2", "n3", EdgeType::kContradicts, 1.0}};
  const ConfidenceFeatures features = FeaturesOf(answer);
  EXPECT_EQ(features.raw, 0.7);
  EXPECT_EQ(features.vote, 0.75);
  EXPECT_EQ(features.token, 0.8);
  EXPECT_TRUE(features.verified);
  EXPECT_EQ(features.refuted, 1u);  // what contradicts the answer is not what it rests on
  EXPECT_EQ(features.agreement, 0.5);
  const auto read = FeaturesFromJson(ToJson(features), "test");
  ASSERT_TRUE(read);
  EXPECT_EQ(ToJson(*read), ToJson(features));
  EXPECT_FALSE(FeaturesFromJson({{"raw", 2}}, "test"));
  EXPECT_FALSE(FeaturesFromJson({{"verified", 1}}, "test"));
  EXPECT_FALSE(FeaturesFromJson(OrderedJson::array(), "test"));
}

}  // namespace
}  // namespace ergo::reasoning::eval
