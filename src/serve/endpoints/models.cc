// OpenAI's list of models: GET /v1/models, GET /v1/models/{id}.
#include <fmt/format.h>

#include "serve/endpoints/all.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kModelSchema = R"json({
  "type": "object", "required": ["id", "object", "created", "owned_by"],
  "properties": {
    "id": {"type": "string"}, "object": {"const": "model"}, "created": {"type": "integer"},
    "owned_by": {"type": "string"}, "status": {"type": "string"},
    "max_model_len": {"type": "integer"}}
})json";

constexpr std::string_view kListSchema = R"json({
  "type": "object", "required": ["object", "data"],
  "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": {"type": "object"}}}
})json";

OrderedJson ToJson(const Models::Listed& listed) {
  static constexpr std::string_view kStates[] = {"absent", "loading", "ready", "failed"};
  OrderedJson json = {{"id", listed.name},
                      {"object", "model"},
                      {"created", listed.model ? listed.model->created : 0},
                      {"owned_by", "ergo"}};
  json["status"] = kStates[static_cast<std::size_t>(listed.state)];
  if (listed.model) json["max_model_len"] = (*listed.model)->context();
  return json;
}

void List(const CallPtr& call) {
  OrderedJson data = OrderedJson::array();
  for (const Models::Listed& listed : call->service.models().List()) data.push_back(ToJson(listed));
  call->Send({{"object", "list"}, {"data", std::move(data)}});
}

void Show(const CallPtr& call) {
  const std::string id = call->Parameter("id");
  for (const Models::Listed& listed : call->service.models().List()) {
    if (listed.name == id) return call->Send(ToJson(listed));
  }
  call->Fail({FailureKind::kNotFound,
              fmt::format("the model '{}' does not exist", id),
              "model_not_found",
              "model",
              {}});
}

}  // namespace

const Endpoint kListModels = {.method = "GET",
                              .path = "/v1/models",
                              .summary = "List the models",
                              .errors = &kOpenAiErrors,
                              .reply = kListSchema,
                              .brief = true,
                              .handle = List};

const Endpoint kShowModel = {.method = "GET",
                             .path = "/v1/models/{id}",
                             .summary = "One of the models",
                             .errors = &kOpenAiErrors,
                             .reply = kModelSchema,
                             .brief = true,
                             .handle = Show};

}  // namespace ergo::serve
