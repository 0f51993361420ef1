// POST /v1/messages: Anthropic's Messages API.
#include <string>
#include <utility>

#include "serve/endpoints/all.h"
#include "serve/endpoints/answer.h"
#include "serve/endpoints/anthropic_request.h"
#include "serve/endpoints/reply_parts.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kRequest = R"json({
  "type": "object",
  "required": ["messages", "max_tokens"],
  "properties": {
    "model": {"$ref": "#/components/schemas/ModelName"},
    "messages": {"$ref": "#/components/schemas/AnthropicMessages"},
    "system": {"$ref": "#/components/schemas/AnthropicContent"},
    "tools": {"$ref": "#/components/schemas/AnthropicTools"},
    "tool_choice": {"$ref": "#/components/schemas/AnthropicToolChoice"},
    "thinking": {"$ref": "#/components/schemas/AnthropicThinking"},
    "output_config": {"$ref": "#/components/schemas/AnthropicOutput"},
    "max_tokens": {"type": "integer", "minimum": 1, "maximum": 1073741824},
    "stop_sequences": {"type": "array", "maxItems": 64,
                       "items": {"type": "string", "minLength": 1, "maxLength": 1024}},
    "stream": {"type": "boolean"},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "top_k": {"type": "integer", "minimum": 0, "maximum": 1048576},
    "top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "seed": {"type": "integer", "minimum": 0, "maximum": 9007199254740991},
    "metadata": {"type": ["object", "null"]},
    "service_tier": {"type": ["string", "null"]},
    "effort": {"$ref": "#/components/schemas/ReasoningEffort"},
    "max_steps": {"type": "integer", "minimum": 1, "maximum": 1048576},
    "budget_tokens": {"type": "integer", "minimum": 1, "maximum": 1073741824}
  }
})json";

constexpr std::string_view kReply = R"json({
  "type": "object",
  "required": ["id", "type", "role", "content", "model", "stop_reason", "stop_sequence", "usage"],
  "properties": {
    "id": {"type": "string"}, "type": {"const": "message"}, "role": {"const": "assistant"},
    "model": {"type": "string"},
    "content": {"type": "array", "items": {"type": "object", "required": ["type"],
      "properties": {"type": {"type": "string", "enum": ["text", "thinking", "tool_use"]}}}},
    "stop_reason": {"type": "string", "enum": ["end_turn", "max_tokens", "stop_sequence", "tool_use",
                    "model_context_window_exceeded"]},
    "stop_sequence": {"type": ["string", "null"]},
    "usage": {"type": "object", "required": ["input_tokens", "output_tokens"], "properties": {
      "input_tokens": {"type": "integer"}, "output_tokens": {"type": "integer"},
      "cache_creation_input_tokens": {"type": "integer"},
      "cache_read_input_tokens": {"type": "integer"}}},
    "timings": {"$ref": "#/components/schemas/Timings"},
    "trace_id": {"type": "string"}
  }
})json";

std::string_view StopReason(const GenerationChoice& choice) {
  if (!choice.stop_sequence.empty()) return "stop_sequence";
  if (choice.finish_reason == "tool_calls") return "tool_use";
  if (choice.context_full) return "model_context_window_exceeded";
  return choice.finish_reason == "length" ? "max_tokens" : "end_turn";
}

OrderedJson StopSequence(const GenerationChoice& choice) {
  return choice.stop_sequence.empty() ? OrderedJson(nullptr) : OrderedJson(choice.stop_sequence);
}

/// Tokens that were read from the cache do not count as input in this API.
OrderedJson UsageOf(const generate::Usage& usage) {
  return {{"input_tokens", usage.prompt_tokens - usage.cached_tokens},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", usage.cached_tokens},
          {"output_tokens", usage.completion_tokens}};
}

OrderedJson CallBlock(const ToolCall& call, OrderedJson input) {
  return {{"type", "tool_use"}, {"id", call.id}, {"name", call.name}, {"input", std::move(input)}};
}

OrderedJson Blocks(const GenerationChoice& choice) {
  OrderedJson blocks = OrderedJson::array();
  if (!choice.thought.empty()) {
    blocks.push_back({{"type", "thinking"}, {"thinking", choice.thought}, {"signature", ""}});
  }
  if (!choice.text.empty()) blocks.push_back({{"type", "text"}, {"text", choice.text}});
  for (const ToolCall& call : choice.calls) {
    auto input = ParseOrderedJson(call.arguments, "arguments");
    blocks.push_back(CallBlock(call, input ? *std::move(input) : OrderedJson::object()));
  }
  return blocks;
}

OrderedJson Head(const std::string& id, const std::string& model) {
  return {{"id", id}, {"type", "message"}, {"role", "assistant"}, {"model", model}};
}

/// The message as one document.
class Document final : public Follower {
 public:
  Document(CallPtr call, std::string model) : call_(std::move(call)), model_(std::move(model)) {}

  void End(Served<GenerationOutcome> outcome) override {
    if (!outcome) return call_->Fail(outcome.error());
    const GenerationChoice& choice = outcome->choices.front();
    OrderedJson reply = Head(NewReplyId("msg_"), model_);
    reply["content"] = Blocks(choice);
    reply["stop_reason"] = StopReason(choice);
    reply["stop_sequence"] = StopSequence(choice);
    reply["usage"] = UsageOf(outcome->usage);
    AddExtras(*outcome, &reply);
    call_->Send(reply);
  }

 private:
  CallPtr call_;
  std::string model_;
};

/// The message as events: blocks that are opened, added to and closed, one after the other.
class Events final : public Follower {
 public:
  Events(CallPtr call, std::string model, std::size_t prompt_tokens)
      : call_(std::move(call)), model_(std::move(model)), prompt_tokens_(prompt_tokens) {}

  std::shared_ptr<ReplyStream> Begin() override {
    stream_ = call_->Stream("text/event-stream");
    OrderedJson message = Head(NewReplyId("msg_"), model_);
    message["content"] = OrderedJson::array();
    message["stop_reason"] = nullptr;
    message["stop_sequence"] = nullptr;
    message["usage"] = UsageOf({.prompt_tokens = prompt_tokens_});
    Write("message_start", {{"message", std::move(message)}});
    Ping();
    return stream_;
  }

  void Take(GenerationEvent event) override {
    if (!event.thought.empty()) {
      Open("thinking", {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}});
      Delta({{"type", "thinking_delta"}, {"thinking", event.thought}});
    }
    if (!event.text.empty()) {
      Open("text", {{"type", "text"}, {"text", ""}});
      Delta({{"type", "text_delta"}, {"text", event.text}});
    }
    for (const ToolCall& call : event.calls) {
      Close();
      Open("tool_use", CallBlock(call, OrderedJson::object()));
      Delta({{"type", "input_json_delta"}, {"partial_json", call.arguments}});
      Close();
    }
  }

  void Ping() override { Write("ping", OrderedJson::object()); }

  void End(Served<GenerationOutcome> outcome) override {
    if (!outcome) {
      stream_->Write(ServerEvent("error", call_->endpoint.errors->body(outcome.error())));
      return stream_->Finish();
    }
    Close();
    const GenerationChoice& choice = outcome->choices.front();
    OrderedJson last = {
        {"delta", {{"stop_reason", StopReason(choice)}, {"stop_sequence", StopSequence(choice)}}},
        {"usage", UsageOf(outcome->usage)}};
    AddExtras(*outcome, &last);
    Write("message_delta", std::move(last));
    Write("message_stop", OrderedJson::object());
    stream_->Finish();
  }

 private:
  void Write(std::string_view type, OrderedJson fields) {
    OrderedJson event = {{"type", type}};
    event.update(fields);
    stream_->Write(ServerEvent(type, event));
  }
  void Open(std::string_view kind, OrderedJson block) {
    if (open_ == kind) return;
    Close();
    open_ = kind;
    Write("content_block_start", {{"index", index_}, {"content_block", std::move(block)}});
  }
  void Delta(OrderedJson delta) {
    Write("content_block_delta", {{"index", index_}, {"delta", std::move(delta)}});
  }
  void Close() {
    if (open_.empty()) return;
    open_ = {};
    Write("content_block_stop", {{"index", index_++}});
  }

  CallPtr call_;
  std::string model_;
  std::size_t prompt_tokens_;
  std::shared_ptr<ReplyStream> stream_;
  std::string_view open_ = {};  ///< kind of the block that is open; empty: none
  std::size_t index_ = 0;
};

void Handle(const CallPtr& call) {
  auto model = call->service.models().Acquire(call->body.value("model", ""));
  if (!model) return call->Fail(model.error());
  auto request = ReadMessages(**model, call->body);
  if (!request) return call->Fail(request.error());
  const std::string name = (*model)->name;
  if (!call->body.value("stream", false)) {
    return Answer(call, *model, *std::move(request), std::make_unique<Document>(call, name));
  }
  // The first event tells the prompt's length.
  auto tokens = EncodeFor(**model, *request);
  if (!tokens) return call->Fail(tokens.error());
  const std::size_t prompt_tokens = tokens->size();
  if (!request->effort.reasons()) request->prompt = *std::move(tokens);
  Answer(call, *model, *std::move(request), std::make_unique<Events>(call, name, prompt_tokens));
}

}  // namespace

const Endpoint kMessages = {.method = "POST",
                            .path = "/v1/messages",
                            .summary = "Answer a conversation (Anthropic)",
                            .errors = &kAnthropicErrors,
                            .request = kRequest,
                            .reply = kReply,
                            .stream_type = "text/event-stream",
                            .handle = Handle};

}  // namespace ergo::serve
