// Answers that were given before, through the whole server.
#include <gmock/gmock.h>

#include <fstream>

#include "serve/access/key_ring.h"
#include "serve/cache/testing/cache_folder.h"
#include "serve/cache/testing/redis_process.h"
#include "serve/testing/server_fixture.h"

namespace ergo::serve::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kGreedy =
    R"({"messages": [{"role": "user", "content": "abc"}], "max_tokens": 8, "temperature": 0})";

std::string TextOf(const HttpReply& reply) {
  return reply.Json()["choices"][0]["message"]["content"].get<std::string>();
}

bool IsHit(const HttpReply& reply) {
  const auto usage = reply.Json()["usage"];
  return usage["prompt_tokens_details"]["cached_tokens"] == usage["prompt_tokens"];
}

class CachedAnswersTest : public ServerTest {
 protected:
  CachedAnswersTest() { service_options_.answers = {}; }
  HttpReply Chat(std::string_view body = kGreedy, std::string_view headers = "") const {
    return Post("/v1/chat/completions", body, headers);
  }
  std::uint64_t Hits() const { return service_->metrics().Of("tiny").answer_hits; }
  std::uint64_t Queries() const { return service_->metrics().Of("tiny").answer_queries; }
};

TEST_F(CachedAnswersTest, TheSameRequestIsAnsweredFromMemory) {
  const HttpReply first = Chat();
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_FALSE(IsHit(first));
  const auto steps = Stats().steps;
  const HttpReply second = Chat();
  ASSERT_EQ(second.status, 200) << second.body;
  EXPECT_EQ(TextOf(second), TextOf(first));
  EXPECT_TRUE(IsHit(second));
  EXPECT_EQ(Stats().steps, steps);
  EXPECT_EQ(Hits(), 1U);
  EXPECT_EQ(Queries(), 2U);
  EXPECT_THAT(Get("/metrics").body,
              HasSubstr("ergo:answer_cache_hits_total{model_name=\"tiny\"} 1"));
}

TEST_F(CachedAnswersTest, AStreamGetsItToo) {
  const std::string text = TextOf(Chat());
  std::string body(kGreedy);
  body.insert(1, "\"stream\": true, ");
  const HttpReply stream = Chat(body);
  EXPECT_EQ(stream.status, 200);
  EXPECT_EQ(Hits(), 1U);
  EXPECT_THAT(stream.body, HasSubstr(OrderedJson(text).dump(-1, ' ', false)));
  EXPECT_THAT(stream.body, HasSubstr("\"finish_reason\":"));
  EXPECT_THAT(stream.body, HasSubstr("data: [DONE]"));
}

TEST_F(CachedAnswersTest, OtherRequestsAreComputed) {
  Chat();
  Chat(R"({"messages": [{"role": "user", "content": "abc"}], "max_tokens": 9, "temperature": 0})");
  Chat(R"({"messages": [{"role": "user", "content": "abd"}], "max_tokens": 8, "temperature": 0})");
  EXPECT_EQ(Hits(), 0U);
  const char* drawn =
      R"({"messages": [{"role": "user", "content": "abc"}], "max_tokens": 8, "temperature": 1})";
  const auto queries = Queries();
  Chat(drawn);
  Chat(drawn);
  EXPECT_EQ(Queries(), queries);  // not even looked for
  const char* seeded = R"({"messages": [{"role": "user", "content": "abc"}], "max_tokens": 8,
                           "temperature": 1, "seed": 3})";
  const std::string first = TextOf(Chat(seeded));
  EXPECT_EQ(TextOf(Chat(seeded)), first);
  EXPECT_EQ(Hits(), 1U);
}

class OwnersTest : public CachedAnswersTest {
 protected:
  void SetUp() override {
    service_options_.keys_file = cache_.path() + "/keys";
    std::ofstream(service_options_.keys_file) << KeyRing::HashOf("one") << " owner=ann\n"
                                              << KeyRing::HashOf("two") << " owner=bob\n";
    StartServer();
  }
  CacheFolder cache_;
};

TEST_F(OwnersTest, NobodyGetsTheAnswersOfAnother) {
  EXPECT_EQ(Chat(kGreedy, "Authorization: Bearer one\r\n").status, 200);
  const HttpReply other = Chat(kGreedy, "Authorization: Bearer two\r\n");
  EXPECT_EQ(other.status, 200);
  EXPECT_FALSE(IsHit(other));
  EXPECT_EQ(Hits(), 0U);
  EXPECT_TRUE(IsHit(Chat(kGreedy, "Authorization: Bearer one\r\n")));
}

class RedisAnswersTest : public CachedAnswersTest {
 protected:
  void SetUp() override {
    if (!RedisProcess::Available()) GTEST_SKIP() << "redis-server is not installed";
    redis_ = std::make_unique<RedisProcess>(cache_.path());
    service_options_.answers.redis = redis_->url();
    service_options_.answers.redis_secret = "a secret of the test";
    StartServer();
    ASSERT_TRUE(WaitFar());
  }
  bool WaitFar() {
    return Soon([this] { return service_->answers()->has_far(); });
  }
  void Restart() {
    TearDown();
    StartServer();
    ASSERT_TRUE(WaitFar());
  }
  CacheFolder cache_;
  std::unique_ptr<RedisProcess> redis_;
};

TEST_F(RedisAnswersTest, AnotherServerFindsTheAnswer) {
  const std::string text = TextOf(Chat());
  service_->answers()->far()->Flush();
  Restart();
  const HttpReply reply = Chat();
  EXPECT_EQ(TextOf(reply), text);
  EXPECT_TRUE(IsHit(reply));
  EXPECT_EQ(Hits(), 1U);
}

TEST_F(RedisAnswersTest, AServerWithAnotherSecretComputes) {
  const std::string text = TextOf(Chat());
  service_->answers()->far()->Flush();
  service_options_.answers.redis_secret = "another secret, longer";
  Restart();
  const HttpReply reply = Chat();
  EXPECT_EQ(TextOf(reply), text);
  EXPECT_EQ(Hits(), 0U);
}

TEST_F(RedisAnswersTest, KilledOrFrozenItLosesNoRequest) {
  Chat();
  redis_->Freeze();
  for (int i = 0; i < 4; ++i) {
    const std::string body = R"({"messages": [{"role": "user", "content": "f)" + std::to_string(i) +
                             R"("}], "max_tokens": 2, "temperature": 0})";
    EXPECT_EQ(Chat(body).status, 200);
  }
  redis_->Kill();
  for (int i = 0; i < 4; ++i) {
    const std::string body = R"({"messages": [{"role": "user", "content": "k)" + std::to_string(i) +
                             R"("}], "max_tokens": 2, "temperature": 0})";
    EXPECT_EQ(Chat(body).status, 200);
  }
  EXPECT_TRUE(IsHit(Chat()));  // memory is there all the same
  redis_->Start();
  EXPECT_TRUE(WaitFar());
}

TEST_F(RedisAnswersTest, TheServerEndsWhileLookUpsWait) {
  redis_->Freeze();
  HttpClient client(server_->port());
  client.Send(Written("POST", "/v1/chat/completions", kGreedy));
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  TearDown();
  EXPECT_EQ(client.Read().status, 0);
}

}  // namespace
}  // namespace ergo::serve::testing
