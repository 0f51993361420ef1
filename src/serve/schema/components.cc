#include "serve/schema/components.h"

#include <map>
#include <string>

namespace ergo::serve {
namespace {

constexpr std::string_view kAnthropicContent = R"json({
  "anyOf": [{"type": "string"}, {"type": "array", "maxItems": 4096, "items": {
    "type": "object", "required": ["type"],
    "properties": {
      "type": {"type": "string"}, "text": {"type": "string"},
      "thinking": {"type": "string"}, "signature": {"type": "string"},
      "id": {"type": "string"}, "name": {"type": "string"}, "input": {"type": "object"},
      "tool_use_id": {"type": "string"}, "is_error": {"type": "boolean"},
      "content": {"anyOf": [{"type": ["string", "null"]}, {"type": "array", "maxItems": 4096, "items": {
        "type": "object", "required": ["type"],
        "properties": {"type": {"type": "string"}, "text": {"type": "string"}}}}]}}}}]
})json";

constexpr std::string_view kAnthropicMessages = R"json({
  "type": "array", "minItems": 1, "maxItems": 100000, "items": {
    "type": "object", "required": ["role", "content"],
    "properties": {"role": {"type": "string", "enum": ["user", "assistant"]},
                   "content": {"$ref": "#/components/schemas/AnthropicContent"}}}
})json";

constexpr std::string_view kAnthropicOutput = R"json({
  "type": ["object", "null"], "properties": {
    "effort": {"$ref": "#/components/schemas/ReasoningEffort"},
    "format": {"anyOf": [{"type": "null"}, {"type": "object", "required": ["type", "schema"],
      "properties": {"type": {"const": "json_schema"}, "schema": {"type": "object"}}}]}}
})json";

constexpr std::string_view kAnthropicThinking = R"json({
  "type": "object", "required": ["type"], "properties": {
    "type": {"type": "string", "enum": ["enabled", "disabled", "adaptive"]},
    "budget_tokens": {"type": "integer", "minimum": 0, "maximum": 1073741824}}
})json";

constexpr std::string_view kAnthropicToolChoice = R"json({
  "type": "object", "required": ["type"], "properties": {
    "type": {"type": "string", "enum": ["auto", "any", "tool", "none"]},
    "name": {"type": "string", "maxLength": 128},
    "disable_parallel_tool_use": {"type": "boolean"}}
})json";

constexpr std::string_view kAnthropicTools = R"json({
  "type": "array", "maxItems": 1024, "items": {
    "type": "object", "required": ["name"], "properties": {
      "type": {"type": "string"}, "name": {"type": "string", "minLength": 1, "maxLength": 128},
      "description": {"type": "string"}, "input_schema": {"type": "object"}}}
})json";

constexpr std::string_view kBranch = R"json({
  "type": "object", "required": ["id"],
  "properties": {
    "id": {"type": ["string", "null"]}, "parent": {"type": ["string", "null"]},
    "index": {"type": "integer"},
    "tokens": {"description": "Of the whole text up to here", "type": "integer"},
    "text": {"description": "What it adds to its parent", "type": "string"},
    "ended": {"description": "By a token that ends answers", "type": "boolean"},
    "drawn": {"type": "string"}, "drawn_tokens": {"type": "integer"},
    "finish_reason": {"type": "string", "enum": ["stop", "length", "cancel"]},
    "error": {"type": "object", "required": ["message"], "properties": {
      "message": {"type": "string"}, "code": {"type": "string"}}}}
})json";

constexpr std::string_view kChatMessage = R"json({
  "type": "object",
  "required": ["role"],
  "properties": {
    "role": {"type": "string", "enum": ["system", "developer", "user", "assistant", "tool", "function"]},
    "content": {"anyOf": [
      {"type": ["string", "null"]},
      {"type": "array", "maxItems": 4096, "items": {
        "type": "object", "required": ["type"],
        "properties": {"type": {"type": "string"}, "text": {"type": "string"}}}}]},
    "name": {"type": ["string", "null"]},
    "tool_call_id": {"type": ["string", "null"]},
    "reasoning_content": {"type": ["string", "null"]},
    "tool_calls": {"anyOf": [{"type": "null"}, {"type": "array", "maxItems": 128, "items": {
      "type": "object", "required": ["function"],
      "properties": {
        "id": {"type": "string"}, "type": {"type": "string"},
        "function": {"type": "object", "required": ["name"], "properties": {
          "name": {"type": "string"}, "arguments": {"type": ["string", "object"]}}}}}}]}
  }
})json";

constexpr std::string_view kEmbeddingInput = R"json({
  "anyOf": [
    {"type": "string", "minLength": 1},
    {"type": "array", "minItems": 1, "maxItems": 2048, "items": {"type": "string", "minLength": 1}},
    {"type": "array", "minItems": 1, "maxItems": 1048576,
     "items": {"type": "integer", "minimum": 0, "maximum": 2147483647}},
    {"type": "array", "minItems": 1, "maxItems": 2048,
     "items": {"$ref": "#/components/schemas/TokenIds"}}]
})json";

constexpr std::string_view kLogitBias = R"json({
  "description": "Token ids with what is added to their logits",
  "anyOf": [{"type": "null"},
            {"type": "object", "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100}}]
})json";

constexpr std::string_view kModelName = R"json({
  "type": "string", "maxLength": 1024, "description": "A name of /v1/models; empty: the first"
})json";

constexpr std::string_view kOllamaOptions = R"json({
  "type": ["object", "null"],
  "properties": {
    "num_predict": {"description": "-1: until the context is full", "type": ["integer", "null"],
                    "minimum": -2, "maximum": 1073741824},
    "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
    "top_k": {"type": ["integer", "null"], "minimum": -1, "maximum": 1073741824},
    "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "min_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "typical_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "seed": {"type": ["integer", "null"], "minimum": -9007199254740992, "maximum": 9007199254740992},
    "stop": {"$ref": "#/components/schemas/Stop"},
    "repeat_penalty": {"type": ["number", "null"], "minimum": 0.001, "maximum": 1000},
    "frequency_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
    "presence_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
    "ignore_eos": {"type": ["boolean", "null"]},
    "max_tokens": {"type": ["integer", "null"], "minimum": 1, "maximum": 1073741824},
    "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1, "maximum": 1073741824},
    "repetition_penalty": {"type": ["number", "null"], "minimum": 0.001, "maximum": 1000},
    "stop_token_ids": {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/TokenIds"}]},
    "logit_bias": {"$ref": "#/components/schemas/LogitBias"}
  }
})json";

constexpr std::string_view kReasoningEffort = R"json({
  "description": "none: the plain model; else the answer is derived in steps that are checked",
  "type": ["string", "null"],
  "enum": ["none", "minimal", "low", "medium", "high", "xhigh", "max", "auto", null]
})json";

constexpr std::string_view kResponse = R"json({
  "type": "object",
  "required": ["id", "object", "created_at", "status", "model", "output"],
  "properties": {
    "id": {"type": "string"}, "object": {"const": "response"}, "created_at": {"type": "integer"},
    "status": {"type": "string", "enum": ["completed", "incomplete", "failed", "in_progress"]},
    "model": {"type": "string"},
    "output": {"type": "array", "items": {"$ref": "#/components/schemas/ResponseItem"}},
    "error": {"type": ["object", "null"]}, "incomplete_details": {"type": ["object", "null"]},
    "usage": {"type": ["object", "null"]},
    "timings": {"$ref": "#/components/schemas/Timings"}, "trace_id": {"type": "string"}}
})json";

constexpr std::string_view kResponseItem = R"json({
  "type": "object",
  "properties": {
    "type": {"type": "string"}, "id": {"type": ["string", "null"]},
    "role": {"type": "string", "enum": ["user", "assistant", "system", "developer"]},
    "status": {"type": ["string", "null"]},
    "content": {"anyOf": [{"type": ["string", "null"]}, {"type": "array", "maxItems": 4096, "items": {
      "type": "object", "required": ["type"],
      "properties": {"type": {"type": "string"}, "text": {"type": "string"}}}}]},
    "call_id": {"type": "string"}, "name": {"type": "string"}, "arguments": {"type": "string"},
    "output": {"anyOf": [{"type": "string"}, {"type": "array", "maxItems": 4096, "items": {
      "type": "object", "required": ["type"],
      "properties": {"type": {"type": "string"}, "text": {"type": "string"}}}}]}}
})json";

constexpr std::string_view kSession = R"json({
  "type": "object", "required": ["id", "object", "created", "model", "idle_seconds"],
  "properties": {
    "id": {"type": "string"}, "object": {"const": "session"}, "created": {"type": "integer"},
    "model": {"type": "string"},
    "idle_seconds": {"description": "Unused for so long it is dropped", "type": "number"},
    "branches": {"type": "array", "items": {"$ref": "#/components/schemas/Branch"}},
    "usage": {"type": "object"}}
})json";

constexpr std::string_view kStop = R"json({
  "description": "Texts that end the answer and are not part of it",
  "anyOf": [{"type": ["string", "null"]},
            {"type": "array", "maxItems": 64, "items": {"type": "string", "minLength": 1, "maxLength": 1024}}]
})json";

constexpr std::string_view kStreamOptions = R"json({
  "anyOf": [{"type": "null"},
            {"type": "object", "properties": {"include_usage": {"type": ["boolean", "null"]}}}]
})json";

constexpr std::string_view kTimings = R"json({
  "type": "object",
  "properties": {
    "queue_ms": {"type": "number"}, "prompt_ms": {"type": "number"},
    "first_token_ms": {"type": "number"}, "decode_ms": {"type": "number"},
    "prompt_tokens_per_second": {"type": "number"}, "decode_tokens_per_second": {"type": "number"}
  }
})json";

constexpr std::string_view kTokenIds = R"json({
  "type": "array", "maxItems": 1048576, "items": {"type": "integer", "minimum": 0, "maximum": 2147483647}
})json";

constexpr std::string_view kTool = R"json({
  "type": "object",
  "required": ["type", "function"],
  "properties": {
    "type": {"type": "string", "enum": ["function"]},
    "function": {"type": "object", "required": ["name"], "properties": {
      "name": {"type": "string", "minLength": 1, "maxLength": 128},
      "description": {"type": ["string", "null"]},
      "parameters": {"type": ["object", "null"]},
      "strict": {"type": ["boolean", "null"]}}}
  }
})json";

constexpr std::string_view kUsage = R"json({
  "type": "object",
  "required": ["prompt_tokens", "completion_tokens", "total_tokens"],
  "properties": {
    "prompt_tokens": {"type": "integer"}, "completion_tokens": {"type": "integer"},
    "total_tokens": {"type": "integer"},
    "prompt_tokens_details": {"type": "object", "properties": {"cached_tokens": {"type": "integer"}}},
    "completion_tokens_details": {"type": "object", "properties": {"reasoning_tokens": {"type": "integer"}}}
  }
})json";

}  // namespace

std::span<const Component> Components() {
  static constexpr Component kComponents[] = {
      {"AnthropicContent", kAnthropicContent},
      {"AnthropicMessages", kAnthropicMessages},
      {"AnthropicOutput", kAnthropicOutput},
      {"AnthropicThinking", kAnthropicThinking},
      {"AnthropicToolChoice", kAnthropicToolChoice},
      {"AnthropicTools", kAnthropicTools},
      {"Branch", kBranch},
      {"ChatMessage", kChatMessage},
      {"EmbeddingInput", kEmbeddingInput},
      {"LogitBias", kLogitBias},
      {"ModelName", kModelName},
      {"OllamaOptions", kOllamaOptions},
      {"ReasoningEffort", kReasoningEffort},
      {"Response", kResponse},
      {"ResponseItem", kResponseItem},
      {"Session", kSession},
      {"Stop", kStop},
      {"StreamOptions", kStreamOptions},
      {"Timings", kTimings},
      {"TokenIds", kTokenIds},
      {"Tool", kTool},
      {"Usage", kUsage},
  };
  return kComponents;
}

const OrderedJson* FindComponent(std::string_view name) {
  static const auto* const kParsed = [] {
    auto* parsed = new std::map<std::string, OrderedJson, std::less<>>();
    for (const Component& component : Components()) {
      parsed->emplace(component.name, OrderedJson::parse(component.schema));
    }
    return parsed;
  }();
  const auto found = kParsed->find(name);
  return found == kParsed->end() ? nullptr : &found->second;
}

}  // namespace ergo::serve
