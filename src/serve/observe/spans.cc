#include "serve/observe/spans.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <string_view>
#include <utility>

namespace ergo::serve {
namespace {

constexpr std::size_t kBatch = 512;
constexpr std::chrono::milliseconds kInterval(1000);
constexpr std::chrono::milliseconds kSendTime(5000);
constexpr std::chrono::milliseconds kLastTime(1000);

std::string RandomHex(std::size_t bytes) {
  thread_local std::mt19937_64 random{std::random_device{}()};
  std::string hex;
  while (hex.size() < 2 * bytes) hex += fmt::format("{:016x}", random());
  hex.resize(2 * bytes);
  return hex;
}

OrderedJson Text(std::string_view key, const std::string& value) {
  return {{"key", key}, {"value", {{"stringValue", value}}}};
}

/// 64-bit numbers are strings in Protobuf's JSON.
OrderedJson Number(std::string_view key, std::uint64_t value) {
  return {{"key", key}, {"value", {{"intValue", std::to_string(value)}}}};
}

std::string Nanoseconds(std::chrono::system_clock::time_point time) {
  return std::to_string(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

OrderedJson Attributes(const GenerationSpan& span) {
  OrderedJson reasons = OrderedJson::array();
  for (const std::string& reason : span.finish_reasons)
    reasons.push_back({{"stringValue", reason}});
  OrderedJson attributes = OrderedJson::array(
      {Text("gen_ai.operation.name", "chat"), Text("gen_ai.provider.name", "ergo"),
       Text("gen_ai.request.model", span.model), Text("gen_ai.response.model", span.model),
       Number("gen_ai.usage.input_tokens", span.input_tokens),
       Number("gen_ai.usage.output_tokens", span.output_tokens),
       Number("gen_ai.usage.cache_read.input_tokens", span.cached_tokens)});
  attributes.push_back({{"key", "gen_ai.response.finish_reasons"},
                        {"value", {{"arrayValue", {{"values", std::move(reasons)}}}}}});
  attributes.push_back(
      {{"key", "ergo.answer.cached"}, {"value", {{"boolValue", span.from_cache}}}});
  if (span.first_token_seconds > 0.0) {
    attributes.push_back({{"key", "gen_ai.server.time_to_first_token"},
                          {"value", {{"doubleValue", span.first_token_seconds}}}});
  }
  if (!span.trace_id.empty()) attributes.push_back(Text("ergo.trace.id", span.trace_id));
  if (!span.error.empty()) attributes.push_back(Text("error.type", span.error));
  return attributes;
}

OrderedJson SpanJson(const GenerationSpan& span) {
  constexpr int kServer = 2;
  constexpr int kUnset = 0;
  constexpr int kError = 2;
  return {{"traceId", RandomHex(16)},
          {"spanId", RandomHex(8)},
          {"name", "chat " + span.model},
          {"kind", kServer},
          {"startTimeUnixNano", Nanoseconds(span.begin)},
          {"endTimeUnixNano", Nanoseconds(span.end)},
          {"attributes", Attributes(span)},
          {"status", {{"code", span.error.empty() ? kUnset : kError}}}};
}

std::size_t Forget(char*, std::size_t size, std::size_t count, void*) { return size * count; }

struct EndHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct EndList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

OrderedJson ToOtlp(const std::vector<GenerationSpan>& spans, const std::string& version) {
  OrderedJson list = OrderedJson::array();
  for (const GenerationSpan& span : spans) list.push_back(SpanJson(span));
  const OrderedJson resource = {
      {"attributes",
       OrderedJson::array({Text("service.name", "ergo"), Text("service.version", version)})}};
  const OrderedJson scope = {{"scope", {{"name", "ergo"}, {"version", version}}},
                             {"spans", std::move(list)}};
  return {{"resourceSpans",
           OrderedJson::array({OrderedJson{{"resource", resource},
                                           {"scopeSpans", OrderedJson::array({scope})}}})}};
}

Result<std::unique_ptr<SpanSender>> SpanSender::Create(std::string endpoint, std::string version) {
  const std::size_t scheme = endpoint.find("://");
  const bool good = (endpoint.starts_with("http://") || endpoint.starts_with("https://")) &&
                    endpoint.size() > scheme + 3;
  if (!good) {
    return Fail("not an http or https URL: " + endpoint, "--otlp-endpoint",
                "http://localhost:4318, say");
  }
  const std::size_t path = endpoint.find('/', scheme + 3);
  if (path == std::string::npos) {
    endpoint += "/v1/traces";
  } else if (path + 1 == endpoint.size()) {
    endpoint += "v1/traces";
  }
  static const bool kReady = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  if (!kReady) return Fail("libcurl does not start", "--otlp-endpoint");
  return std::unique_ptr<SpanSender>(new SpanSender(std::move(endpoint), std::move(version)));
}

SpanSender::SpanSender(std::string url, std::string version)
    : url_(std::move(url)), version_(std::move(version)) {
  thread_ = std::thread([this] { Run(); });
}

SpanSender::~SpanSender() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  news_.notify_all();
  thread_.join();
}

void SpanSender::Add(GenerationSpan span) {
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMostWaiting) {
      ++dropped;
      return;
    }
    waiting_.push_back(std::move(span));
    full = waiting_.size() >= kBatch;
  }
  if (full) news_.notify_one();
}

void SpanSender::Run() {
  std::unique_lock lock(mutex_);
  for (bool last = false; !last;) {
    news_.wait_for(lock, kInterval, [this] { return closing_ || waiting_.size() >= kBatch; });
    last = closing_;
    if (waiting_.empty()) continue;
    const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kBatch));
    const std::vector<GenerationSpan> batch(std::make_move_iterator(waiting_.begin()),
                                            std::make_move_iterator(waiting_.begin() + count));
    waiting_.erase(waiting_.begin(), waiting_.begin() + count);
    lock.unlock();
    (Send(batch, last ? kLastTime : kSendTime) ? sent : dropped) += batch.size();
    lock.lock();
  }
}

bool SpanSender::Send(const std::vector<GenerationSpan>& spans,
                      std::chrono::milliseconds time) const {
  const std::unique_ptr<CURL, EndHandle> handle(curl_easy_init());
  if (handle == nullptr) return false;
  const std::unique_ptr<curl_slist, EndList> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"));
  const std::string body =
      ToOtlp(spans, version_).dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  CURL* const curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(time.count()));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // other threads have their own signals
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Forget);
  long status = 0;
  if (curl_easy_perform(curl) != CURLE_OK) return false;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return status >= 200 && status < 300;
}

}  // namespace ergo::serve
