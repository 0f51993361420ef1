// POST /v1/responses: OpenAI's Responses API.
#include <utility>

#include "serve/endpoints/all.h"
#include "serve/endpoints/answer.h"
#include "serve/endpoints/openai_fields.h"
#include "serve/endpoints/reply_parts.h"
#include "serve/endpoints/response_builder.h"
#include "serve/endpoints/responses_request.h"
#include "serve/endpoints/template_messages.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kRequest = R"json({
  "type": "object",
  "required": ["input"],
  "properties": {
    "model": {"$ref": "#/components/schemas/ModelName"},
    "input": {"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "maxItems": 100000,
              "items": {"$ref": "#/components/schemas/ResponseItem"}}]},
    "instructions": {"type": ["string", "null"]},
    "previous_response_id": {"type": ["string", "null"]},
    "store": {"type": ["boolean", "null"]},
    "stream": {"type": ["boolean", "null"]},
    "stream_options": {"type": ["object", "null"]},
    "background": {"description": "Only false", "type": ["boolean", "null"], "enum": [false, null]},
    "max_output_tokens": {"type": ["integer", "null"], "minimum": 1, "maximum": 1073741824},
    "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
    "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "seed": {"type": ["integer", "null"], "minimum": -9007199254740992, "maximum": 9007199254740992},
    "stop": {"$ref": "#/components/schemas/Stop"},
    "ignore_eos": {"type": ["boolean", "null"]},
    "logit_bias": {"$ref": "#/components/schemas/LogitBias"},
    "tools": {"anyOf": [{"type": "null"}, {"type": "array", "maxItems": 512, "items": {
      "type": "object", "required": ["type"], "properties": {
        "type": {"type": "string"}, "name": {"type": "string", "minLength": 1, "maxLength": 128},
        "description": {"type": ["string", "null"]}, "parameters": {"type": ["object", "null"]},
        "strict": {"type": ["boolean", "null"]}}}}]},
    "tool_choice": {"anyOf": [
      {"type": ["string", "null"], "enum": ["none", "auto", "required", null]},
      {"type": "object", "required": ["type", "name"], "properties": {
        "type": {"const": "function"}, "name": {"type": "string"}}}]},
    "parallel_tool_calls": {"type": ["boolean", "null"]},
    "text": {"type": ["object", "null"], "properties": {
      "format": {"type": ["object", "null"], "required": ["type"], "properties": {
        "type": {"type": "string", "enum": ["text", "json_object", "json_schema"]},
        "name": {"type": "string"}, "schema": {"type": "object"},
        "strict": {"type": ["boolean", "null"]}}}}},
    "reasoning": {"type": ["object", "null"], "properties": {
      "effort": {"$ref": "#/components/schemas/ReasoningEffort"}}},
    "max_steps": {"type": ["integer", "null"], "minimum": 1},
    "budget_tokens": {"type": ["integer", "null"], "minimum": 1},
    "enable_thinking": {"type": ["boolean", "null"]},
    "metadata": {"type": ["object", "null"]}
  }
})json";

constexpr std::string_view kReply = R"json({"$ref": "#/components/schemas/Response"})json";

OrderedJson Given(const OrderedJson& body, const char* name, OrderedJson fallback) {
  const auto found = body.find(name);
  return found == body.end() || found->is_null() ? std::move(fallback) : *found;
}

/// The response before its output: the request's fields come back in it.
OrderedJson HeadOf(const Call& call, const std::string& model, const GenerationRequest& request) {
  const OrderedJson& body = call.body;
  OrderedJson head = {
      {"id", NewReplyId("resp_")}, {"object", "response"}, {"created_at", UnixSeconds()},
      {"status", "in_progress"},   {"error", nullptr},     {"incomplete_details", nullptr}};
  head["instructions"] = Given(body, "instructions", nullptr);
  head["max_output_tokens"] = Given(body, "max_output_tokens", nullptr);
  head["model"] = model;
  head["output"] = OrderedJson::array();
  head["parallel_tool_calls"] = Given(body, "parallel_tool_calls", true);
  head["previous_response_id"] = Given(body, "previous_response_id", nullptr);
  head["reasoning"] = {
      {"effort", request.effort.reasons() ? OrderedJson(request.effort.name) : nullptr},
      {"summary", nullptr}};
  head["store"] = Given(body, "store", true);
  head["temperature"] = request.options.sampling.temperature;
  head["text"] = Given(body, "text", {{"format", {{"type", "text"}}}});
  head["tool_choice"] = Given(body, "tool_choice", "auto");
  head["tools"] = Given(body, "tools", OrderedJson::array());
  head["top_p"] = request.options.sampling.top_p;
  head["truncation"] = "disabled";
  head["usage"] = nullptr;
  head["user"] = nullptr;
  head["metadata"] = Given(body, "metadata", OrderedJson::object());
  return head;
}

/// The conversation with what was answered.
OrderedJson Continued(OrderedJson conversation, const GenerationChoice& choice) {
  TemplateMessages messages;
  messages.Append(conversation);
  TemplateMessages::Turn turn = {choice.text, choice.thought};
  for (const ToolCall& call : choice.calls) {
    auto arguments = ParseOrderedJson(call.arguments, "arguments");
    turn.calls.push_back(TemplateMessages::CallOf(
        call.id, call.name, arguments ? *std::move(arguments) : OrderedJson::object()));
  }
  messages.AddTurn(std::move(turn));
  return std::move(messages).Take();
}

class ResponsesFollower final : public Follower {
 public:
  ResponsesFollower(CallPtr call, OrderedJson head, OrderedJson input, OrderedJson conversation)
      : call_(std::move(call)),
        input_(std::move(input)),
        conversation_(std::move(conversation)),
        builder_(std::move(head), {}) {}

  std::shared_ptr<ReplyStream> Begin() override {
    if (!Field(call_->body, "stream", false)) return nullptr;
    stream_ = call_->Stream("text/event-stream");
    builder_ = ResponseBuilder(builder_.response(), [stream = stream_](const OrderedJson& event) {
      stream->Write(ServerEvent(event["type"].get_ref<const std::string&>(), event));
    });
    builder_.Begin();
    return stream_;
  }

  void Take(GenerationEvent event) override {
    if (!stream_) return;
    builder_.Thought(event.thought);
    builder_.Text(event.text);
    for (const ToolCall& call : event.calls) builder_.Call(call);
  }

  void Ping() override {
    if (stream_) stream_->Write(": ping\n\n");
  }

  void End(Served<GenerationOutcome> outcome) override {
    if (!outcome) {
      if (!stream_) return call_->Fail(outcome.error());
      builder_.Fail(outcome.error().code, outcome.error().message);
      return stream_->Finish();
    }
    const GenerationChoice& choice = outcome->choices.front();
    if (!stream_) {
      builder_.Thought(choice.thought);
      builder_.Text(choice.text);
      for (const ToolCall& call : choice.calls) builder_.Call(call);
    }
    builder_.End(*outcome);
    const OrderedJson& response = builder_.response();
    if (response["store"].get<bool>()) {
      call_->service.responses().Keep(
          call_->principal->owner, response["id"],
          {response, std::move(input_), Continued(std::move(conversation_), choice)});
    }
    if (!stream_) return call_->Send(response);
    stream_->Finish();
  }

 private:
  CallPtr call_;
  OrderedJson input_;
  OrderedJson conversation_;
  ResponseBuilder builder_;
  std::shared_ptr<ReplyStream> stream_;
};

void Handle(const CallPtr& call) {
  const OrderedJson& body = call->body;
  OrderedJson before = OrderedJson::array();
  if (const std::string id = Field<std::string>(body, "previous_response_id", {}); !id.empty()) {
    auto stored = call->service.responses().Find(call->principal->owner, id);
    if (!stored) {
      return call->Fail({FailureKind::kNotFound,
                         "there is no stored response of this id",
                         "previous_response_not_found",
                         "previous_response_id",
                         {}});
    }
    before = std::move(stored->conversation);
  }
  auto model = call->service.models().Acquire(body.value("model", ""));
  if (!model) return call->Fail(model.error());
  auto request = ReadResponses(**model, body, before);
  if (!request) return call->Fail(request.error());
  OrderedJson head = HeadOf(*call, (*model)->name, request->generation);
  auto follower = std::make_unique<ResponsesFollower>(
      call, std::move(head), std::move(request->input), std::move(request->conversation));
  Answer(call, *model, std::move(request->generation), std::move(follower));
}

}  // namespace

const Endpoint kResponses = {.method = "POST",
                             .path = "/v1/responses",
                             .summary = "Answer items, and keep the response (OpenAI)",
                             .errors = &kOpenAiErrors,
                             .request = kRequest,
                             .reply = kReply,
                             .stream_type = "text/event-stream",
                             .handle = Handle};

}  // namespace ergo::serve
