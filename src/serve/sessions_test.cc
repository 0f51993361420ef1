// Sessions over the wire: branches that are forked, extended, scored and dropped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "serve/testing/named_events.h"
#include "serve/testing/server_fixture.h"

namespace ergo::serve::testing {
namespace {

using ::testing::HasSubstr;

class SessionsTest : public ServerTest {
 protected:
  std::string Create(std::string_view prompt = "Once upon") const {
    const OrderedJson body = {{"prompt", prompt}};
    const HttpReply reply = Post("/v1/sessions", body.dump());
    EXPECT_EQ(reply.status, 200) << reply.body;
    return "/v1/sessions/" + reply.Json().value("id", "");
  }
  HttpReply Delete(const std::string& path, std::string_view headers = "") const {
    return Send(Written("DELETE", path, "", headers));
  }
};

TEST_F(SessionsTest, ManyBranchesGoOnAtOnce) {
  const std::string session = Create();
  const HttpReply reply = Post(session + "/extend", R"({"max_tokens": 6, "temperature": 1,
      "seed": 3, "ignore_eos": true, "branches": [{"n": 3}, {"append": " a"}]})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const OrderedJson branches = reply.Json()["branches"];
  ASSERT_EQ(branches.size(), 4U);
  for (const OrderedJson& branch : branches) {
    EXPECT_EQ(branch["parent"], "b0");
    EXPECT_EQ(branch["drawn_tokens"], 6);
    EXPECT_EQ(branch["finish_reason"], "length");
  }
  EXPECT_NE(branches[0]["text"], branches[1]["text"]);
  EXPECT_THAT(branches[3]["text"].get<std::string>(), ::testing::StartsWith(" a"));
  EXPECT_EQ(branches[3]["tokens"], branches[0]["tokens"].get<int>() + 2);

  // What was drawn in two requests is what one would have drawn, where nothing is random.
  const std::string greedy = R"("temperature": 0, "ignore_eos": true)";
  const OrderedJson whole =
      Post(session + "/extend", R"({"max_tokens": 8, )" + greedy + "}").Json()["branches"][0];
  const OrderedJson half =
      Post(session + "/extend", R"({"max_tokens": 4, )" + greedy + "}").Json()["branches"][0];
  const OrderedJson rest =
      Post(session + "/extend", R"({"max_tokens": 4, )" + greedy + R"(, "branches": [{"from": ")" +
                                    half["id"].get<std::string>() + "\"}]}")
          .Json()["branches"][0];
  EXPECT_EQ(whole["text"].get<std::string>(),
            half["text"].get<std::string>() + rest["text"].get<std::string>());
  const OrderedJson shown = Get(session).Json();
  EXPECT_EQ(shown["branches"].size(), 8U);
}

TEST_F(SessionsTest, StreamsTellEachBranch) {
  const std::string session = Create();
  const std::string body = R"({"max_tokens": 6, "temperature": 1, "seed": 3, "ignore_eos": true,
      "branches": [{"n": 3}])";
  const OrderedJson document = Post(session + "/extend", body + "}").Json();
  const HttpReply reply = Post(session + "/extend", body + R"(, "stream": true})");
  ASSERT_TRUE(reply.whole);
  const auto events = NamedEvents(reply);
  std::vector<std::string> texts(3);
  int ended = 0;
  for (const NamedEvent& event : events) {
    if (event.name == "branch.delta") {
      texts.at(event.data["index"].get<std::size_t>()) += event.data["text"].get<std::string>();
    }
    ended += event.name == "branch.end" ? 1 : 0;
  }
  EXPECT_EQ(ended, 3);
  EXPECT_EQ(events.back().name, "done");
  EXPECT_EQ(events.back().data["usage"]["completion_tokens"], 18);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(texts[i], document["branches"][i]["text"]);
}

TEST_F(SessionsTest, ScoresAreThoseOfTheModel) {
  const std::string session = Create();
  const HttpReply reply =
      Post(session + "/score", R"({"continuations": ["a", "b", "ab", [10, 11]]})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const OrderedJson scores = reply.Json()["scores"];
  ASSERT_EQ(scores.size(), 4U);
  EXPECT_EQ(scores[2]["logprobs"].size(), 2U);
  EXPECT_FLOAT_EQ(scores[2]["logprobs"][0].get<float>(), scores[0]["logprob"].get<float>());
  for (const OrderedJson& score : scores) EXPECT_LT(score["logprob"], 0.0);
  // A fork with a text that is not computed yet: scores are those behind it.
  const OrderedJson fork = Post(session + "/fork", R"({"append": "a"})").Json()["branches"][0];
  const OrderedJson behind =
      Post(session + "/score",
           R"({"from": ")" + fork["id"].get<std::string>() + R"(", "continuations": ["b"]})")
          .Json()["scores"][0];
  EXPECT_NEAR(behind["logprob"].get<double>(), scores[2]["logprobs"][1].get<double>(), 1e-4);
}

TEST_F(SessionsTest, ForksAreBranchesOfTheirOwn) {
  const std::string session = Create();
  const HttpReply reply = Post(session + "/fork", R"({"n": 2, "append": " x"})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const OrderedJson forks = reply.Json()["branches"];
  ASSERT_EQ(forks.size(), 2U);
  EXPECT_NE(forks[0]["id"], forks[1]["id"]);
  const std::string greedy =
      R"({"max_tokens": 5, "temperature": 0, "ignore_eos": true, "branches": )";
  const OrderedJson of_fork =
      Post(session + "/extend",
           greedy + R"([{"from": ")" + forks[0]["id"].get<std::string>() + "\"}]}")
          .Json()["branches"][0];
  const OrderedJson appended =
      Post(session + "/extend", greedy + R"([{"append": " x"}]})").Json()["branches"][0];
  EXPECT_EQ(of_fork["drawn"], appended["drawn"]);
  EXPECT_EQ(Delete(session + "/branches/" + forks[1]["id"].get<std::string>()).status, 200);
  EXPECT_EQ(Delete(session + "/branches/" + forks[1]["id"].get<std::string>()).status, 404);
}

TEST_F(SessionsTest, ADropGivesKeysAndValuesBack) {
  const std::string session = Create();
  Post(session + "/extend", R"({"max_tokens": 6, "branches": [{"n": 4}]})");
  EXPECT_GT(Stats().idle, 0U);
  EXPECT_EQ(Delete(session).status, 200);
  EXPECT_TRUE(Soon([&] { return Stats().idle == 0 && Stats().running == 0; }));
  EXPECT_EQ(Get(session).status, 404);
  EXPECT_EQ(Delete(session).status, 404);
  EXPECT_EQ(Get("/v1/sessions").Json()["data"].size(), 0U);
}

TEST_F(SessionsTest, MessagesMakeAPrompt) {
  const HttpReply reply =
      Post("/v1/sessions", R"({"messages": [{"role": "user", "content": "Hi"}]})");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_GT(reply.Json()["branches"][0]["tokens"], 10);
}

TEST_F(SessionsTest, WhatIsDrawnMayHaveASchema) {
  const OrderedJson json = Post(Create() + "/extend", R"({"max_tokens": 60, "json_schema":
      {"type": "boolean"}, "branches": [{"n": 2}]})")
                               .Json();
  for (const OrderedJson& branch : json["branches"]) {
    EXPECT_TRUE(OrderedJson::parse(branch["drawn"].get<std::string>()).is_boolean());
  }
}

TEST_F(SessionsTest, WrongRequestsAreRefused) {
  const std::string session = Create();
  const std::pair<std::string, std::string> wrong[] = {
      {"/v1/sessions", "{}"},
      {"/v1/sessions", R"({"prompt": [99999]})"},
      {"/v1/sessions", R"({"prompt": ")" + std::string(300, 'a') + "\"}"},
      {"/v1/sessions", R"({"prompt": "a", "messages": [{"role": "user", "content": "Hi"}]})"},
      {session + "/extend", "{}"},
      {session + "/extend", R"({"max_tokens": 1, "branches": [{"n": 1024}, {"n": 1}]})"},
      {session + "/extend", R"({"max_tokens": 1, "temperature": -1})"},
      {session + "/extend", R"({"max_tokens": 1, "branches": [{"append": [-1]}]})"},
      {session + "/score", R"({"continuations": []})"},
      {session + "/score", R"({"continuations": [[]]})"},
      {session + "/fork", R"({"append": ")" + std::string(300, 'a') + "\"}"}};
  for (const auto& [path, body] : wrong) {
    const HttpReply reply = Post(path, body);
    EXPECT_EQ(reply.status, 400) << path << " " << body << ": " << reply.body;
    EXPECT_FALSE(reply.Json()["error"]["message"].get<std::string>().empty());
  }
  EXPECT_EQ(Post(session + "/extend", R"({"max_tokens": 1, "branches": [{"from": "b9"}]})").status,
            404);
  EXPECT_EQ(Post("/v1/sessions/ses_no/extend", R"({"max_tokens": 1})").status, 404);
  EXPECT_THAT(Post("/v1/sessions", R"({"prompt": ")" + std::string(300, 'a') + "\"}").body,
              HasSubstr("256"));
}

class SessionLimitsTest : public SessionsTest {
 protected:
  void SetUp() override {
    folder_.Write("keys",
                  KeyRing::HashOf("one") + " owner=a\n" + KeyRing::HashOf("two") + " owner=b\n");
    service_options_.keys_file = folder_.path() + "/keys";
    service_options_.sessions.of_owner = 2;
    service_options_.sessions.branches = 4;
    service_options_.sessions.idle = std::chrono::milliseconds(700);
    StartServer();
  }
};

TEST_F(SessionLimitsTest, SessionsAreTheirOwnersAndEndWhenIdle) {
  constexpr const char* kOne = "x-api-key: one\r\n";
  constexpr const char* kTwo = "x-api-key: two\r\n";
  const auto create = [&](const char* key) {
    return Post("/v1/sessions", R"({"prompt": "abc"})", key);
  };
  const HttpReply first = create(kOne);
  ASSERT_EQ(first.status, 200) << first.body;
  const std::string session = "/v1/sessions/" + first.Json()["id"].get<std::string>();
  EXPECT_EQ(Get(session, kOne).status, 200);
  EXPECT_EQ(Get(session, kTwo).status, 404);
  EXPECT_EQ(Delete(session, kTwo).status, 404);
  EXPECT_EQ(Post(session + "/extend", R"({"max_tokens": 1})", kTwo).status, 404);
  EXPECT_EQ(Get("/v1/sessions", kTwo).Json()["data"].size(), 0U);
  EXPECT_EQ(Post(session + "/fork", R"({"n": 4})", kOne).status, 400);
  EXPECT_EQ(Post(session + "/fork", R"({"n": 3})", kOne).status, 200);
  EXPECT_EQ(Post(session + "/extend", R"({"max_tokens": 1})", kOne).status, 400);
  EXPECT_EQ(create(kOne).status, 200);
  const HttpReply third = create(kOne);
  EXPECT_EQ(third.status, 429);
  EXPECT_NE(third.headers.Find("Retry-After"), nullptr);
  EXPECT_EQ(create(kTwo).status, 200);
  EXPECT_TRUE(Soon([&] { return Stats().idle == 0; }));
  EXPECT_EQ(Get(session, kOne).status, 404);
}

}  // namespace
}  // namespace ergo::serve::testing
