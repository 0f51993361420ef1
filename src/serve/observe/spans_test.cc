#include "serve/observe/spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "serve/http/server.h"

namespace ergo::serve {
namespace {

using ::testing::HasSubstr;

GenerationSpan Span() {
  GenerationSpan span;
  span.begin = std::chrono::system_clock::time_point(std::chrono::seconds(5));
  span.end = span.begin + std::chrono::milliseconds(1500);
  span.model = "m";
  span.finish_reasons = {"stop"};
  span.input_tokens = 7;
  span.output_tokens = 3;
  return span;
}

TEST(Spans, AreOtlpInJson) {
  const OrderedJson json = ToOtlp({Span(), Span()}, "1.2");
  const OrderedJson& spans = json["resourceSpans"][0]["scopeSpans"][0]["spans"];
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0]["traceId"].get<std::string>().size(), 32U);
  EXPECT_EQ(spans[0]["spanId"].get<std::string>().size(), 16U);
  EXPECT_NE(spans[0]["spanId"], spans[1]["spanId"]);
  EXPECT_EQ(spans[0]["startTimeUnixNano"], "5000000000");
  EXPECT_EQ(spans[0]["endTimeUnixNano"], "6500000000");
  EXPECT_THAT(spans[0]["attributes"].dump(),
              HasSubstr(R"({"key":"gen_ai.usage.input_tokens","value":{"intValue":"7"}})"));
}

TEST(Spans, ReachTheCollector) {
  std::mutex mutex;
  std::string path;
  std::string body;
  ServerOptions options;
  options.port = 0;
  const auto server = Server::Start(options, [&](const std::shared_ptr<Exchange>& exchange) {
    {
      const std::lock_guard lock(mutex);
      path = exchange->request().path;
      body = exchange->request().body;
    }
    exchange->Send({200, "application/json", "{}"});
  });
  ASSERT_TRUE(server) << server.error().Message();
  {
    const auto sender =
        SpanSender::Create("http://127.0.0.1:" + std::to_string((*server)->port()), "1");
    ASSERT_TRUE(sender);
    (*sender)->Add(Span());
  }
  const std::lock_guard lock(mutex);
  EXPECT_EQ(path, "/v1/traces");
  EXPECT_THAT(body, HasSubstr("gen_ai.request.model"));
}

TEST(Spans, ACollectorThatIsNotThereCostsOnlyItsSpans) {
  const auto sender = SpanSender::Create("http://127.0.0.1:1/v1/traces", "1");
  ASSERT_TRUE(sender);
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < 3 * SpanSender::kMostWaiting; ++i) (*sender)->Add(Span());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  for (int i = 0; i < 500 && (*sender)->dropped == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_GT((*sender)->dropped, 0U);
  EXPECT_EQ((*sender)->sent, 0U);
}

TEST(Spans, ABadEndpointIsAnError) {
  for (const char* bad : {"", "localhost:4318", "ftp://h", "http://"}) {
    EXPECT_FALSE(SpanSender::Create(bad, "1")) << bad;
  }
}

}  // namespace
}  // namespace ergo::serve
