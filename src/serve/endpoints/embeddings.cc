// POST /v1/embeddings: OpenAI's embeddings.
#include <utility>

#include "serve/endpoints/all.h"
#include "serve/endpoints/embedding_parts.h"
#include "serve/endpoints/openai_fields.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kRequest = R"json({
  "type": "object",
  "required": ["input"],
  "properties": {
    "model": {"$ref": "#/components/schemas/ModelName"},
    "input": {"$ref": "#/components/schemas/EmbeddingInput"},
    "encoding_format": {"type": ["string", "null"], "enum": ["float", "base64", null]},
    "dimensions": {"description": "The first ones, scaled to length 1",
                   "type": ["integer", "null"], "minimum": 1, "maximum": 1048576},
    "user": {"type": ["string", "null"]}
  }
})json";

constexpr std::string_view kReply = R"json({
  "type": "object", "required": ["object", "data", "model", "usage"],
  "properties": {
    "object": {"const": "list"}, "model": {"type": "string"},
    "data": {"type": "array", "items": {"type": "object", "required": ["object", "index", "embedding"],
      "properties": {
        "object": {"const": "embedding"}, "index": {"type": "integer"},
        "embedding": {"anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "string"}]}}}},
    "usage": {"type": "object", "required": ["prompt_tokens", "total_tokens"]}}
})json";

void Send(const CallPtr& call, const std::string& model, const Embeddings& embeddings) {
  const bool base64 = Field<std::string>(call->body, "encoding_format", "float") == "base64";
  OrderedJson data = OrderedJson::array();
  for (const std::vector<float>& values : embeddings.values) {
    OrderedJson entry = {{"object", "embedding"}, {"index", data.size()}};
    entry["embedding"] = base64 ? OrderedJson(Base64Of(values)) : OrderedJson(values);
    data.push_back(std::move(entry));
  }
  OrderedJson reply = {{"object", "list"}, {"data", std::move(data)}, {"model", model}};
  reply["usage"] = {{"prompt_tokens", embeddings.tokens}, {"total_tokens", embeddings.tokens}};
  reply["timings"] = {{"prompt_ms", embeddings.seconds * 1e3}};
  call->Send(reply);
}

void Handle(const CallPtr& call) {
  auto model = call->service.models().Acquire(call->body.value("model", ""));
  if (!model) return call->Fail(model.error());
  auto request = ReadEmbedding(*model, call->body["input"], false);
  if (!request) return call->Fail(request.error());
  const auto dimensions = call->body.find("dimensions");
  if (dimensions != call->body.end() && !dimensions->is_null()) {
    const std::size_t width = (**model)->model().config().hidden;
    request->dimensions = dimensions->get<std::size_t>();
    if (*request->dimensions > width) {
      return call->Fail({FailureKind::kInvalid,
                         "dimensions: the model has " + std::to_string(width),
                         "invalid_value",
                         "dimensions",
                         {}});
    }
  }
  StartEmbedding(call, *std::move(request),
                 [name = (*model)->name](const CallPtr& of, const Embeddings& embeddings) {
                   Send(of, name, embeddings);
                 });
}

}  // namespace

const Endpoint kEmbeddings = {.method = "POST",
                              .path = "/v1/embeddings",
                              .summary = "Texts as vectors (OpenAI)",
                              .errors = &kOpenAiErrors,
                              .request = kRequest,
                              .reply = kReply,
                              .handle = Handle};

}  // namespace ergo::serve
