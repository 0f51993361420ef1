// What every endpoint works with, whatever the transport.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "reasoning/trace/store.h"
#include "reasoning/trace/store_writer.h"
#include "serve/access/admission.h"
#include "serve/access/key_ring.h"
#include "serve/cache/answer_cache.h"
#include "serve/observe/log.h"
#include "serve/observe/metrics.h"
#include "serve/observe/spans.h"
#include "serve/service/models.h"
#include "serve/service/response_store.h"
#include "serve/service/sessions.h"
#include "serve/service/worker_pool.h"

namespace ergo::serve {

struct ServiceOptions {
  std::string version = {};          ///< of the program, for /version
  std::string keys_file = {};        ///< empty: no keys are needed
  std::size_t most_requests = 2048;  ///< alive at a time, waiting ones included; more get 429
  std::chrono::milliseconds most_time{600'000};  ///< of one request
  std::size_t workers = 2;                       ///< threads that prepare requests
  std::size_t reasoners = 2;                     ///< answers that are reasoned at a time
  std::size_t most_models = 0;                   ///< Models
  bool keep_traces = true;
  reasoning::StoreOptions traces = {};
  CacheOptions answers = {};       ///< kept for requests whose answer is the same every time
  std::string otlp_endpoint = {};  ///< SpanSender; empty: no spans are sent
  Log::Level log_level = Log::Level::kInfo;
  SessionLimits sessions = {};
};

/// Any thread.
class Service {
 public:
  /// Errors: the key file, options of the cache, the collector's URL. A trace store that cannot be
  /// opened is only logged.
  static Result<std::unique_ptr<Service>> Create(std::vector<ModelSource> models,
                                                 const ServiceOptions& options);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  Models& models() { return *models_; }
  KeyRing& keys() { return keys_; }
  Admission& admission() { return admission_; }
  Metrics& metrics() { return metrics_; }
  Log& log() { return log_; }
  /// Where handlers run: they may take some hundred milliseconds, and must not wait for answers.
  WorkerPool& workers() { return *workers_; }
  /// Where answers are reasoned, which takes long.
  WorkerPool& reasoners() { return *reasoners_; }
  /// nullptr if traces are not kept.
  reasoning::TraceStore* traces() { return traces_.get(); }
  /// What writes traces there; nullptr too.
  reasoning::StoreWriter* trace_writer() { return trace_writer_.get(); }
  /// nullptr if answers are not kept.
  AnswerCache* answers() { return answers_.get(); }
  Sessions& sessions() { return sessions_; }
  ResponseStore& responses() { return responses_; }
  /// nullptr if none are sent.
  SpanSender* spans() { return spans_.get(); }
  const ServiceOptions& options() const { return options_; }
  /// Open connections, for metrics; the server tells how to count them.
  std::size_t connections() const { return count_connections_ ? count_connections_() : 0; }
  void CountConnections(std::function<std::size_t()> count) {
    count_connections_ = std::move(count);
  }
  /// From now on /health says 503.
  void StartDraining() { draining_ = true; }
  bool draining() const { return draining_; }

 private:
  explicit Service(const ServiceOptions& options);
  Status OpenAnswers(std::vector<ModelSource>* models);

  ServiceOptions options_;
  Log log_;
  Metrics metrics_;
  KeyRing keys_;
  Admission admission_;
  std::unique_ptr<reasoning::TraceStore> traces_;
  std::unique_ptr<reasoning::StoreWriter> trace_writer_;
  std::unique_ptr<SpanSender> spans_;
  std::unique_ptr<AnswerCache> answers_;
  std::unique_ptr<Models> models_;
  Sessions sessions_;
  ResponseStore responses_;
  // Last: they end first, while all of the above is there.
  std::unique_ptr<WorkerPool> workers_;
  std::unique_ptr<WorkerPool> reasoners_;
  std::atomic<bool> draining_ = false;
  std::function<std::size_t()> count_connections_;
};

}  // namespace ergo::serve
