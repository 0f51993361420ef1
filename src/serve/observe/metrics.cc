#include "serve/observe/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace ergo::serve {
namespace {

const std::vector<double> kFirstToken = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08,
                                         0.1,   0.25,  0.5,  0.75, 1.0,  2.5,  5.0,
                                         7.5,   10.0,  20.0, 40.0, 80.0, 160.0};
const std::vector<double> kBetween = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15,
                                      0.2,   0.3,    0.4,   0.5,  0.75,  1.0,  2.5,   5.0};
const std::vector<double> kRequest = {0.05, 0.1,  0.3,  0.5,   0.8,   1.0,   1.5,
                                      2.0,  2.5,  5.0,  10.0,  15.0,  20.0,  30.0,
                                      40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0};
const std::vector<double> kLength = {1,   2,    5,    10,   20,    50,    100,   200,
                                     500, 1000, 2000, 5000, 10000, 20000, 50000, 100000};

std::string Escaped(std::string_view label) {
  std::string text;
  for (const char c : label) {
    if (c == '\\' || c == '"') text += '\\';
    text += c == '\n' ? ' ' : c;
  }
  return text;
}

void Head(std::string_view name, std::string_view type, std::string_view help, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void Line(std::string_view name, std::string_view labels, double value, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "{}{{{}}} {}\n", name, labels, value);
}

double Share(std::size_t blocks, std::size_t free_blocks) {
  if (blocks == 0) return 0.0;
  return 1.0 - static_cast<double>(std::min(free_blocks, blocks)) / static_cast<double>(blocks);
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)) {
  bounds_.resize(std::min(bounds_.size(), kMostBounds));
}

void Histogram::Observe(double value) {
  const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  total_.fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

void Histogram::Write(std::string_view name, std::string_view labels, std::string* out) const {
  const auto into = std::back_inserter(*out);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    below += counts_[i].load(std::memory_order_relaxed);
    fmt::format_to(into, "{}_bucket{{{},le=\"{}\"}} {}\n", name, labels, bounds_[i], below);
  }
  below += counts_[bounds_.size()].load(std::memory_order_relaxed);
  fmt::format_to(into, "{}_bucket{{{},le=\"+Inf\"}} {}\n", name, labels, below);
  fmt::format_to(into, "{}_sum{{{}}} {}\n", name, labels, sum_.load(std::memory_order_relaxed));
  fmt::format_to(into, "{}_count{{{}}} {}\n", name, labels, below);
}

ModelMetrics::ModelMetrics()
    : first_token_seconds(kFirstToken),
      between_tokens_seconds(kBetween),
      request_seconds(kRequest),
      queue_seconds(kRequest),
      prompt_length(kLength),
      answer_length(kLength) {}

void ModelMetrics::CountFinish(std::string_view reason) {
  const auto* found = std::find(kFinishReasons.begin(), kFinishReasons.end(), reason);
  const auto at = std::min<std::ptrdiff_t>(found - kFinishReasons.begin(), 4);
  ++finished[static_cast<std::size_t>(at)];
}

ModelMetrics& Metrics::Of(const std::string& model) {
  const std::lock_guard lock(mutex_);
  return models_[model];
}

void Metrics::CountReply(std::string_view endpoint, int status) {
  const std::lock_guard lock(mutex_);
  ++replies_[{std::string(endpoint), status}];
}

std::string Metrics::Write(const std::vector<Gauges>& gauges, std::size_t connections) const {
  std::string out;
  const auto of_engine = [&](std::string_view type, std::string_view name, std::string_view help,
                             auto value) {
    Head(name, type, help, &out);
    for (const Gauges& one : gauges) {
      Line(name, fmt::format("model_name=\"{}\"", Escaped(one.model)),
           static_cast<double>(value(one.stats)), &out);
    }
  };
  using Stats = runtime::LoopStats;
  of_engine("gauge", "vllm:num_requests_running", "Sequences in the steps of the engine",
            [](const Stats& stats) { return stats.running; });
  of_engine("gauge", "vllm:num_requests_waiting", "Sequences that wait for admission",
            [](const Stats& stats) { return stats.waiting; });
  of_engine("gauge", "vllm:kv_cache_usage_perc",
            "Share of the blocks of keys and values in use (1: all)",
            [](const Stats& stats) { return Share(stats.blocks, stats.free_blocks); });
  of_engine("gauge", "ergo:kv_cache_bytes", "Bytes of keys and values, remembered ones included",
            [](const Stats& stats) { return stats.kv_bytes; });

  const std::lock_guard lock(mutex_);
  const auto counter = [&](std::string_view name, std::string_view help, auto value) {
    Head(name, "counter", help, &out);
    for (const auto& [model, metrics] : models_) {
      Line(name, fmt::format("model_name=\"{}\"", Escaped(model)),
           static_cast<double>(value(metrics)), &out);
    }
  };
  counter("vllm:prompt_tokens_total", "Tokens of prompts",
          [](const ModelMetrics& m) { return m.prompt_tokens.load(); });
  counter("vllm:generation_tokens_total", "Tokens that were drawn",
          [](const ModelMetrics& m) { return m.generation_tokens.load(); });
  counter("vllm:prefix_cache_queries_total", "Tokens of prompts that were looked up",
          [](const ModelMetrics& m) { return m.prefix_queries.load(); });
  counter("vllm:prefix_cache_hits_total", "Of these, computed already",
          [](const ModelMetrics& m) { return m.prefix_hits.load(); });
  of_engine("counter", "vllm:num_preemptions_total", "Sequences whose memory went to others",
            [](const Stats& stats) { return stats.preemptions; });

  Head("vllm:request_success_total", "counter", "Answers by the reason of their end", &out);
  for (const auto& [model, metrics] : models_) {
    for (std::size_t i = 0; i < metrics.finished.size(); ++i) {
      Line("vllm:request_success_total",
           fmt::format("model_name=\"{}\",finished_reason=\"{}\"", Escaped(model),
                       ModelMetrics::kFinishReasons[i]),
           static_cast<double>(metrics.finished[i].load()), &out);
    }
  }
  const auto histogram = [&](std::string_view name, std::string_view help,
                             Histogram ModelMetrics::*member) {
    Head(name, "histogram", help, &out);
    for (const auto& [model, metrics] : models_) {
      (metrics.*member).Write(name, fmt::format("model_name=\"{}\"", Escaped(model)), &out);
    }
  };
  histogram("vllm:time_to_first_token_seconds", "From the request to its first token",
            &ModelMetrics::first_token_seconds);
  histogram("vllm:inter_token_latency_seconds", "Between tokens of an answer, mean of each answer",
            &ModelMetrics::between_tokens_seconds);
  histogram("vllm:e2e_request_latency_seconds", "From the request to the end of its answer",
            &ModelMetrics::request_seconds);
  histogram("vllm:request_queue_time_seconds", "Before the first step",
            &ModelMetrics::queue_seconds);
  histogram("vllm:request_prompt_tokens", "Tokens of each prompt", &ModelMetrics::prompt_length);
  histogram("vllm:request_generation_tokens", "Tokens of each answer",
            &ModelMetrics::answer_length);

  Head("ergo:http_requests_total", "counter", "Replies by endpoint and status", &out);
  for (const auto& [key, count] : replies_) {
    Line("ergo:http_requests_total",
         fmt::format("endpoint=\"{}\",status=\"{}\"", Escaped(key.first), key.second),
         static_cast<double>(count), &out);
  }
  Head("ergo:requests_refused_total", "counter", "Over a budget, or the queue was full", &out);
  fmt::format_to(std::back_inserter(out), "ergo:requests_refused_total {}\n", refused.load());
  Head("ergo:connections", "gauge", "Open connections", &out);
  fmt::format_to(std::back_inserter(out), "ergo:connections {}\n", connections);
  return out;
}

}  // namespace ergo::serve
