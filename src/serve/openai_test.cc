// OpenAI's endpoints over the tiny model: documents, streams, wrong requests, clients that go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "serve/testing/server_fixture.h"

namespace ergo::serve::testing {
namespace {

using ::testing::HasSubstr;

class OpenAiTest : public ServerTest {
 protected:
  static std::string Chat(std::string_view more) {
    std::string body = R"({"model": "tiny", "messages": [{"role": "user", "content": "Hi"}],)";
    return body + R"( "max_tokens": 12, "seed": 7, "temperature": 1)" + std::string(more) + "}";
  }
  /// The text of a stream's chunks.
  static std::string Joined(const HttpReply& reply) {
    std::string text;
    for (const std::string& event : reply.Events()) {
      if (event == "[DONE]") continue;
      const OrderedJson json = OrderedJson::parse(event);
      for (const OrderedJson& choice : json["choices"]) {
        if (choice.contains("text")) text += choice["text"].get<std::string>();
        if (choice.contains("delta")) text += choice["delta"].value("content", "");
      }
    }
    return text;
  }
};

TEST_F(OpenAiTest, ChatAnswersWithUsageAndTimings) {
  const HttpReply reply = Post("/v1/chat/completions", Chat(R"(, "ignore_eos": true)"));
  ASSERT_EQ(reply.status, 200) << reply.body;
  const OrderedJson json = reply.Json();
  EXPECT_EQ(json["object"], "chat.completion");
  EXPECT_EQ(json["model"], "tiny");
  EXPECT_EQ(json["choices"][0]["message"]["role"], "assistant");
  EXPECT_EQ(json["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(json["usage"]["completion_tokens"], 12);
  EXPECT_EQ(json["usage"]["total_tokens"], json["usage"]["prompt_tokens"].get<int>() + 12);
  EXPECT_TRUE(json["usage"]["prompt_tokens_details"].contains("cached_tokens"));
  EXPECT_GT(json["timings"]["prompt_ms"], 0.0);
}

TEST_F(OpenAiTest, StreamsSayWhatDocumentsSay) {
  for (const char* more : {"", R"(, "n": 3)", R"(, "stop": ["e", "z"])"}) {
    const std::string plain = Chat(std::string(R"(, "ignore_eos": true)") + more);
    const OrderedJson document = Post("/v1/chat/completions", plain).Json();
    const HttpReply stream =
        Post("/v1/chat/completions",
             plain.substr(0, plain.size() - 1) +
                 R"(, "stream": true, "stream_options": {"include_usage": true}})");
    ASSERT_EQ(stream.status, 200);
    ASSERT_TRUE(stream.whole);
    const auto events = stream.Events();
    EXPECT_EQ(events.back(), "[DONE]");
    const OrderedJson last = OrderedJson::parse(events[events.size() - 2]);
    EXPECT_TRUE(last["choices"].empty());
    EXPECT_EQ(last["usage"]["completion_tokens"], document["usage"]["completion_tokens"]);
    std::vector<std::string> texts(document["choices"].size());
    for (std::size_t i = 0; i + 2 < events.size(); ++i) {
      const OrderedJson choice = OrderedJson::parse(events[i])["choices"][0];
      texts[choice["index"].get<std::size_t>()] += choice["delta"].value("content", "");
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
      EXPECT_EQ(texts[i], document["choices"][i]["message"]["content"]) << more;
    }
  }
}

TEST_F(OpenAiTest, TheSameSeedGivesTheSameAnswer) {
  const auto text = [&](const std::string& body) {
    return Post("/v1/chat/completions", body).Json()["choices"][0]["message"]["content"];
  };
  EXPECT_EQ(text(Chat("")), text(Chat("")));
}

TEST_F(OpenAiTest, CompletionsGiveLogprobsEchoAndTheBest) {
  const HttpReply reply = Post("/v1/completions", R"({"prompt": "abc", "max_tokens": 6, "seed": 3,
      "ignore_eos": true, "logprobs": 2, "echo": true, "n": 2, "best_of": 4})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const OrderedJson json = reply.Json();
  ASSERT_EQ(json["choices"].size(), 2u);
  double before = 0.0;
  for (const OrderedJson& choice : json["choices"]) {
    EXPECT_EQ(choice["text"].get<std::string>().substr(0, 3), "abc");
    ASSERT_EQ(choice["logprobs"]["token_logprobs"].size(), 6u);
    EXPECT_EQ(choice["logprobs"]["top_logprobs"][0].size(), 2u);
    double sum = 0.0;
    for (const OrderedJson& one : choice["logprobs"]["token_logprobs"]) sum += one.get<double>();
    if (before != 0.0) {
      EXPECT_LE(sum, before);
    }
    before = sum;
  }
  EXPECT_EQ(json["usage"]["completion_tokens"], 24);
}

TEST_F(OpenAiTest, CompletionsStream) {
  const std::string body = R"({"prompt": "abc", "max_tokens": 20, "seed": 3, "ignore_eos": true)";
  const HttpReply stream = Post("/v1/completions", body + R"(, "stream": true})");
  EXPECT_EQ(Joined(stream), Post("/v1/completions", body + "}").Json()["choices"][0]["text"]);
  EXPECT_GT(stream.chunks, 1u);
}

TEST_F(OpenAiTest, ChatLogprobs) {
  const OrderedJson json =
      Post("/v1/chat/completions", Chat(R"(, "logprobs": true, "top_logprobs": 3)")).Json();
  const OrderedJson& content = json["choices"][0]["logprobs"]["content"];
  ASSERT_FALSE(content.empty());
  EXPECT_EQ(content[0]["top_logprobs"].size(), 3u);
  EXPECT_LE(content[0]["logprob"], 0.0);
}

TEST_F(OpenAiTest, AnswersAreHeldToSchemas) {
  const HttpReply reply = Post("/v1/chat/completions", R"({
      "messages": [{"role": "user", "content": "x"}], "max_tokens": 60, "seed": 1,
      "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {
        "type": "object", "properties": {"a": {"enum": ["yes", "no"]}}, "required": ["a"],
        "additionalProperties": false}}}})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const std::string text = reply.Json()["choices"][0]["message"]["content"];
  const OrderedJson answer = OrderedJson::parse(text);
  EXPECT_THAT((std::vector<OrderedJson>{"yes", "no"}), ::testing::Contains(answer["a"]));
}

TEST_F(OpenAiTest, ARequiredCallIsMade) {
  const std::string tools =
      R"(, "max_completion_tokens": 150, "tools": [{"type": "function", "function": {
      "name": "weather", "parameters": {"type": "object", "properties": {
      "city": {"enum": ["Rome", "Oslo"]}}, "required": ["city"], "additionalProperties": false}}}],
      "tool_choice": {"type": "function", "function": {"name": "weather"}})";
  const HttpReply reply = Post("/v1/chat/completions", Chat(tools));
  ASSERT_EQ(reply.status, 200) << reply.body;
  const OrderedJson choice = reply.Json()["choices"][0];
  EXPECT_EQ(choice["finish_reason"], "tool_calls") << choice;
  const OrderedJson& call = choice["message"]["tool_calls"][0];
  EXPECT_EQ(call["function"]["name"], "weather");
  const OrderedJson arguments =
      OrderedJson::parse(call["function"]["arguments"].get<std::string>());
  EXPECT_TRUE(arguments["city"] == "Rome" || arguments["city"] == "Oslo");
  EXPECT_TRUE(choice["message"]["content"].is_null());
}

TEST_F(OpenAiTest, WrongRequestsAreToldWhatIsWrong) {
  struct Wrong {
    std::string body;
    int status;
    std::string says;
  };
  const std::string deep(200, '[');
  const std::vector<Wrong> wrong = {
      {"", 400, "JSON"},
      {"{", 400, "JSON"},
      {"[]", 400, "object"},
      {deep, 400, "nested"},
      {"{\"messages\": \"\xff\xfe\"}", 400, "UTF-8"},
      {R"({"messages": []})", 400, "messages"},
      {R"({"messages": [{"role": "king", "content": "x"}]})", 400, "messages[0].role"},
      {R"({"messages": [{"role": "user", "content": 5}]})", 400, "messages[0].content"},
      {R"({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]})", 400, "text only"},
      {Chat(R"(, "temperature": -1)"), 400, ""},
      {Chat(R"(, "top_p": 2)"), 400, "top_p"},
      {Chat(R"(, "n": 0)"), 400, "n must be"},
      {Chat(R"(, "n": 1e9)"), 400, "n must be"},
      {Chat(R"(, "stop": [""])"), 400, "stop"},
      {Chat(R"(, "logit_bias": {"x": 1})"), 400, "bias"},
      {Chat(R"(, "logit_bias": {"99999999": 1})"), 400, "biased"},
      {Chat(R"(, "response_format": {"type": "json_schema"})"), 400, "schema"},
      {Chat(R"(, "guided_regex": "(")"), 400, "regex"},
      {Chat(R"(, "tool_choice": "required")"), 400, "tools"},
      {Chat(R"(, "reasoning_effort": "much")"), 400, "reasoning_effort"},
      {R"({"model": "gpt", "messages": [{"role": "user", "content": "x"}]})", 404, "gpt"},
  };
  for (const Wrong& one : wrong) {
    const HttpReply reply =
        Post("/v1/chat/completions", one.body, one.body.empty() ? "Content-Length: 0\r\n" : "");
    EXPECT_EQ(reply.status, one.status) << one.body << reply.body;
    const OrderedJson error = reply.Json()["error"];
    EXPECT_THAT(error["message"].get<std::string>(), HasSubstr(one.says)) << one.body;
    EXPECT_TRUE(error.contains("type") && error.contains("param") && error.contains("code"));
  }
  EXPECT_EQ(Get("/v1/chat/completions").status, 405);
  EXPECT_EQ(Post("/v1/nothing", "{}").status, 404);
}

TEST_F(OpenAiTest, ContextOverflowTellsTheNumbers) {
  const std::string body =
      R"({"messages": [{"role": "user", "content": ")" + std::string(400, 'a') + "\"}]}";
  const HttpReply reply = Post("/v1/chat/completions", body);
  EXPECT_EQ(reply.status, 400);
  const OrderedJson error = reply.Json()["error"];
  EXPECT_EQ(error["code"], "context_length_exceeded");
  EXPECT_THAT(error["message"].get<std::string>(), HasSubstr("256"));
}

TEST_F(OpenAiTest, AClientThatGoesFreesItsMemory) {
  for (const bool stream : {true, false}) {
    HttpClient client(server_->port());
    client.Send(
        Written("POST", "/v1/completions",
                std::string(R"({"prompt": "abc", "max_tokens": 240, "n": 64, "ignore_eos": true)") +
                    (stream ? R"(, "stream": true})" : "}")));
    if (stream) {
      ASSERT_TRUE(client.ReadUntil("text_completion"));
    }
    ASSERT_TRUE(Soon([&] { return Stats().running > 0; }));
    client.Close();
    EXPECT_TRUE(Soon([&] {
      return Stats().running + Stats().waiting == 0 && service_->admission().alive() == 0;
    }));
  }
  const runtime::LoopStats stats = Stats();
  EXPECT_EQ(stats.blocks, stats.free_blocks);
}

TEST_F(OpenAiTest, ModelsAndPlainEndpoints) {
  EXPECT_EQ(Get("/v1/models").Json()["data"][0]["id"], "tiny");
  EXPECT_EQ(Get("/v1/models/tiny").Json()["object"], "model");
  EXPECT_EQ(Get("/v1/models/none").status, 404);
  const OrderedJson ids = Post("/tokenize", R"({"content": "hello"})").Json()["tokens"];
  EXPECT_EQ(Post("/detokenize", OrderedJson{{"tokens", ids}}.dump()).Json()["content"], "hello");
  EXPECT_EQ(Post("/detokenize", R"({"tokens": [99999]})").status, 400);
  const HttpReply text =
      Post("/apply-template", R"({"messages": [{"role": "user", "content": "Hi"}]})");
  EXPECT_THAT(text.Json()["prompt"].get<std::string>(), HasSubstr("user\nHi"));
}

TEST_F(OpenAiTest, MetricsCount) {
  Post("/v1/chat/completions", Chat(R"(, "ignore_eos": true)"));
  const HttpReply reply = Get("/metrics");
  EXPECT_EQ(reply.status, 200);
  for (const char* line :
       {"vllm:generation_tokens_total{model_name=\"tiny\"} 12\n",
        "vllm:request_success_total{model_name=\"tiny\",finished_reason=\"length\"} 1\n",
        "vllm:time_to_first_token_seconds_count{model_name=\"tiny\"} 1\n",
        "vllm:num_requests_running{model_name=\"tiny\"} 0\n"}) {
    EXPECT_THAT(reply.body, HasSubstr(line));
  }
}

TEST_F(OpenAiTest, TheDocumentNamesEveryEndpoint) {
  const OrderedJson document = Get("/openapi.json").Json();
  EXPECT_EQ(document["openapi"], "3.1.0");
  for (const Endpoint* endpoint : Endpoints()) {
    EXPECT_TRUE(document["paths"].contains(std::string(endpoint->path))) << endpoint->path;
  }
  EXPECT_EQ(document["paths"]["/v1/chat/completions"]["post"]["requestBody"]["content"]
                    ["application/json"]["schema"]["required"][0],
            "messages");
}

class KeysTest : public ServerTest {
 protected:
  void SetUp() override {
    Write("alice owner=alice requests_per_minute=1000\n");
    service_options_.keys_file = folder_.path() + "/keys";
    StartServer();
  }
  /// A line for each: "KEY fields".
  void Write(std::string text) const {
    const std::size_t space = text.find(' ');
    folder_.Write("keys", "# ours\n" + KeyRing::HashOf(text.substr(0, space)) + text.substr(space));
  }
  int StatusWith(std::string_view header) const { return Get("/v1/models", header).status; }
};

TEST_F(KeysTest, OnlyHoldersOfKeysGetIn) {
  EXPECT_EQ(StatusWith(""), 401);
  EXPECT_EQ(StatusWith("Authorization: Bearer bob\r\n"), 401);
  EXPECT_EQ(StatusWith("Authorization: Basic alice\r\n"), 401);
  EXPECT_EQ(StatusWith("Authorization: Bearer alice\r\n"), 200);
  EXPECT_EQ(StatusWith("x-api-key: alice\r\n"), 200);
  EXPECT_EQ(Get("/health").status, 200);
  Write("carol owner=carol\n");
  ASSERT_TRUE(service_->keys().Reload());
  EXPECT_EQ(StatusWith("x-api-key: alice\r\n"), 401);
  EXPECT_EQ(StatusWith("x-api-key: carol\r\n"), 200);
  folder_.Write("keys", "nonsense\n");
  EXPECT_FALSE(service_->keys().Reload());
  EXPECT_EQ(StatusWith("x-api-key: carol\r\n"), 200);
}

TEST_F(KeysTest, BudgetsEndIn429) {
  Write("dan owner=dan requests_per_minute=2\n");
  ASSERT_TRUE(service_->keys().Reload());
  const auto ask = [&] {
    return Post("/v1/completions", R"({"prompt": "a", "max_tokens": 1})", "x-api-key: dan\r\n");
  };
  EXPECT_EQ(ask().status, 200);
  EXPECT_EQ(ask().status, 200);
  const HttpReply refused = ask();
  EXPECT_EQ(refused.status, 429);
  ASSERT_NE(refused.headers.Find("Retry-After"), nullptr);
  EXPECT_GT(std::stoi(*refused.headers.Find("Retry-After")), 0);
  EXPECT_EQ(refused.Json()["error"]["code"], "rate_limit_exceeded");
}

TEST_F(KeysTest, NoOwnerSeesAnothersPrefixes) {
  folder_.Write("keys", KeyRing::HashOf("one") + " owner=a\n" + KeyRing::HashOf("two") +
                            " owner=b\n" + KeyRing::HashOf("three") + " owner=a\n");
  ASSERT_TRUE(service_->keys().Reload());
  const std::string body = R"({"prompt": ")" + std::string(200, 'q') + R"(", "max_tokens": 1})";
  const auto cached = [&](const std::string& key) {
    return Post("/v1/completions", body, "x-api-key: " + key + "\r\n")
        .Json()["usage"]["prompt_tokens_details"]["cached_tokens"]
        .get<int>();
  };
  EXPECT_EQ(cached("one"), 0);
  EXPECT_EQ(cached("two"), 0);
  EXPECT_GT(cached("three"), 0);
}

class FullTest : public ServerTest {
 protected:
  void SetUp() override {
    service_options_.most_requests = 2;
    StartServer();
  }
};

TEST_F(FullTest, AFullQueueIsToldSo) {
  const std::string body = Written(
      "POST", "/v1/completions",
      R"({"prompt": "abc", "max_tokens": 250, "n": 32, "ignore_eos": true, "stream": true})");
  HttpClient first(server_->port());
  HttpClient second(server_->port());
  first.Send(body);
  second.Send(body);
  ASSERT_TRUE(Soon([&] { return service_->admission().alive() == 2; }));
  const HttpReply refused = Post("/v1/completions", R"({"prompt": "a", "max_tokens": 1})");
  EXPECT_EQ(refused.status, 429);
  EXPECT_NE(refused.headers.Find("Retry-After"), nullptr);
  EXPECT_TRUE(first.Read().whole);
  EXPECT_TRUE(second.Read().whole);
  EXPECT_EQ(Post("/v1/completions", R"({"prompt": "a", "max_tokens": 1})").status, 200);
}

}  // namespace
}  // namespace ergo::serve::testing
