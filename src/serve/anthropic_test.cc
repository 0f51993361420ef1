// Anthropic's Messages API over the tiny model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "serve/testing/named_events.h"
#include "serve/testing/server_fixture.h"

namespace ergo::serve::testing {
namespace {

using ::testing::HasSubstr;

class AnthropicTest : public ServerTest {
 protected:
  static std::string Body(std::string_view more, std::string_view content = R"("Hi")",
                          int max_tokens = 12) {
    return R"({"model": "tiny", "seed": 7, "temperature": 1, "max_tokens": )" +
           std::to_string(max_tokens) + R"(, "messages": [{"role": "user", "content": )" +
           std::string(content) + "}]" + std::string(more) + "}";
  }
  /// One tool that the model is made to call.
  static std::string Forced(std::string_view choice) {
    const std::string more =
        R"(, "tools": [{"name": "look", "description": "Looks", "input_schema": {)"
        R"("type": "object", "properties": {"on": {"type": "boolean"}},)"
        R"( "required": ["on"], "additionalProperties": false}}], "tool_choice": )";
    return Body(more + std::string(choice), R"("Hi")", 100);
  }
  int CountOf(const std::string& body) const {
    const HttpReply reply = Post("/v1/messages/count_tokens", body);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.Json().value("input_tokens", -1);
  }
};

TEST_F(AnthropicTest, AnswersInBlocks) {
  const HttpReply reply = Post("/v1/messages", Body(R"(, "system": "Be kind.")"));
  ASSERT_EQ(reply.status, 200) << reply.body;
  const OrderedJson json = reply.Json();
  EXPECT_EQ(json["type"], "message");
  EXPECT_EQ(json["role"], "assistant");
  EXPECT_EQ(json["model"], "tiny");
  EXPECT_THAT(json["id"].get<std::string>(), ::testing::StartsWith("msg_"));
  ASSERT_EQ(json["content"].size(), 1U);
  EXPECT_EQ(json["content"][0]["type"], "text");
  EXPECT_FALSE(json["content"][0]["text"].get<std::string>().empty());
  EXPECT_EQ(json["stop_reason"], "max_tokens");
  EXPECT_TRUE(json["stop_sequence"].is_null());
  EXPECT_EQ(json["usage"]["output_tokens"], 12);
  EXPECT_GT(json["timings"]["prompt_ms"], 0.0);
}

TEST_F(AnthropicTest, CachedTokensAreCountedApart) {
  const std::string body = Body("", "\"" + std::string(150, 'q') + "\"");
  const OrderedJson first = Post("/v1/messages", body).Json()["usage"];
  const OrderedJson second = Post("/v1/messages", body).Json()["usage"];
  EXPECT_EQ(first["cache_read_input_tokens"], 0);
  EXPECT_GT(second["cache_read_input_tokens"], 0);
  EXPECT_EQ(second["input_tokens"].get<int>() + second["cache_read_input_tokens"].get<int>(),
            first["input_tokens"]);
  EXPECT_EQ(first["input_tokens"], CountOf(body.substr(0)));
}

TEST_F(AnthropicTest, StreamsSayWhatDocumentsSay) {
  const OrderedJson document = Post("/v1/messages", Body("")).Json();
  const HttpReply reply = Post("/v1/messages", Body(R"(, "stream": true)"));
  ASSERT_EQ(reply.status, 200);
  ASSERT_TRUE(reply.whole);
  const auto events = NamedEvents(reply);
  const auto names = NamesOf(events);
  ASSERT_GE(names.size(), 7U);
  EXPECT_EQ(names[0], "message_start");
  EXPECT_EQ(names[1], "ping");
  EXPECT_EQ(names[2], "content_block_start");
  EXPECT_EQ(names[names.size() - 3], "content_block_stop");
  EXPECT_EQ(names[names.size() - 2], "message_delta");
  EXPECT_EQ(names.back(), "message_stop");
  EXPECT_EQ(events[0].data["message"]["usage"]["input_tokens"],
            document["usage"]["input_tokens"].get<int>() +
                document["usage"]["cache_read_input_tokens"].get<int>());
  std::string text;
  for (const NamedEvent& event : events) {
    EXPECT_EQ(event.data["type"], event.name);
    if (event.name == "content_block_delta") text += event.data["delta"].value("text", "");
  }
  EXPECT_EQ(text, document["content"][0]["text"]);
  const OrderedJson& last = events[events.size() - 2].data;
  EXPECT_EQ(last["delta"]["stop_reason"], "max_tokens");
  EXPECT_EQ(last["usage"]["output_tokens"], 12);
}

TEST_F(AnthropicTest, AStopSequenceIsNamed) {
  const std::string text =
      Post("/v1/messages", Body("")).Json()["content"][0]["text"].get<std::string>();
  ASSERT_GE(text.size(), 4U);
  // Whole characters.
  const auto start_of = [&](std::size_t at) {
    while (at < text.size() && (text[at] & 0xC0) == 0x80) ++at;
    return at;
  };
  const std::size_t begin = start_of(2);
  const std::string stop = text.substr(begin, start_of(begin + 1) - begin);
  ASSERT_FALSE(stop.empty());
  const OrderedJson stops = OrderedJson::array({stop});
  const OrderedJson json =
      Post("/v1/messages", Body(R"(, "stop_sequences": )" + stops.dump())).Json();
  EXPECT_EQ(json["stop_reason"], "stop_sequence");
  EXPECT_EQ(json["stop_sequence"], stop);
  const auto events = NamedEvents(
      Post("/v1/messages", Body(R"(, "stream": true, "stop_sequences": )" + stops.dump())));
  EXPECT_EQ(events[events.size() - 2].data["delta"]["stop_sequence"], stop);
}

TEST_F(AnthropicTest, ToolsAreCalledAndAnswered) {
  for (const char* choice : {R"({"type": "any"})", R"({"type": "tool", "name": "look"})"}) {
    const HttpReply reply = Post("/v1/messages", Forced(choice));
    ASSERT_EQ(reply.status, 200) << reply.body;
    const OrderedJson json = reply.Json();
    ASSERT_FALSE(json["content"].empty()) << reply.body;
    const OrderedJson& block = json["content"].back();
    EXPECT_EQ(block["type"], "tool_use") << reply.body;
    EXPECT_EQ(block["name"], "look");
    EXPECT_TRUE(block["input"]["on"].is_boolean());
    EXPECT_EQ(json["stop_reason"], "tool_use");
  }
  std::string streamed = Forced(R"({"type": "any"})");
  streamed.insert(1, R"("stream": true, )");
  std::string input;
  for (const NamedEvent& event : NamedEvents(Post("/v1/messages", streamed))) {
    if (event.name == "content_block_delta") input += event.data["delta"].value("partial_json", "");
  }
  EXPECT_TRUE(OrderedJson::parse(input)["on"].is_boolean()) << input;
}

TEST_F(AnthropicTest, ResultsOfToolsAreRead) {
  const std::string call = R"({"model": "tiny", "max_tokens": 4, "messages": [
    {"role": "user", "content": [{"type": "text", "text": "Look"}]},
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": ""},
      {"type": "tool_use", "id": "c1", "name": "look", "input": {"on": true}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "ID",
      "content": [{"type": "text", "text": "It is red"}], "is_error": false}]}]})";
  std::string known = call;
  known.replace(known.find("ID"), 2, "c1");
  EXPECT_EQ(Post("/v1/messages", known).status, 200);
  const HttpReply unknown = Post("/v1/messages", call);
  EXPECT_EQ(unknown.status, 400);
  EXPECT_THAT(unknown.body, HasSubstr("messages[2].content[0].tool_use_id"));
}

TEST_F(AnthropicTest, AnAnswerThatWasBegunGoesOn) {
  const std::string plain = Body("");
  const std::string begun = R"({"max_tokens": 4, "messages": [{"role": "user", "content": "Hi"},
      {"role": "assistant", "content": "My"}]})";
  EXPECT_EQ(CountOf(R"({"messages": [{"role": "user", "content": "Hi"},
      {"role": "assistant", "content": "My"}]})"),
            CountOf(R"({"messages": [{"role": "user", "content": "Hi"}]})") + 2);
  EXPECT_EQ(Post("/v1/messages", begun).status, 200);
}

TEST_F(AnthropicTest, WrongRequestsAreToldInItsShape) {
  const std::pair<std::string, const char*> wrong[] = {
      {R"({"messages": [{"role": "user", "content": "Hi"}]})", "max_tokens"},
      {R"({"max_tokens": 1, "messages": []})", "messages"},
      {R"({"max_tokens": 1, "messages": [{"role": "system", "content": "Hi"}]})", "role"},
      {Body("", R"([{"type": "image", "source": {}}])"), "image"},
      {Body(R"(, "tools": [{"type": "web_search_20250305", "name": "web_search"}])"), "tools[0]"},
      {Body("", "\"" + std::string(300, 'q') + "\""), "256"},
      {"{", "JSON"}};
  for (const auto& [body, part] : wrong) {
    const HttpReply reply = Post("/v1/messages", body);
    EXPECT_EQ(reply.status, 400) << body;
    const OrderedJson json = reply.Json();
    EXPECT_EQ(json["type"], "error") << reply.body;
    EXPECT_EQ(json["error"]["type"], "invalid_request_error");
    EXPECT_THAT(json["error"]["message"].get<std::string>(), HasSubstr(part)) << body;
  }
}

class ThinkingTest : public AnthropicTest {
 protected:
  void SetUp() override {
    folder_.MarkThoughts();
    // A template that opens a thought where it is asked for.
    folder_.Write(
        "chat_template.jinja",
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
        "{% endfor %}<|im_start|>assistant\n{% if enable_thinking %}<think>\n{% endif %}");
    StartServer();
  }
};

TEST_F(ThinkingTest, ThoughtsAreBlocksWithABudget) {
  const std::string body = Body(R"(, "thinking": {"type": "enabled", "budget_tokens": 4})");
  const OrderedJson json = Post("/v1/messages", body).Json();
  ASSERT_GE(json["content"].size(), 2U) << json.dump();
  EXPECT_EQ(json["content"][0]["type"], "thinking");
  EXPECT_EQ(json["content"][1]["type"], "text");
  std::string streamed = body;
  streamed.insert(1, R"("stream": true, )");
  std::string thought;
  for (const NamedEvent& event : NamedEvents(Post("/v1/messages", streamed))) {
    if (event.name == "content_block_delta") thought += event.data["delta"].value("thinking", "");
  }
  EXPECT_EQ(thought, json["content"][0]["thinking"]);
  const OrderedJson plain = Post("/v1/messages", Body("")).Json();
  EXPECT_EQ(plain["content"][0]["type"], "text") << plain.dump();
}

}  // namespace
}  // namespace ergo::serve::testing
