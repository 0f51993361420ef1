// /v1/generate and traces over the tiny model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "serve/testing/named_events.h"
#include "serve/testing/server_fixture.h"

namespace ergo::serve::testing {
namespace {

using ::testing::HasSubstr;

class GenerateTest : public ServerTest {
 protected:
  void SetUp() override {
    service_options_.traces.folder = folder_.path() + "/traces";
    StartServer();
  }
  /// A question that is solved without the model; the reply.
  OrderedJson Reason(std::string_view headers = "") const {
    const HttpReply reply = Post("/v1/generate", R"({"prompt": "What is 12 * 3?",
        "max_tokens": 64, "effort": "low"})",
                                 headers);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.Json();
  }
  HttpReply Delete(const std::string& path, std::string_view headers = "") const {
    return Send(Written("DELETE", path, "", headers));
  }
};

TEST_F(GenerateTest, APromptGivesAnOutput) {
  const std::string body = R"({"model": "tiny", "prompt": "Hi", "max_tokens": 9, "seed": 3,
      "temperature": 1})";
  const HttpReply reply = Post("/v1/generate", body);
  ASSERT_EQ(reply.status, 200) << reply.body;
  const OrderedJson json = reply.Json();
  EXPECT_FALSE(json["output"].get<std::string>().empty());
  EXPECT_EQ(json["usage"]["completion_tokens"], 9);
  EXPECT_FALSE(json.contains("warnings"));
  EXPECT_FALSE(json.contains("reasoning_chain"));
  std::string streamed = body;
  streamed.insert(1, R"("stream": true, )");
  std::string text;
  const auto events = NamedEvents(Post("/v1/generate", streamed));
  for (const NamedEvent& event : events) {
    if (!event.data.contains("done")) text += event.data.value("output", "");
  }
  EXPECT_EQ(text, json["output"]);
  EXPECT_EQ(events.back().data["output"], json["output"]);
}

TEST_F(GenerateTest, WhatTheModelLacksIsSaid) {
  const OrderedJson json = Post("/v1/generate", R"({"prompt": "Hi", "max_tokens": 2,
      "expert_selection": "auto", "max_steps": 4})")
                               .Json();
  ASSERT_EQ(json["warnings"].size(), 2U);
  EXPECT_THAT(json["warnings"][0].get<std::string>(), HasSubstr("no experts"));
  EXPECT_THAT(json["warnings"][1].get<std::string>(), HasSubstr("max_steps"));
}

TEST_F(GenerateTest, AnEffortGivesAChainOfSteps) {
  const OrderedJson json = Reason();
  EXPECT_THAT(json["output"].get<std::string>(), HasSubstr("36"));
  EXPECT_EQ(json["verified"], true);
  ASSERT_FALSE(json["reasoning_chain"].empty()) << json.dump();
  for (const OrderedJson& step : json["reasoning_chain"]) {
    EXPECT_FALSE(step["text"].get<std::string>().empty());
    EXPECT_EQ(step["verdict"], "verified");
  }
  EXPECT_EQ(json["trace_id"].get<std::string>().size(), 26U);
}

TEST_F(GenerateTest, WrongRequestsAreRefused) {
  for (const char* body :
       {R"({"prompt": "Hi"})", R"({"max_tokens": 3})", R"({"prompt": "Hi", "max_tokens": 0})",
        R"({"prompt": "", "max_tokens": 1})",
        R"({"prompt": "Hi", "max_tokens": 1, "effort": "huge"})"}) {
    const HttpReply reply = Post("/v1/generate", body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_EQ(reply.Json()["error"]["status"], 400);
  }
  EXPECT_EQ(
      Post("/v1/generate", R"({"prompt": ")" + std::string(400, 'a') + R"(", "max_tokens": 1})")
          .Json()["error"]["code"],
      "context_length_exceeded");
}

TEST_F(GenerateTest, TracesAreListedShownAndDeleted) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(Reason()["trace_id"]);
  ASSERT_TRUE(Soon([&] { return Get("/v1/traces?status=answered").Json()["data"].size() == 3; }));
  const OrderedJson page = Get("/v1/traces?limit=2").Json();
  ASSERT_EQ(page["data"].size(), 2U);
  EXPECT_EQ(page["has_more"], true);
  EXPECT_EQ(page["data"][0]["id"], ids[2]);
  EXPECT_EQ(page["data"][0]["question"], "What is 12 * 3?");
  const OrderedJson rest = Get("/v1/traces?limit=2&after=" + ids[1]).Json();
  ASSERT_EQ(rest["data"].size(), 1U);
  EXPECT_EQ(rest["data"][0]["id"], ids[0]);
  EXPECT_EQ(rest["has_more"], false);
  EXPECT_EQ(Get("/v1/traces?q=12%20%2A").Json()["data"].size(), 3U);
  EXPECT_EQ(Get("/v1/traces?q=nothing").Json()["data"].size(), 0U);
  EXPECT_EQ(Get("/v1/traces?strategy=nothing").Json()["data"].size(), 0U);
  EXPECT_EQ(Get("/v1/traces?limit=0").status, 400);
  EXPECT_EQ(Get("/v1/traces?limit=many").status, 400);
  EXPECT_EQ(Get("/v1/traces?status=odd").status, 400);

  const OrderedJson trace = Get("/v1/traces/" + ids[0]).Json();
  EXPECT_EQ(trace["id"], ids[0]);
  EXPECT_EQ(trace["status"], "answered");
  EXPECT_FALSE(trace["nodes"].empty());
  EXPECT_EQ(Get("/v1/traces/last").Json()["id"], ids[2]);
  EXPECT_EQ(Delete("/v1/traces/" + ids[0]).status, 200);
  EXPECT_EQ(Get("/v1/traces/" + ids[0]).status, 404);
  EXPECT_EQ(Delete("/v1/traces/" + ids[0]).status, 404);
  EXPECT_EQ(Get("/v1/traces/" + ids[0] + "/events").status, 404);
  EXPECT_EQ(Get("/v1/traces/" + ids[0] + "/export").status, 404);
}

TEST_F(GenerateTest, TracesAreExported) {
  const std::string path = "/v1/traces/" + Reason()["trace_id"].get<std::string>();
  ASSERT_TRUE(
      Soon([&] { return Get(path).status == 200 && Get(path).Json()["status"] == "answered"; }));
  const HttpReply page = Get(path + "/export");
  ASSERT_EQ(page.status, 200) << page.body;
  EXPECT_EQ(*page.headers.Find("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(*page.headers.Find("Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_THAT(page.body, HasSubstr("<html"));
  EXPECT_EQ(Get(path + "/export?format=json").Json()["answer"], Get(path).Json()["answer"]);
  EXPECT_THAT(Get(path + "/export?format=dot").body, ::testing::StartsWith("digraph"));
  EXPECT_THAT(Get(path + "/export?format=mermaid").body, HasSubstr("flowchart"));
  EXPECT_EQ(Get(path + "/export?format=pdf").status, 400);
}

TEST_F(GenerateTest, EventsAreReplayedAndFollowed) {
  const std::string path = "/v1/traces/" + Reason()["trace_id"].get<std::string>();
  ASSERT_TRUE(
      Soon([&] { return Get(path).status == 200 && Get(path).Json()["status"] == "answered"; }));
  const auto events = NamedEvents(Get(path + "/events"));
  ASSERT_GE(events.size(), 3U);
  EXPECT_EQ(events.front().name, "begin");
  EXPECT_EQ(events.back().name, "done");
  for (std::size_t i = 0; i + 1 < events.size(); ++i) EXPECT_EQ(events[i].data["seq"], i);
  EXPECT_EQ(NamedEvents(Get(path + "/events?from=2")).size(), events.size() - 2);
  EXPECT_EQ(NamedEvents(Get(path + "/events", "Last-Event-ID: 0\r\n")).size(), events.size() - 1);

  // One that is still being written.
  reasoning::StoreWriter writer(service_->traces());
  reasoning::Trace head;
  head.question = "Why?";
  auto recorder = std::make_unique<reasoning::Recorder>(head, writer.Listener());
  writer.Flush();
  HttpClient client(server_->port());
  client.Send(Written("GET", "/v1/traces/" + recorder->id() + "/events", ""));
  ASSERT_TRUE(client.ReadUntil("event: begin"));
  reasoning::TraceNode step;
  step.text = "a step";
  recorder->Add(step);
  ASSERT_TRUE(client.ReadUntil("a step"));
  EXPECT_EQ(Delete("/v1/traces/" + recorder->id()).status, 400);
  recorder->Set({{"status", "answered"}});
  recorder = nullptr;
  EXPECT_TRUE(client.ReadUntil("event: done"));
}

class TraceOwnersTest : public GenerateTest {
 protected:
  void SetUp() override {
    folder_.Write("keys",
                  KeyRing::HashOf("one") + " owner=a\n" + KeyRing::HashOf("two") + " owner=b\n");
    service_options_.keys_file = folder_.path() + "/keys";
    GenerateTest::SetUp();
  }
};

TEST_F(TraceOwnersTest, NobodySeesAnothersTraces) {
  constexpr const char* kOne = "x-api-key: one\r\n";
  constexpr const char* kTwo = "x-api-key: two\r\n";
  const std::string path = "/v1/traces/" + Reason(kOne)["trace_id"].get<std::string>();
  ASSERT_TRUE(Soon([&] { return Get(path, kOne).status == 200; }));
  EXPECT_EQ(Get("/v1/traces", kOne).Json()["data"].size(), 1U);
  EXPECT_EQ(Get("/v1/traces", kTwo).Json()["data"].size(), 0U);
  for (const char* more : {"", "/events", "/export"}) EXPECT_EQ(Get(path + more, kTwo).status, 404);
  EXPECT_EQ(Get("/v1/traces/last", kTwo).status, 404);
  EXPECT_EQ(Delete(path, kTwo).status, 404);
  EXPECT_EQ(Get(path).status, 401);
}

}  // namespace
}  // namespace ergo::serve::testing
