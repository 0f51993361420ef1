// POST /v1/messages/count_tokens: how long a prompt of the Messages API is.
#include "serve/endpoints/all.h"
#include "serve/endpoints/anthropic_request.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kRequest = R"json({
  "type": "object",
  "required": ["messages"],
  "properties": {
    "model": {"$ref": "#/components/schemas/ModelName"},
    "messages": {"$ref": "#/components/schemas/AnthropicMessages"},
    "system": {"$ref": "#/components/schemas/AnthropicContent"},
    "tools": {"$ref": "#/components/schemas/AnthropicTools"},
    "tool_choice": {"$ref": "#/components/schemas/AnthropicToolChoice"},
    "thinking": {"$ref": "#/components/schemas/AnthropicThinking"},
    "output_config": {"$ref": "#/components/schemas/AnthropicOutput"}
  }
})json";

constexpr std::string_view kReply = R"json({
  "type": "object", "required": ["input_tokens"],
  "properties": {"input_tokens": {"type": "integer"}}
})json";

void Handle(const CallPtr& call) {
  auto model = call->service.models().Acquire(call->body.value("model", ""));
  if (!model) return call->Fail(model.error());
  auto request = ReadMessages(**model, call->body);
  if (!request) return call->Fail(request.error());
  const auto tokens = EncodeFor(**model, *request);
  if (!tokens) return call->Fail(tokens.error());
  call->Send(OrderedJson{{"input_tokens", tokens->size()}});
}

}  // namespace

const Endpoint kCountTokens = {.method = "POST",
                               .path = "/v1/messages/count_tokens",
                               .summary = "Count the tokens of a conversation (Anthropic)",
                               .errors = &kAnthropicErrors,
                               .request = kRequest,
                               .reply = kReply,
                               .handle = Handle};

}  // namespace ergo::serve
