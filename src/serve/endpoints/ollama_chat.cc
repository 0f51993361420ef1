// POST /api/chat: Ollama's chat.
#include <fmt/format.h>

#include <utility>

#include "serve/endpoints/all.h"
#include "serve/endpoints/ollama_fields.h"
#include "serve/endpoints/openai_fields.h"
#include "serve/endpoints/template_messages.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kRequest = R"json({
  "type": "object",
  "required": ["model"],
  "properties": {
    "model": {"$ref": "#/components/schemas/ModelName"},
    "messages": {"type": ["array", "null"], "maxItems": 16384, "items": {
      "type": "object", "required": ["role"], "properties": {
        "role": {"type": "string", "enum": ["system", "user", "assistant", "tool"]},
        "content": {"type": ["string", "null"]}, "thinking": {"type": ["string", "null"]},
        "images": {"type": ["array", "null"], "maxItems": 64},
        "tool_name": {"type": ["string", "null"]}, "name": {"type": ["string", "null"]},
        "tool_calls": {"type": ["array", "null"], "maxItems": 128, "items": {
          "type": "object", "required": ["function"], "properties": {
            "function": {"type": "object", "required": ["name"], "properties": {
              "name": {"type": "string"}, "arguments": {"type": "object"}}}}}}}}},
    "tools": {"anyOf": [{"type": "null"}, {"type": "array", "maxItems": 512,
              "items": {"$ref": "#/components/schemas/Tool"}}]},
    "format": {"description": "json, or a JSON schema", "type": ["string", "object", "null"]},
    "options": {"$ref": "#/components/schemas/OllamaOptions"},
    "stream": {"type": ["boolean", "null"], "default": true},
    "think": {"type": ["boolean", "string", "null"]},
    "effort": {"$ref": "#/components/schemas/ReasoningEffort"},
    "keep_alive": {"type": ["string", "number", "null"]}
  }
})json";

constexpr std::string_view kReply = R"json({
  "type": "object", "required": ["model", "created_at", "message", "done"],
  "properties": {
    "model": {"type": "string"}, "created_at": {"type": "string"}, "done": {"type": "boolean"},
    "message": {"type": "object", "required": ["role", "content"]},
    "done_reason": {"type": "string"}, "total_duration": {"type": "integer"},
    "prompt_eval_count": {"type": "integer"}, "eval_count": {"type": "integer"}}
})json";

void Put(const GenerationEvent& part, OrderedJson* reply) {
  OrderedJson message = {{"role", "assistant"}, {"content", part.text}};
  if (!part.thought.empty()) message["thinking"] = part.thought;
  for (const ToolCall& call : part.calls) {
    auto arguments = ParseOrderedJson(call.arguments, "arguments");
    message["tool_calls"].push_back(
        {{"function",
          {{"name", call.name},
           {"arguments", arguments ? *std::move(arguments) : OrderedJson::object()}}}});
  }
  (*reply)["message"] = std::move(message);
}

/// In this API calls have no ids: a result belongs to the call that stands before it.
Served<OrderedJson> ReadConversation(const OrderedJson& list) {
  TemplateMessages messages;
  std::size_t calls = 0;
  std::size_t results = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const OrderedJson& message = list[i];
    const std::string role = message["role"];
    const auto text = Field<std::string>(message, "content", {});
    if (const auto images = message.find("images");
        images != message.end() && images->is_array() && !images->empty()) {
      return Refuse(FailureKind::kInvalid,
                    fmt::format("messages[{}].images: this model reads text only", i),
                    "unsupported_content", "messages");
    }
    if (role == "tool") {
      if (!messages.AddResult(fmt::format("call_{}", results++), text)) {
        return Refuse(FailureKind::kInvalid,
                      fmt::format("messages[{}]: no call of a tool stands before it", i),
                      "invalid_value", "messages");
      }
      continue;
    }
    if (role != "assistant") {
      messages.AddText(role, text);
      continue;
    }
    TemplateMessages::Turn turn = {text, Field<std::string>(message, "thinking", {})};
    for (const OrderedJson& call : Field(message, "tool_calls", OrderedJson::array())) {
      const OrderedJson& function = call["function"];
      turn.calls.push_back(
          TemplateMessages::CallOf(fmt::format("call_{}", calls++), function["name"],
                                   function.value("arguments", OrderedJson::object())));
    }
    messages.AddTurn(std::move(turn));
  }
  return std::move(messages).Take();
}

void Handle(const CallPtr& call) {
  const OrderedJson& body = call->body;
  auto model = OllamaModel(call->service, body["model"]);
  if (!model) return call->Fail(model.error());
  const OrderedJson list = Field(body, "messages", OrderedJson::array());
  if (list.empty()) {
    // Asks for the model to be loaded.
    OrderedJson reply = OllamaHead((*model)->name);
    Put({}, &reply);
    reply["done"] = true;
    reply["done_reason"] = "load";
    return call->Send(reply);
  }
  auto request = ReadOllama(**model, body);
  if (!request) return call->Fail(request.error());
  auto conversation = ReadConversation(list);
  if (!conversation) return call->Fail(conversation.error());
  generate::ChatInput chat;
  chat.messages = *std::move(conversation);
  chat.variables = OllamaVariables(body);
  request->prompt = std::move(chat);
  auto tools = ReadTools(body);
  if (!tools) return call->Fail(tools.error());
  request->tools = *std::move(tools);
  Answer(call, *model, *std::move(request), FollowOllama(call, (*model)->name, Put));
}

}  // namespace

const Endpoint kOllamaChat = {.method = "POST",
                              .path = "/api/chat",
                              .summary = "Answer a conversation (Ollama)",
                              .errors = &kOllamaErrors,
                              .request = kRequest,
                              .reply = kReply,
                              .stream_type = "application/x-ndjson",
                              .handle = Handle};

}  // namespace ergo::serve
