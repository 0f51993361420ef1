// From what speaks for an answer to the chance that it is right.
//
// Fitted for each model and strategy by `ergo eval --calibrate`: logistic regression on a few
// features (Platt 1999), then, where cross-validation finds it better, isotonic regression of the
// truth on its score (Zadrozny and Elkan 2002).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "reasoning/strategies/strategy.h"

namespace ergo::reasoning::eval {

/// What is known of an answer without knowing what is right. Each optional one is 0 to 1.
struct ConfidenceFeatures {
  std::optional<double> raw = {};        ///< the strategy's own, before calibration
  std::optional<double> vote = {};       ///< share of the samples that agree
  std::optional<double> token = {};      ///< geometric mean of the token probabilities
  bool verified = false;                 ///< by an exact check of a fully parsed derivation
  std::size_t refuted = 0;               ///< checks that refuted a step of it
  std::optional<double> agreement = {};  ///< share of the derivations that come to the same
};

/// Those of an answer, by its trace: confidence of the answer's node (raw is `posterior`, or else
/// Answer::confidence), refutations of what the answer rests on, and of the edges that lead to the
/// answer itself the share that does not contradict it.
ConfidenceFeatures FeaturesOf(const Answer& answer);

OrderedJson ToJson(const ConfidenceFeatures& features);
/// Errors name the field.
Result<ConfidenceFeatures> FeaturesFromJson(const OrderedJson& json, const std::string& where);

inline constexpr std::size_t kFeatures = 10;
using FeatureValues = std::array<double, kFeatures>;

struct Calibration {
  std::string model;
  std::string strategy;
  FeatureValues mean = {};
  FeatureValues scale = {};  ///< none is 0
  FeatureValues weights = {};
  double bias = 0.0;
  /// (score, chance), both ascending; the chance lies between them on straight lines. Empty: the
  /// chance is the logistic function of the score.
  std::vector<std::pair<double, double>> points = {};
  std::size_t questions = 0;  ///< that it was fitted on; 0: built in
  double error_before = 0.0;  ///< expected calibration error of the raw confidence there
  double error_after = 0.0;   ///< and of the calibrated one, cross-validated
  std::vector<std::string> families = {};

  /// 0.01 to 0.99.
  double Apply(const ConfidenceFeatures& features) const;
};

struct CalibrationExample {
  ConfidenceFeatures features;
  bool right = false;
};
/// Error: fewer than 40 examples, or all right or all wrong.
Result<Calibration> FitCalibration(std::span<const CalibrationExample> examples);

/// Where nothing was fitted: a cautious guess that halves the distance of the raw confidence (or
/// else of vote or token confidence) to an even chance, and moves it by what checks found.
const Calibration& DefaultCalibration();

OrderedJson ToJson(const Calibration& calibration);
Result<Calibration> CalibrationFromJson(const OrderedJson& json, const std::string& where);

/// calibration/<model>-<strategy>.json in `home`; what is neither letter, digit, '.', '_' nor '-'
/// in a name becomes '_'.
std::string CalibrationPath(const std::string& home, std::string_view model,
                            std::string_view strategy);
/// The folder that holds traces too. Error: there is none.
Result<std::string> CalibrationHome();
/// Writes it whole or not at all, and from now on it is what Calibrate uses.
Status SaveCalibration(const std::string& home, const Calibration& calibration);
/// Error: there is none, or it cannot be read.
Result<Calibration> LoadCalibration(const std::string& path);

/// The chance that an answer with these features is right: by the calibration saved for this model
/// and strategy, or else by the default. Any thread; a file is read once.
double Calibrate(const ConfidenceFeatures& features, std::string_view model,
                 std::string_view strategy);

}  // namespace ergo::reasoning::eval
