// OpenAI's chat: POST /v1/chat/completions.
#include <utility>

#include "serve/endpoints/all.h"
#include "serve/endpoints/answer.h"
#include "serve/endpoints/chunk_writer.h"
#include "serve/endpoints/openai_fields.h"
#include "serve/endpoints/reply_parts.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kRequest = R"json({
  "type": "object",
  "required": ["messages"],
  "properties": {
    "model": {"$ref": "#/components/schemas/ModelName"},
    "messages": {"type": "array", "minItems": 1, "maxItems": 16384,
                 "items": {"$ref": "#/components/schemas/ChatMessage"}},
    "stream": {"type": ["boolean", "null"]},
    "stream_options": {"$ref": "#/components/schemas/StreamOptions"},
    "max_tokens": {"type": ["integer", "null"], "minimum": 1, "maximum": 1073741824},
    "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1, "maximum": 1073741824},
    "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 128},
    "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
    "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "top_k": {"type": ["integer", "null"], "minimum": -1, "maximum": 1073741824},
    "min_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "typical_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "repetition_penalty": {"type": ["number", "null"], "minimum": 0.001, "maximum": 1000},
    "frequency_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
    "presence_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
    "seed": {"type": ["integer", "null"], "minimum": -9007199254740992, "maximum": 9007199254740992},
    "stop": {"$ref": "#/components/schemas/Stop"},
    "stop_token_ids": {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/TokenIds"}]},
    "ignore_eos": {"type": ["boolean", "null"]},
    "logit_bias": {"$ref": "#/components/schemas/LogitBias"},
    "logprobs": {"type": ["boolean", "null"]},
    "top_logprobs": {"type": ["integer", "null"], "minimum": 0, "maximum": 100},
    "response_format": {"anyOf": [{"type": "null"}, {"type": "object", "required": ["type"],
      "properties": {"type": {"type": "string", "enum": ["text", "json_object", "json_schema", "regex"]},
                     "pattern": {"type": "string"}, "json_schema": {"type": "object"}}}]},
    "guided_json": {"type": ["object", "string", "null"]},
    "guided_regex": {"type": ["string", "null"]},
    "guided_grammar": {"type": ["string", "null"]},
    "guided_choice": {"anyOf": [{"type": "null"}, {"type": "array", "minItems": 1, "items": {"type": "string"}}]},
    "tools": {"anyOf": [{"type": "null"}, {"type": "array", "maxItems": 512,
              "items": {"$ref": "#/components/schemas/Tool"}}]},
    "tool_choice": {"anyOf": [
      {"type": ["string", "null"], "enum": ["none", "auto", "required", null]},
      {"type": "object", "required": ["function"], "properties": {
        "type": {"type": "string"},
        "function": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}}]},
    "parallel_tool_calls": {"type": ["boolean", "null"]},
    "reasoning_effort": {"$ref": "#/components/schemas/ReasoningEffort"},
    "effort": {"$ref": "#/components/schemas/ReasoningEffort"},
    "reasoning": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {
      "effort": {"$ref": "#/components/schemas/ReasoningEffort"}}}]},
    "max_steps": {"type": ["integer", "null"], "minimum": 1},
    "budget_tokens": {"type": ["integer", "null"], "minimum": 1},
    "strategy": {"type": ["string", "null"]},
    "chat_template_kwargs": {"type": ["object", "null"]},
    "enable_thinking": {"type": ["boolean", "null"]},
    "think": {"type": ["boolean", "string", "null"]},
    "thinking": {"type": ["object", "null"]},
    "thinking_token_budget": {"type": ["integer", "null"], "minimum": 0},
    "user": {"type": ["string", "null"]}
  }
})json";

constexpr std::string_view kReply = R"json({
  "type": "object",
  "required": ["id", "object", "created", "model", "choices", "usage"],
  "properties": {
    "id": {"type": "string"}, "object": {"const": "chat.completion"}, "created": {"type": "integer"},
    "model": {"type": "string"},
    "choices": {"type": "array", "items": {"type": "object", "required": ["index", "message", "finish_reason"],
      "properties": {
        "index": {"type": "integer"},
        "message": {"type": "object", "required": ["role", "content"], "properties": {
          "role": {"const": "assistant"}, "content": {"type": ["string", "null"]},
          "reasoning_content": {"type": ["string", "null"]}, "tool_calls": {"type": "array"}}},
        "logprobs": {"type": ["object", "null"]},
        "finish_reason": {"type": "string", "enum": ["stop", "length", "tool_calls", "cancel"]}}}},
    "usage": {"$ref": "#/components/schemas/Usage"},
    "timings": {"$ref": "#/components/schemas/Timings"},
    "trace_id": {"type": "string"}
  }
})json";

OrderedJson MessageJson(const GenerationChoice& choice) {
  OrderedJson message = {{"role", "assistant"}};
  const bool blank = choice.text.find_first_not_of(" \t\r\n") == std::string::npos;
  message["content"] = choice.text;
  if (blank && !choice.calls.empty()) message["content"] = nullptr;
  if (!choice.thought.empty()) {
    message["reasoning_content"] = choice.thought;
    message["reasoning"] = choice.thought;
  }
  if (choice.calls.empty()) return message;
  message["tool_calls"] = OrderedJson::array();
  for (const ToolCall& call : choice.calls) message["tool_calls"].push_back(ToolCallJson(call));
  return message;
}

/// What stands beside the choices of an answer that was reasoned.
void AddTrace(const GenerationOutcome& outcome, OrderedJson* json) {
  if (outcome.trace_id.empty()) return;
  (*json)["trace_id"] = outcome.trace_id;
  (*json)["verdict"] = outcome.verdict;
}

class Document final : public Follower {
 public:
  Document(CallPtr call, std::shared_ptr<ServedModel> model, bool logprobs)
      : call_(std::move(call)), model_(std::move(model)), logprobs_(logprobs) {}

  void End(Served<GenerationOutcome> outcome) override {
    if (!outcome) return call_->Fail(outcome.error());
    OrderedJson json = {{"id", ReplyId("chatcmpl-", *call_)},
                        {"object", "chat.completion"},
                        {"created", UnixSeconds()},
                        {"model", model_->name}};
    json["choices"] = OrderedJson::array();
    for (const GenerationChoice& choice : outcome->choices) {
      OrderedJson item = {{"index", json["choices"].size()}, {"message", MessageJson(choice)}};
      item["logprobs"] = logprobs_ ? ChatLogprobsJson(**model_, choice.logprobs) : nullptr;
      item["finish_reason"] = choice.finish_reason;
      json["choices"].push_back(std::move(item));
    }
    json["usage"] = UsageJson(*outcome);
    json["timings"] = TimingsJson(outcome->timings);
    AddTrace(*outcome, &json);
    call_->Send(json);
  }

 private:
  CallPtr call_;
  std::shared_ptr<ServedModel> model_;
  bool logprobs_;
};

class Chunks final : public Follower {
 public:
  Chunks(CallPtr call, std::shared_ptr<ServedModel> model, bool logprobs, bool usage)
      : call_(std::move(call)), model_(std::move(model)), logprobs_(logprobs), usage_(usage) {}

  std::shared_ptr<ReplyStream> Begin() override {
    writer_.emplace(call_->Stream("text/event-stream"),
                    ChunkHead{ReplyId("chatcmpl-", *call_), "chat.completion.chunk", model_->name});
    return writer_->stream();
  }
  void Take(GenerationEvent event) override {
    if (begun_.size() <= event.choice) begun_.resize(event.choice + 1);
    if (calls_.size() <= event.choice) calls_.resize(event.choice + 1);
    const bool first = !begun_[event.choice];
    begun_[event.choice] = true;
    OrderedJson scores = nullptr;
    if (logprobs_ && !event.logprobs.empty()) scores = ChatLogprobsJson(**model_, event.logprobs);
    if (first) {
      writer_->Choice(event.choice, R"("delta":{"role":"assistant","content":""})", nullptr, {});
    }
    if (!event.thought.empty()) {
      const std::string thought = JsonText(event.thought);
      writer_->Choice(
          event.choice,
          R"("delta":{"reasoning_content":)" + thought + R"(,"reasoning":)" + thought + "}",
          nullptr, {});
    }
    if (!event.text.empty() || !scores.is_null()) {
      writer_->Choice(event.choice, R"("delta":{"content":)" + JsonText(event.text) + "}", scores,
                      {});
    }
    for (const ToolCall& call : event.calls) {
      OrderedJson item = {{"index", calls_[event.choice]++}};
      item.update(ToolCallJson(call));
      const OrderedJson delta = {{"tool_calls", OrderedJson::array({std::move(item)})}};
      writer_->Choice(event.choice, "\"delta\":" + JsonText(delta), nullptr, {});
    }
    if (!event.finish_reason.empty()) {
      writer_->Choice(event.choice, R"("delta":{})", nullptr, event.finish_reason);
    }
    writer_->Flush();
  }
  void Ping() override { writer_->Ping(); }
  void End(Served<GenerationOutcome> outcome) override {
    if (!outcome) {
      writer_->Error(call_->endpoint.errors->body(outcome.error()));
    } else if (usage_ || !outcome->trace_id.empty()) {
      OrderedJson rest = {{"usage", UsageJson(*outcome)},
                          {"timings", TimingsJson(outcome->timings)}};
      AddTrace(*outcome, &rest);
      writer_->Last(rest);
    }
    writer_->Done();
  }

 private:
  CallPtr call_;
  std::shared_ptr<ServedModel> model_;
  const bool logprobs_;
  const bool usage_;
  std::optional<ChunkWriter> writer_;
  std::vector<bool> begun_;
  std::vector<std::size_t> calls_;
};

/// The request of a body that satisfies the schema.
Served<GenerationRequest> ReadRequest(const ServedModel& model, const OrderedJson& body) {
  GenerationRequest request;
  SamplingFields fields = ReadSampling(body);
  const bool logprobs = Field(body, "logprobs", false);
  if (logprobs) fields.logprobs = Field(body, "top_logprobs", 0);
  if (!logprobs && Field(body, "top_logprobs", 0) > 0) {
    return Refuse(FailureKind::kInvalid, "top_logprobs needs logprobs to be true", "invalid_value",
                  "top_logprobs");
  }
  auto options = OptionsFor(*model.model, fields);
  if (!options) return tl::unexpected(options.error());
  request.options = std::move(*options);
  auto constraint = ReadFormat(*model.model, body);
  if (!constraint) return tl::unexpected(constraint.error());
  request.options.constraint = std::move(*constraint);
  auto tools = ReadTools(body);
  if (!tools) return tl::unexpected(tools.error());
  request.tools = std::move(*tools);
  auto effort = ReadEffort(body);
  if (!effort) return tl::unexpected(effort.error());
  request.effort = std::move(*effort);
  request.choices = Field<std::size_t>(body, "n", 1);
  generate::ChatInput chat;
  auto messages = ReadMessages(body["messages"]);
  if (!messages) return tl::unexpected(messages.error());
  chat.messages = std::move(*messages);
  const auto variables = body.find("chat_template_kwargs");
  if (variables != body.end() && variables->is_object()) chat.variables = *variables;
  if (const auto enabled = ReadThinkWish(body).enabled) {
    if (!chat.variables.is_object()) chat.variables = OrderedJson::object();
    chat.variables["enable_thinking"] = *enabled;
  }
  request.prompt = std::move(chat);
  return request;
}

void Handle(const CallPtr& call) {
  const OrderedJson& body = call->body;
  const auto model = call->service.models().Acquire(Field<std::string>(body, "model", ""));
  if (!model) return call->Fail(model.error());
  auto request = ReadRequest(**model, body);
  if (!request) return call->Fail(request.error());
  const bool logprobs = request->options.logprobs.has_value();
  std::unique_ptr<Follower> follower;
  if (Field(body, "stream", false)) {
    const auto options = body.find("stream_options");
    const bool usage =
        options != body.end() && options->is_object() && Field(*options, "include_usage", false);
    follower = std::make_unique<Chunks>(call, *model, logprobs, usage);
  } else {
    follower = std::make_unique<Document>(call, *model, logprobs);
  }
  Answer(call, *model, std::move(*request), std::move(follower));
}

}  // namespace

const Endpoint kChatCompletions = {.method = "POST",
                                   .path = "/v1/chat/completions",
                                   .summary = "Answer a chat (OpenAI)",
                                   .errors = &kOpenAiErrors,
                                   .request = kRequest,
                                   .reply = kReply,
                                   .stream_type = "text/event-stream",
                                   .handle = Handle};

}  // namespace ergo::serve
