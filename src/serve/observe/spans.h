// Spans of OpenTelemetry, one for each generation, sent to a collector by OTLP over HTTP in JSON
// (attributes by OpenTelemetry's conventions for generative AI).
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace ergo::serve {

/// No prompt and no answer is in it.
struct GenerationSpan {
  std::chrono::system_clock::time_point begin;
  std::chrono::system_clock::time_point end;
  std::string model;
  std::vector<std::string> finish_reasons;
  std::uint64_t input_tokens = 0;
  std::uint64_t cached_tokens = 0;  ///< of the input
  std::uint64_t output_tokens = 0;
  double first_token_seconds = 0.0;  ///< 0: unknown
  std::string trace_id;              ///< ergo's, of answers that were reasoned
  bool from_cache = false;           ///< the whole answer
  std::string error;                 ///< empty: none
};

/// ExportTraceServiceRequest in OTLP's JSON encoding. Ids are random.
OrderedJson ToOtlp(const std::vector<GenerationSpan>& spans, const std::string& version);

/// Any thread.
class SpanSender {
 public:
  static constexpr std::size_t kMostWaiting = 4096;

  /// `endpoint`: "http://localhost:4318"; /v1/traces is added where there is no path. Error: it is
  /// no http or https URL. Nothing is sent yet: a collector that is not there costs only its spans.
  static Result<std::unique_ptr<SpanSender>> Create(std::string endpoint, std::string version);
  /// Sends the oldest of what waits, for a second at most.
  ~SpanSender();
  SpanSender(const SpanSender&) = delete;
  SpanSender& operator=(const SpanSender&) = delete;

  /// Never waits for the network. Is dropped if too many wait.
  void Add(GenerationSpan span);

  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> sent{0};

 private:
  SpanSender(std::string url, std::string version);
  void Run();
  bool Send(const std::vector<GenerationSpan>& spans, std::chrono::milliseconds time) const;

  const std::string url_;
  const std::string version_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<GenerationSpan> waiting_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace ergo::serve
