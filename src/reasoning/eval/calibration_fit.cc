// Fits a calibration, and its JSON.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reasoning/eval/calibration_features.h"
#include "reasoning/eval/statistics.h"

namespace ergo::reasoning::eval {

namespace {

constexpr std::size_t kLeastExamples = 40;
constexpr std::size_t kFolds = 5;
/// Strength of the pull of each standardized weight to 0: that of a Gaussian prior of width 1.
constexpr double kRidge = 1.0;
constexpr std::size_t kUnknowns = kFeatures + 1;
using Vector = std::array<double, kUnknowns>;
using Matrix = std::array<Vector, kUnknowns>;

using Examples = std::vector<CalibrationExample>;

void Standardize(const Examples& examples, Calibration* calibration) {
  const auto n = static_cast<double>(examples.size());
  for (std::size_t i = 0; i < kFeatures; ++i) {
    double sum = 0;
    double squares = 0;
    for (const CalibrationExample& example : examples) {
      const double value = ValuesOf(example.features)[i];
      sum += value;
      squares += value * value;
    }
    const double mean = sum / n;
    const double variance = squares / n - mean * mean;
    calibration->mean[i] = mean;
    calibration->scale[i] = variance > 1e-8 ? std::sqrt(variance) : 1.0;
  }
}

/// Solves A x = b by elimination; A is positive definite.
Vector SolveSystem(Matrix a, Vector b) {
  for (std::size_t column = 0; column < kUnknowns; ++column) {
    for (std::size_t row = column + 1; row < kUnknowns; ++row) {
      const double factor = a[row][column] / a[column][column];
      for (std::size_t k = column; k < kUnknowns; ++k) a[row][k] -= factor * a[column][k];
      b[row] -= factor * b[column];
    }
  }
  Vector x = {};
  for (std::size_t row = kUnknowns; row-- > 0;) {
    double rest = b[row];
    for (std::size_t k = row + 1; k < kUnknowns; ++k) rest -= a[row][k] * x[k];
    x[row] = rest / a[row][row];
  }
  return x;
}

/// Newton's method on the penalized likelihood; the last unknown is the bias, with a pull that only
/// keeps it finite.
void FitLogistic(const Examples& examples, Calibration* calibration) {
  Standardize(examples, calibration);
  std::vector<Vector> rows;
  for (const CalibrationExample& example : examples) {
    const FeatureValues values = ValuesOf(example.features);
    Vector row = {};
    for (std::size_t i = 0; i < kFeatures; ++i) {
      row[i] = (values[i] - calibration->mean[i]) / calibration->scale[i];
    }
    row[kFeatures] = 1.0;
    rows.push_back(row);
  }
  Vector weights = {};
  for (int round = 0; round < 50; ++round) {
    Matrix curvature = {};
    Vector slope = {};
    for (std::size_t i = 0; i < kUnknowns; ++i) {
      const double pull = i < kFeatures ? kRidge : 1e-6;
      curvature[i][i] = pull;
      slope[i] = -pull * weights[i];
    }
    for (std::size_t n = 0; n < rows.size(); ++n) {
      const double score = std::inner_product(rows[n].begin(), rows[n].end(), weights.begin(), 0.0);
      const double chance = Logistic(score);
      const double spread = std::max(chance * (1 - chance), 1e-9);
      for (std::size_t i = 0; i < kUnknowns; ++i) {
        slope[i] += ((examples[n].right ? 1.0 : 0.0) - chance) * rows[n][i];
        for (std::size_t j = 0; j < kUnknowns; ++j) {
          curvature[i][j] += spread * rows[n][i] * rows[n][j];
        }
      }
    }
    Vector step = SolveSystem(curvature, slope);
    double size = 0;
    for (const double part : step) size = std::max(size, std::abs(part));
    // Far from the solution the curvature is flat and a full step too long.
    const double shorter = size > 2.0 ? 2.0 / size : 1.0;
    for (std::size_t i = 0; i < kUnknowns; ++i) weights[i] += shorter * step[i];
    if (size < 1e-8) break;
  }
  std::copy_n(weights.begin(), kFeatures, calibration->weights.begin());
  calibration->bias = weights[kFeatures];
}

double Score(const Calibration& calibration, const ConfidenceFeatures& features) {
  const FeatureValues values = ValuesOf(features);
  double score = calibration.bias;
  for (std::size_t i = 0; i < kFeatures; ++i) {
    score += calibration.weights[i] * (values[i] - calibration.mean[i]) / calibration.scale[i];
  }
  return score;
}

/// Pool adjacent violators over the score.
void FitIsotonic(const Examples& examples, Calibration* calibration) {
  struct Block {
    double score = 0;  ///< sum
    double right = 0;
    double count = 0;
    double rate() const { return right / count; }
  };
  std::vector<std::pair<double, bool>> sorted;
  for (const CalibrationExample& example : examples) {
    sorted.emplace_back(Score(*calibration, example.features), example.right);
  }
  std::sort(sorted.begin(), sorted.end());
  std::vector<Block> blocks;
  for (std::size_t begin = 0; begin < sorted.size();) {
    // Equal scores are one observation.
    Block block;
    for (; begin < sorted.size(); ++begin) {
      if (block.count > 0 && sorted[begin].first != block.score / block.count) break;
      block.score += sorted[begin].first;
      block.right += sorted[begin].second ? 1 : 0;
      ++block.count;
    }
    blocks.push_back(block);
    while (blocks.size() > 1 && blocks[blocks.size() - 2].rate() >= blocks.back().rate()) {
      Block& into = blocks[blocks.size() - 2];
      into.score += blocks.back().score;
      into.right += blocks.back().right;
      into.count += blocks.back().count;
      blocks.pop_back();
    }
  }
  for (const Block& block : blocks) {
    // Half a right and half a wrong answer more: no block is certain.
    const double chance = (block.right + 0.5) / (block.count + 1);
    const double score = block.score / block.count;
    if (!calibration->points.empty() && score <= calibration->points.back().first) continue;
    const double least = calibration->points.empty() ? 0 : calibration->points.back().second;
    calibration->points.emplace_back(score, std::max(chance, least));
  }
}

Calibration Fit(const Examples& examples, bool isotonic) {
  Calibration calibration;
  FitLogistic(examples, &calibration);
  if (isotonic) FitIsotonic(examples, &calibration);
  return calibration;
}

/// What each example is given by a fit on the others' folds.
std::vector<Outcome> CrossValidated(std::span<const CalibrationExample> examples, bool isotonic) {
  std::vector<Outcome> outcomes(examples.size());
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    Examples others;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      if (i % kFolds != fold) others.push_back(examples[i]);
    }
    const Calibration calibration = Fit(others, isotonic);
    for (std::size_t i = fold; i < examples.size(); i += kFolds) {
      outcomes[i] = {calibration.Apply(examples[i].features), examples[i].right};
    }
  }
  return outcomes;
}

bool ReadValues(const OrderedJson& json, const char* name, FeatureValues* values) {
  const auto field = json.find(name);
  if (field == json.end() || !field->is_object()) return false;
  for (std::size_t i = 0; i < kFeatures; ++i) {
    const auto value = field->find(std::string(kFeatureNames[i]));
    if (value == field->end() || !value->is_number()) return false;
    (*values)[i] = value->get<double>();
    if (!std::isfinite((*values)[i])) return false;
  }
  return true;
}

bool ReadPoints(const OrderedJson& json, std::vector<std::pair<double, double>>* points) {
  const auto field = json.find("points");
  if (field == json.end()) return true;
  if (!field->is_array()) return false;
  for (const OrderedJson& point : *field) {
    if (!point.is_array() || point.size() != 2 || !point[0].is_number() || !point[1].is_number()) {
      return false;
    }
    const std::pair<double, double> read = {point[0].get<double>(), point[1].get<double>()};
    const bool ascends = points->empty() || (read.first > points->back().first &&
                                             read.second >= points->back().second);
    if (!std::isfinite(read.first) || !(read.second >= 0 && read.second <= 1) || !ascends) {
      return false;
    }
    points->push_back(read);
  }
  return true;
}

OrderedJson Named(const FeatureValues& values) {
  OrderedJson json;
  for (std::size_t i = 0; i < kFeatures; ++i) json[std::string(kFeatureNames[i])] = values[i];
  return json;
}

}  // namespace

Result<Calibration> FitCalibration(std::span<const CalibrationExample> examples) {
  const auto right = static_cast<std::size_t>(std::count_if(
      examples.begin(), examples.end(), [](const CalibrationExample& e) { return e.right; }));
  if (examples.size() < kLeastExamples) {
    return Fail(fmt::format("{} answers are too few to calibrate on", examples.size()), "",
                fmt::format("at least {}", kLeastExamples));
  }
  if (right == 0 || right == examples.size()) {
    return Fail("all answers are right or all are wrong: there is nothing to calibrate on");
  }
  const std::vector<Outcome> logistic = CrossValidated(examples, false);
  const std::vector<Outcome> isotonic = CrossValidated(examples, true);
  const bool better = Brier(isotonic) < Brier(logistic);
  Calibration calibration = Fit(Examples(examples.begin(), examples.end()), better);
  calibration.questions = examples.size();
  calibration.error_after = CalibrationError(better ? isotonic : logistic);
  std::vector<Outcome> raw;
  for (const CalibrationExample& example : examples) {
    if (example.features.raw) raw.push_back({*example.features.raw, example.right});
  }
  calibration.error_before = CalibrationError(raw);
  return calibration;
}

OrderedJson ToJson(const Calibration& calibration) {
  OrderedJson json;
  json["version"] = 1;
  json["model"] = calibration.model;
  json["strategy"] = calibration.strategy;
  json["questions"] = calibration.questions;
  json["families"] = calibration.families;
  json["error_before"] = calibration.error_before;
  json["error_after"] = calibration.error_after;
  json["method"] = calibration.points.empty() ? "logistic" : "isotonic";
  json["bias"] = calibration.bias;
  json["weights"] = Named(calibration.weights);
  json["mean"] = Named(calibration.mean);
  json["scale"] = Named(calibration.scale);
  if (!calibration.points.empty()) json["points"] = calibration.points;
  return json;
}

Result<Calibration> CalibrationFromJson(const OrderedJson& json, const std::string& where) {
  Calibration calibration;
  if (!json.is_object() || json.value("version", OrderedJson()) != 1) {
    return Fail("not a calibration of version 1", where);
  }
  for (const auto& [name, target] :
       {std::pair{"model", &calibration.model}, {"strategy", &calibration.strategy}}) {
    const auto field = json.find(name);
    if (field == json.end() || !field->is_string()) {
      return Fail(fmt::format("no field {}", name), where);
    }
    *target = field->get<std::string>();
  }
  const auto bias = json.find("bias");
  if (bias == json.end() || !bias->is_number()) return Fail("no field bias", where);
  calibration.bias = bias->get<double>();
  for (const auto& [name, target] : {std::pair{"weights", &calibration.weights},
                                     {"mean", &calibration.mean},
                                     {"scale", &calibration.scale}}) {
    if (!ReadValues(json, name, target)) {
      return Fail(fmt::format("field {} does not hold a number for each feature", name), where);
    }
  }
  if (std::any_of(calibration.scale.begin(), calibration.scale.end(),
                  [](double scale) { return scale <= 0; })) {
    return Fail("field scale holds a number that is not over 0", where);
  }
  if (!ReadPoints(json, &calibration.points)) {
    return Fail("field points does not hold ascending pairs", where);
  }
  return calibration;
}

}  // namespace ergo::reasoning::eval
