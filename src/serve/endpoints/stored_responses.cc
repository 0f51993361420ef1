// GET and DELETE /v1/responses/{id}, GET /v1/responses/{id}/input_items.
#include <utility>

#include "serve/endpoints/all.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kReply = R"json({"$ref": "#/components/schemas/Response"})json";

constexpr std::string_view kDeleteReply = R"json({
  "type": "object", "required": ["id", "deleted"],
  "properties": {"id": {"type": "string"}, "object": {"const": "response"}, "deleted": {"const": true}}
})json";

constexpr std::string_view kItemsReply = R"json({
  "type": "object", "required": ["object", "data", "has_more"],
  "properties": {
    "object": {"const": "list"}, "has_more": {"type": "boolean"},
    "data": {"type": "array", "items": {"$ref": "#/components/schemas/ResponseItem"}}}
})json";

Failure NoResponse() {
  return {FailureKind::kNotFound,
          "there is no stored response of this id",
          "response_not_found",
          "id",
          {}};
}

void Show(const CallPtr& call) {
  const auto stored = call->service.responses().Find(call->principal->owner, call->Parameter("id"));
  if (!stored) return call->Fail(NoResponse());
  call->Send(stored->response);
}

void ShowItems(const CallPtr& call) {
  auto stored = call->service.responses().Find(call->principal->owner, call->Parameter("id"));
  if (!stored) return call->Fail(NoResponse());
  call->Send(
      OrderedJson{{"object", "list"}, {"data", std::move(stored->input)}, {"has_more", false}});
}

void Delete(const CallPtr& call) {
  const std::string id = call->Parameter("id");
  if (!call->service.responses().Remove(call->principal->owner, id)) {
    return call->Fail(NoResponse());
  }
  call->Send(OrderedJson{{"id", id}, {"object", "response"}, {"deleted", true}});
}

}  // namespace

const Endpoint kShowResponse = {.method = "GET",
                                .path = "/v1/responses/{id}",
                                .summary = "Show a stored response (OpenAI)",
                                .errors = &kOpenAiErrors,
                                .reply = kReply,
                                .handle = Show};

const Endpoint kDeleteResponse = {.method = "DELETE",
                                  .path = "/v1/responses/{id}",
                                  .summary = "Delete a stored response (OpenAI)",
                                  .errors = &kOpenAiErrors,
                                  .reply = kDeleteReply,
                                  .handle = Delete};

const Endpoint kResponseItems = {.method = "GET",
                                 .path = "/v1/responses/{id}/input_items",
                                 .summary = "The input of a stored response (OpenAI)",
                                 .errors = &kOpenAiErrors,
                                 .reply = kItemsReply,
                                 .handle = ShowItems};

}  // namespace ergo::serve
