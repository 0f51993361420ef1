// OpenAI's Responses API over the tiny model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "serve/testing/named_events.h"
#include "serve/testing/server_fixture.h"

namespace ergo::serve::testing {
namespace {

using ::testing::HasSubstr;

class ResponsesTest : public ServerTest {
 protected:
  static OrderedJson Body(OrderedJson input = "Hi") {
    return {{"model", "tiny"},
            {"input", std::move(input)},
            {"max_output_tokens", 10},
            {"temperature", 1},
            {"seed", 5}};
  }
  OrderedJson Make(const OrderedJson& body, std::string_view headers = "") const {
    const HttpReply reply = Post("/v1/responses", body.dump(), headers);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.Json();
  }
  HttpReply Delete(const std::string& path, std::string_view headers = "") const {
    return Send(Written("DELETE", path, "", headers));
  }
  static OrderedJson Tools() {
    return OrderedJson::parse(R"([{"type": "function", "name": "look", "parameters": {
        "type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"],
        "additionalProperties": false}}])");
  }
};

TEST_F(ResponsesTest, AnswersInItemsAndIsKept) {
  const OrderedJson response = Make(Body());
  EXPECT_EQ(response["object"], "response");
  EXPECT_EQ(response["status"], "incomplete");
  EXPECT_EQ(response["incomplete_details"]["reason"], "max_output_tokens");
  ASSERT_EQ(response["output"].size(), 1U);
  EXPECT_EQ(response["output"][0]["type"], "message");
  EXPECT_EQ(response["output"][0]["content"][0]["type"], "output_text");
  EXPECT_EQ(response["usage"]["output_tokens"], 10);
  const std::string path = "/v1/responses/" + response["id"].get<std::string>();
  EXPECT_EQ(Get(path).Json(), response);
  EXPECT_EQ(Get(path + "/input_items").Json()["data"][0]["content"], "Hi");
  EXPECT_EQ(Delete(path).Json()["deleted"], true);
  EXPECT_EQ(Get(path).status, 404);
  EXPECT_EQ(Delete(path).status, 404);
  OrderedJson unkept = Body();
  unkept["store"] = false;
  EXPECT_EQ(Get("/v1/responses/" + Make(unkept)["id"].get<std::string>()).status, 404);
}

TEST_F(ResponsesTest, StreamsSayWhatDocumentsSay) {
  OrderedJson body = Body();
  const OrderedJson document = Make(body);
  body["stream"] = true;
  const HttpReply reply = Post("/v1/responses", body.dump());
  ASSERT_TRUE(reply.whole);
  EXPECT_THAT(reply.body, ::testing::Not(HasSubstr("[DONE]")));
  const auto events = NamedEvents(reply);
  const auto names = NamesOf(events);
  ASSERT_GE(names.size(), 9U);
  EXPECT_EQ(names[0], "response.created");
  EXPECT_EQ(names[1], "response.in_progress");
  EXPECT_EQ(names[2], "response.output_item.added");
  EXPECT_EQ(names[3], "response.content_part.added");
  EXPECT_EQ(names[4], "response.output_text.delta");
  EXPECT_EQ(names[names.size() - 4], "response.output_text.done");
  EXPECT_EQ(names[names.size() - 3], "response.content_part.done");
  EXPECT_EQ(names[names.size() - 2], "response.output_item.done");
  EXPECT_EQ(names.back(), "response.incomplete");
  std::string text;
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].data["sequence_number"], i);
    EXPECT_EQ(events[i].data["type"], events[i].name);
    if (events[i].name == "response.output_text.delta") text += events[i].data["delta"];
  }
  EXPECT_EQ(text, document["output"][0]["content"][0]["text"]);
  const OrderedJson& last = events.back().data["response"];
  EXPECT_EQ(last["output"][0]["content"], document["output"][0]["content"]);
  EXPECT_EQ(Get("/v1/responses/" + last["id"].get<std::string>()).status, 200);
}

TEST_F(ResponsesTest, GoesOnFromAnEarlierOne) {
  const OrderedJson first = Make(Body());
  OrderedJson next = Body("And?");
  next["previous_response_id"] = first["id"];
  const OrderedJson second = Make(next);
  EXPECT_GT(second["usage"]["input_tokens"], first["usage"]["input_tokens"].get<int>() + 10);
  EXPECT_EQ(second["previous_response_id"], first["id"]);
  // The same conversation, written out.
  const OrderedJson whole = Make(Body(OrderedJson::array(
      {{{"role", "user"}, {"content", "Hi"}},
       first["output"][0],
       {{"role", "user"},
        {"content", OrderedJson::array({{{"type", "input_text"}, {"text", "And?"}}})}}})));
  EXPECT_EQ(whole["usage"]["input_tokens"], second["usage"]["input_tokens"]);
  EXPECT_EQ(whole["output"][0]["content"], second["output"][0]["content"]);
  next["previous_response_id"] = "resp_none";
  EXPECT_EQ(Post("/v1/responses", next.dump()).status, 404);
  OrderedJson told = Body();
  told["instructions"] = "Be kind.";
  EXPECT_GT(Make(told)["usage"]["input_tokens"], first["usage"]["input_tokens"]);
}

TEST_F(ResponsesTest, FunctionsAreCalledAndAnswered) {
  OrderedJson body = Body();
  body["max_output_tokens"] = 100;
  body["tools"] = Tools();
  body["tool_choice"] = "required";
  const OrderedJson response = Make(body);
  const OrderedJson call = response["output"].back();
  ASSERT_EQ(call["type"], "function_call") << response.dump();
  EXPECT_EQ(call["name"], "look");
  EXPECT_TRUE(OrderedJson::parse(call["arguments"].get<std::string>())["on"].is_boolean());
  OrderedJson next = Body(OrderedJson::array(
      {{{"type", "function_call_output"}, {"call_id", call["call_id"]}, {"output", "red"}}}));
  EXPECT_EQ(Post("/v1/responses", next.dump()).status, 400);
  next["previous_response_id"] = response["id"];
  EXPECT_EQ(Post("/v1/responses", next.dump()).status, 200);
  body["stream"] = true;
  const auto names = NamesOf(NamedEvents(Post("/v1/responses", body.dump())));
  EXPECT_THAT(names, ::testing::Contains("response.function_call_arguments.delta"));
  EXPECT_THAT(names, ::testing::Contains("response.function_call_arguments.done"));
}

TEST_F(ResponsesTest, TextHasASchema) {
  OrderedJson body = Body();
  body["text"] = {
      {"format", {{"type", "json_schema"}, {"name", "b"}, {"schema", {{"type", "boolean"}}}}}};
  const OrderedJson response = Make(body);
  const std::string text = response["output"][0]["content"][0]["text"];
  EXPECT_TRUE(OrderedJson::parse(text).is_boolean()) << text;
  EXPECT_EQ(response["status"], "completed");
}

TEST_F(ResponsesTest, AnEffortGivesReasoningItems) {
  OrderedJson body = Body("What is 12 * 3?");
  body["reasoning"] = {{"effort", "low"}};
  const OrderedJson response = Make(body);
  ASSERT_EQ(response["output"].size(), 2U) << response.dump();
  EXPECT_EQ(response["output"][0]["type"], "reasoning");
  EXPECT_EQ(response["output"][0]["content"][0]["type"], "reasoning_text");
  EXPECT_THAT(response["output"][1]["content"][0]["text"].get<std::string>(), HasSubstr("36"));
  body["stream"] = true;
  EXPECT_THAT(NamesOf(NamedEvents(Post("/v1/responses", body.dump()))),
              ::testing::Contains("response.reasoning_text.delta"));
}

TEST_F(ResponsesTest, WrongRequestsAreToldInOpenAisShape) {
  OrderedJson image = Body(OrderedJson::array(
      {{{"role", "user"}, {"content", OrderedJson::array({{{"type", "input_image"}}})}}}));
  OrderedJson search = Body();
  search["tools"] = OrderedJson::array({{{"type", "web_search"}}});
  OrderedJson background = Body();
  background["background"] = true;
  for (const OrderedJson& body : {image, search, background, OrderedJson::object(),
                                  Body(OrderedJson::array()), Body(std::string(300, 'a'))}) {
    const HttpReply reply = Post("/v1/responses", body.dump());
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_EQ(reply.Json()["error"]["type"], "invalid_request_error") << reply.body;
  }
}

class ResponseOwnersTest : public ResponsesTest {
 protected:
  void SetUp() override {
    folder_.Write("keys",
                  KeyRing::HashOf("one") + " owner=a\n" + KeyRing::HashOf("two") + " owner=b\n");
    service_options_.keys_file = folder_.path() + "/keys";
    StartServer();
  }
};

TEST_F(ResponseOwnersTest, NobodyGoesOnFromAnothers) {
  constexpr const char* kTwo = "x-api-key: two\r\n";
  const OrderedJson response = Make(Body(), "x-api-key: one\r\n");
  const std::string path = "/v1/responses/" + response["id"].get<std::string>();
  EXPECT_EQ(Get(path, kTwo).status, 404);
  EXPECT_EQ(Get(path + "/input_items", kTwo).status, 404);
  EXPECT_EQ(Delete(path, kTwo).status, 404);
  OrderedJson next = Body();
  next["previous_response_id"] = response["id"];
  EXPECT_EQ(Post("/v1/responses", next.dump(), kTwo).status, 404);
}

TEST(ResponseStoreTest, OldOnesGoAndOwnersDoNotPushEachOtherOut) {
  ResponseStore store(400, 1000);
  const StoredResponse response = {std::string(100, 'a'), "", ""};
  store.Keep("quiet", "q", response);
  for (int i = 0; i < 20; ++i) store.Keep("loud", "l" + std::to_string(i), response);
  EXPECT_TRUE(store.Find("quiet", "q"));
  EXPECT_FALSE(store.Find("loud", "q"));
  EXPECT_FALSE(store.Find("loud", "l0"));
  EXPECT_TRUE(store.Find("loud", "l19"));
  store.Keep("loud", "huge", {std::string(1000, 'a'), "", ""});
  EXPECT_FALSE(store.Find("loud", "huge"));
  EXPECT_FALSE(store.Remove("loud", "q"));
  EXPECT_TRUE(store.Remove("quiet", "q"));
  EXPECT_FALSE(store.Find("quiet", "q"));
}

}  // namespace
}  // namespace ergo::serve::testing
