// Counters under vLLM's names, in Prometheus' text format, so that existing dashboards work.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "generate/language_model.h"

namespace ergo::serve {

/// Counts of values up to each bound. One lock-free count for each bound and one for the rest.
class Histogram {
 public:
  static constexpr std::size_t kMostBounds = 24;
  explicit Histogram(std::vector<double> bounds);

  void Observe(double value);
  /// name_bucket{labels,le="…"} …, name_sum, name_count.
  void Write(std::string_view name, std::string_view labels, std::string* out) const;

 private:
  std::vector<double> bounds_;
  std::array<std::atomic<std::uint64_t>, kMostBounds + 1> counts_{};
  std::atomic<std::uint64_t> total_{0};
  std::atomic<double> sum_{0.0};
};

/// Of one model. Any thread.
struct ModelMetrics {
  ModelMetrics();

  std::atomic<std::uint64_t> prompt_tokens{0};
  std::atomic<std::uint64_t> generation_tokens{0};
  std::atomic<std::uint64_t> prefix_queries{0};          ///< prompt tokens that were looked up
  std::atomic<std::uint64_t> prefix_hits{0};             ///< of these, found
  std::atomic<std::uint64_t> answer_queries{0};          ///< requests looked up in the cache
  std::atomic<std::uint64_t> answer_hits{0};             ///< of these, answered from it
  std::array<std::atomic<std::uint64_t>, 5> finished{};  ///< by kFinishReasons
  Histogram first_token_seconds;
  Histogram between_tokens_seconds;
  Histogram request_seconds;
  Histogram queue_seconds;
  Histogram prompt_length;
  Histogram answer_length;

  static constexpr std::array<std::string_view, 5> kFinishReasons = {"stop", "length", "tool_calls",
                                                                     "abort", "error"};
  void CountFinish(std::string_view reason);
};

/// Any thread.
class Metrics {
 public:
  /// Of a model, made when first asked for; stays where it is.
  ModelMetrics& Of(const std::string& model);
  /// A reply to HTTP.
  void CountReply(std::string_view endpoint, int status);
  /// Requests that were refused because of a budget or a full queue.
  std::atomic<std::uint64_t> refused{0};

  struct Gauges {
    std::string model;
    runtime::LoopStats stats;
  };
  /// The whole text, ending in a line end.
  std::string Write(const std::vector<Gauges>& gauges, std::size_t connections) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, ModelMetrics> models_;
  std::map<std::pair<std::string, int>, std::uint64_t> replies_;
};

}  // namespace ergo::serve
