// POST /api/embed and /api/embeddings: Ollama's embeddings.
#include <utility>

#include "serve/endpoints/all.h"
#include "serve/endpoints/embedding_parts.h"
#include "serve/endpoints/ollama_fields.h"
#include "serve/endpoints/openai_fields.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kRequest = R"json({
  "type": "object",
  "required": ["model", "input"],
  "properties": {
    "model": {"$ref": "#/components/schemas/ModelName"},
    "input": {"$ref": "#/components/schemas/EmbeddingInput"},
    "truncate": {"type": ["boolean", "null"], "default": true},
    "dimensions": {"type": ["integer", "null"], "minimum": 1, "maximum": 1048576},
    "options": {"$ref": "#/components/schemas/OllamaOptions"},
    "keep_alive": {"type": ["string", "number", "null"]}
  }
})json";

constexpr std::string_view kReply = R"json({
  "type": "object", "required": ["model", "embeddings"],
  "properties": {
    "model": {"type": "string"},
    "embeddings": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
    "total_duration": {"type": "integer"}, "load_duration": {"type": "integer"},
    "prompt_eval_count": {"type": "integer"}}
})json";

constexpr std::string_view kOldRequest = R"json({
  "type": "object",
  "required": ["model", "prompt"],
  "properties": {
    "model": {"$ref": "#/components/schemas/ModelName"},
    "prompt": {"type": "string", "minLength": 1},
    "options": {"$ref": "#/components/schemas/OllamaOptions"},
    "keep_alive": {"type": ["string", "number", "null"]}
  }
})json";

constexpr std::string_view kOldReply = R"json({
  "type": "object", "required": ["embedding"],
  "properties": {"embedding": {"type": "array", "items": {"type": "number"}}}
})json";

void Handle(const CallPtr& call) {
  auto model = OllamaModel(call->service, call->body["model"]);
  if (!model) return call->Fail(model.error());
  auto request = ReadEmbedding(*model, call->body["input"], Field(call->body, "truncate", true));
  if (!request) return call->Fail(request.error());
  const auto dimensions = call->body.find("dimensions");
  if (dimensions != call->body.end() && !dimensions->is_null()) {
    request->dimensions = dimensions->get<std::size_t>();
  }
  StartEmbedding(call, *std::move(request),
                 [name = (*model)->name](const CallPtr& of, const Embeddings& embeddings) {
                   OrderedJson reply = {{"model", name}, {"embeddings", embeddings.values}};
                   reply["total_duration"] = static_cast<std::int64_t>(embeddings.seconds * 1e9);
                   reply["load_duration"] = 0;
                   reply["prompt_eval_count"] = embeddings.tokens;
                   of->Send(reply);
                 });
}

void HandleOld(const CallPtr& call) {
  auto model = OllamaModel(call->service, call->body["model"]);
  if (!model) return call->Fail(model.error());
  auto request = ReadEmbedding(*model, call->body["prompt"], true);
  if (!request) return call->Fail(request.error());
  StartEmbedding(call, *std::move(request), [](const CallPtr& of, const Embeddings& embeddings) {
    of->Send(OrderedJson{{"embedding", embeddings.values.front()}});
  });
}

}  // namespace

const Endpoint kOllamaEmbed = {.method = "POST",
                               .path = "/api/embed",
                               .summary = "Texts as vectors (Ollama)",
                               .errors = &kOllamaErrors,
                               .request = kRequest,
                               .reply = kReply,
                               .handle = Handle};

const Endpoint kOllamaEmbeddings = {.method = "POST",
                                    .path = "/api/embeddings",
                                    .summary = "A text as a vector (Ollama, the older form)",
                                    .errors = &kOllamaErrors,
                                    .request = kOldRequest,
                                    .reply = kOldReply,
                                    .handle = HandleOld};

}  // namespace ergo::serve
