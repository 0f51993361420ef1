// POST /api/generate: Ollama's answers to a prompt.
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
    "prompt": {"type": ["string", "null"]},
    "system": {"type": ["string", "null"]},
    "suffix": {"description": "Only empty", "type": ["string", "null"], "maxLength": 0},
    "images": {"description": "Only empty", "type": ["array", "null"], "maxItems": 0},
    "raw": {"type": ["boolean", "null"]},
    "format": {"description": "json, or a JSON schema", "type": ["string", "object", "null"]},
    "options": {"$ref": "#/components/schemas/OllamaOptions"},
    "stream": {"type": ["boolean", "null"], "default": true},
    "think": {"type": ["boolean", "string", "null"]},
    "effort": {"$ref": "#/components/schemas/ReasoningEffort"},
    "keep_alive": {"type": ["string", "number", "null"]}
  }
})json";

constexpr std::string_view kReply = R"json({
  "type": "object", "required": ["model", "created_at", "response", "done"],
  "properties": {
    "model": {"type": "string"}, "created_at": {"type": "string"}, "done": {"type": "boolean"},
    "response": {"type": "string"}, "thinking": {"type": "string"},
    "done_reason": {"type": "string"}, "total_duration": {"type": "integer"},
    "prompt_eval_count": {"type": "integer"}, "eval_count": {"type": "integer"}}
})json";

void Put(const GenerationEvent& part, OrderedJson* reply) {
  (*reply)["response"] = part.text;
  if (!part.thought.empty()) (*reply)["thinking"] = part.thought;
}

void Handle(const CallPtr& call) {
  const OrderedJson& body = call->body;
  auto model = OllamaModel(call->service, body["model"]);
  if (!model) return call->Fail(model.error());
  const auto prompt = Field<std::string>(body, "prompt", {});
  if (prompt.empty()) {
    // Asks for the model to be loaded.
    OrderedJson reply = OllamaHead((*model)->name);
    Put({}, &reply);
    reply["done"] = true;
    reply["done_reason"] = "load";
    return call->Send(reply);
  }
  auto request = ReadOllama(**model, body);
  if (!request) return call->Fail(request.error());
  request->raw = Field(body, "raw", false);
  if (request->raw || !(**model)->HasChatTemplate()) {
    request->prompt = prompt;
  } else {
    TemplateMessages messages;
    const auto system = Field<std::string>(body, "system", {});
    if (!system.empty()) messages.AddText("system", system);
    messages.AddText("user", prompt);
    generate::ChatInput chat;
    chat.messages = std::move(messages).Take();
    chat.variables = OllamaVariables(body);
    request->prompt = std::move(chat);
  }
  Answer(call, *model, *std::move(request), FollowOllama(call, (*model)->name, Put));
}

}  // namespace

const Endpoint kOllamaGenerate = {.method = "POST",
                                  .path = "/api/generate",
                                  .summary = "Answer a prompt (Ollama)",
                                  .errors = &kOllamaErrors,
                                  .request = kRequest,
                                  .reply = kReply,
                                  .stream_type = "application/x-ndjson",
                                  .handle = Handle};

}  // namespace ergo::serve
