#include "reasoning/eval/calibration.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>

#include "base/mapped_file.h"
#include "reasoning/eval/calibration_features.h"
#include "reasoning/trace/store.h"

namespace ergo::reasoning::eval {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 20;

/// Of all files that were asked for; nullptr where there is none.
struct Cache {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<const Calibration>, std::less<>> loaded;
};

Cache& TheCache() {
  static Cache cache;
  return cache;
}

std::string FileName(std::string_view name) {
  std::string safe;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';
    safe += plain ? c : '_';
  }
  return safe;
}

/// Chance at `score` on the straight lines between points.
double Interpolated(const std::vector<std::pair<double, double>>& points, double score) {
  const auto above = std::lower_bound(points.begin(), points.end(), std::pair(score, -1.0));
  if (above == points.begin()) return points.front().second;
  if (above == points.end()) return points.back().second;
  const auto below = above - 1;
  const double part = (score - below->first) / (above->first - below->first);
  return below->second + part * (above->second - below->second);
}

}  // namespace

double Calibration::Apply(const ConfidenceFeatures& features) const {
  const FeatureValues values = ValuesOf(features);
  double score = bias;
  for (std::size_t i = 0; i < kFeatures; ++i) {
    score += weights[i] * (values[i] - mean[i]) / scale[i];
  }
  const double chance = points.empty() ? Logistic(score) : Interpolated(points, score);
  return std::clamp(chance, 0.01, 0.99);
}

const Calibration& DefaultCalibration() {
  static const Calibration calibration = [] {
    Calibration made;
    made.scale.fill(1.0);
    made.weights[kRawLogit] = 0.5;
    made.weights[kVerified] = 2.0;
    made.weights[kRefuted] = -3.0;
    made.weights[kAgreement] = 1.0;
    return made;
  }();
  return calibration;
}

std::string CalibrationPath(const std::string& home, std::string_view model,
                            std::string_view strategy) {
  return (fs::path(home) / "calibration" / (FileName(model) + "-" + FileName(strategy) + ".json"))
      .string();
}

Result<std::string> CalibrationHome() {
  const Result<fs::path> folder = DefaultStoreFolder();
  if (!folder) return tl::unexpected(folder.error());
  return folder->string();
}

Status SaveCalibration(const std::string& home, const Calibration& calibration) {
  const std::string path = CalibrationPath(home, calibration.model, calibration.strategy);
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (error) return Fail("cannot make its folder: " + error.message(), path);
  const std::string unfinished = path + "." + std::to_string(::getpid());
  {
    std::ofstream file(unfinished, std::ios::trunc);
    file << ToJson(calibration).dump(2) << '\n';
    file.flush();
    if (!file) {
      fs::remove(unfinished, error);
      return Fail("cannot write it", path, "is there room on the disk?");
    }
  }
  fs::rename(unfinished, path, error);
  if (error) {
    const std::string reason = error.message();
    fs::remove(unfinished, error);
    return Fail("cannot write it: " + reason, path);
  }
  const std::lock_guard lock(TheCache().mutex);
  TheCache().loaded[path] = std::make_shared<const Calibration>(calibration);
  return {};
}

Result<Calibration> LoadCalibration(const std::string& path) {
  const Result<std::string> text = ReadFile(path, kLargestFile);
  if (!text) return tl::unexpected(text.error());
  const Result<OrderedJson> json = ParseOrderedJson(*text, path);
  if (!json) return tl::unexpected(json.error());
  return CalibrationFromJson(*json, path);
}

double Calibrate(const ConfidenceFeatures& features, std::string_view model,
                 std::string_view strategy) {
  const Result<std::string> home = CalibrationHome();
  if (!home) return DefaultCalibration().Apply(features);
  const std::string path = CalibrationPath(*home, model, strategy);
  std::shared_ptr<const Calibration> calibration;
  {
    Cache& cache = TheCache();
    const std::lock_guard lock(cache.mutex);
    auto found = cache.loaded.find(path);
    if (found == cache.loaded.end()) {
      Result<Calibration> loaded = LoadCalibration(path);
      found = cache.loaded
                  .emplace(path, loaded ? std::make_shared<const Calibration>(std::move(*loaded))
                                        : nullptr)
                  .first;
    }
    calibration = found->second;
  }
  return calibration ? calibration->Apply(features) : DefaultCalibration().Apply(features);
}

}  // namespace ergo::reasoning::eval
