#include "serve/endpoints/error_shapes.h"

namespace ergo::serve {
namespace {

OrderedJson OrNull(const std::string& text) {
  return text.empty() ? OrderedJson(nullptr) : OrderedJson(text);
}

std::string_view OpenAiType(FailureKind kind) {
  switch (kind) {
    case FailureKind::kUnauthorized:
      return "authentication_error";
    case FailureKind::kForbidden:
      return "permission_error";
    case FailureKind::kTooMany:
      return "rate_limit_error";
    case FailureKind::kInternal:
      return "server_error";
    case FailureKind::kUnavailable:
      return "service_unavailable_error";
    case FailureKind::kTimeout:
      return "timeout_error";
    default:
      return "invalid_request_error";
  }
}

std::string_view AnthropicType(FailureKind kind) {
  switch (kind) {
    case FailureKind::kUnauthorized:
      return "authentication_error";
    case FailureKind::kForbidden:
      return "permission_error";
    case FailureKind::kNotFound:
      return "not_found_error";
    case FailureKind::kTooLarge:
      return "request_too_large";
    case FailureKind::kTooMany:
      return "rate_limit_error";
    case FailureKind::kUnavailable:
      return "overloaded_error";
    case FailureKind::kTimeout:
      return "timeout_error";
    case FailureKind::kInternal:
      return "api_error";
    default:
      return "invalid_request_error";
  }
}

OrderedJson OpenAiBody(const Failure& failure) {
  OrderedJson error = {{"message", failure.message}, {"type", OpenAiType(failure.kind)}};
  error["param"] = OrNull(failure.param);
  error["code"] = OrNull(failure.code);
  return {{"error", error}};
}

OrderedJson AnthropicBody(const Failure& failure) {
  OrderedJson error = {{"type", AnthropicType(failure.kind)}, {"message", failure.message}};
  return {{"type", "error"}, {"error", error}};
}

OrderedJson OllamaBody(const Failure& failure) { return {{"error", failure.message}}; }

OrderedJson PlainBody(const Failure& failure) {
  OrderedJson error = {{"code", OrNull(failure.code)}, {"message", failure.message}};
  error["param"] = OrNull(failure.param);
  error["status"] = StatusOf(failure.kind);
  return {{"error", error}};
}

}  // namespace

const ErrorShape kOpenAiErrors = {"openai", OpenAiBody, R"json({
  "type": "object", "required": ["error"], "properties": {"error": {
    "type": "object", "required": ["message", "type", "param", "code"], "properties": {
      "message": {"type": "string"}, "type": {"type": "string"},
      "param": {"type": ["string", "null"]}, "code": {"type": ["string", "integer", "null"]}}}}})json"};

const ErrorShape kAnthropicErrors = {"anthropic", AnthropicBody, R"json({
  "type": "object", "required": ["type", "error"], "properties": {
    "type": {"const": "error"}, "error": {
      "type": "object", "required": ["type", "message"], "properties": {
        "type": {"type": "string"}, "message": {"type": "string"}}}}})json"};

const ErrorShape kOllamaErrors = {"ollama", OllamaBody, R"json({
  "type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}})json"};

const ErrorShape kPlainErrors = {"plain", PlainBody, R"json({
  "type": "object", "required": ["error"], "properties": {"error": {
    "type": "object", "required": ["message", "status"], "properties": {
      "code": {"type": ["string", "null"]}, "message": {"type": "string"},
      "param": {"type": ["string", "null"]}, "status": {"type": "integer"}}}}})json"};

}  // namespace ergo::serve
