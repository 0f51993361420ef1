// GET /api/tags, /api/ps, /api/version and POST /api/show: Ollama's models.
#include <utility>

#include "serve/endpoints/all.h"
#include "serve/endpoints/ollama_fields.h"
#include "serve/endpoints/openai_fields.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kListReply = R"json({
  "type": "object", "required": ["models"],
  "properties": {"models": {"type": "array", "items": {"type": "object",
    "required": ["name", "model", "size", "digest", "details"]}}}
})json";

constexpr std::string_view kShowRequest = R"json({
  "type": "object",
  "properties": {
    "model": {"$ref": "#/components/schemas/ModelName"},
    "name": {"$ref": "#/components/schemas/ModelName"},
    "verbose": {"type": ["boolean", "null"]}}
})json";

constexpr std::string_view kShowReply = R"json({
  "type": "object", "required": ["details", "model_info", "capabilities", "template"],
  "properties": {
    "details": {"type": "object"}, "model_info": {"type": "object"},
    "template": {"type": "string"}, "modelfile": {"type": "string"},
    "parameters": {"type": "string"},
    "capabilities": {"type": "array", "items": {"type": "string"}}}
})json";

constexpr std::string_view kVersionReply = R"json({
  "type": "object", "required": ["version"], "properties": {"version": {"type": "string"}}
})json";

/// What is said of a model that is not loaded: nothing is known of it yet.
OrderedJson LineOf(const Models::Listed& listed) {
  std::uint64_t bytes = 0;
  OrderedJson details = {{"parent_model", ""},  {"format", ""},         {"family", ""},
                         {"families", nullptr}, {"parameter_size", ""}, {"quantization_level", ""}};
  if (listed.model) {
    for (const MappedFile& file : (*listed.model)->files().mappings) bytes += file.bytes().size();
    details = OllamaDetails(*listed.model);
  }
  return {{"name", listed.name}, {"model", listed.name}, {"modified_at", OllamaTime()},
          {"size", bytes},       {"digest", ""},         {"details", std::move(details)}};
}

void Tags(const CallPtr& call) {
  OrderedJson models = OrderedJson::array();
  for (const Models::Listed& listed : call->service.models().List()) {
    models.push_back(LineOf(listed));
  }
  call->Send(OrderedJson{{"models", std::move(models)}});
}

void Loaded(const CallPtr& call) {
  OrderedJson models = OrderedJson::array();
  for (const Models::Listed& listed : call->service.models().List()) {
    if (!listed.model) continue;
    OrderedJson line = LineOf(listed);
    line["size_vram"] = 0;
    line["context_length"] = (*listed.model)->context();
    models.push_back(std::move(line));
  }
  call->Send(OrderedJson{{"models", std::move(models)}});
}

void Show(const CallPtr& call) {
  const OrderedJson& body = call->body;
  auto model = OllamaModel(call->service, body.value("model", body.value("name", std::string())));
  if (!model) return call->Fail(model.error());
  const generate::LanguageModel& language = ***model;
  const model::ModelConfig& config = language.model().config();
  OrderedJson info = {{"general.architecture", config.architecture}, {"general.name", config.name}};
  info[config.architecture + ".context_length"] = config.context_length;
  info[config.architecture + ".embedding_length"] = config.hidden;
  info[config.architecture + ".block_count"] = config.layers.size();
  info[config.architecture + ".attention.head_count"] = config.heads;
  info[config.architecture + ".attention.head_count_kv"] = config.kv_heads;
  const std::string& text = language.tokenizer().chat_template();
  OrderedJson capabilities = OrderedJson::array({"completion", "embedding"});
  if (text.find("tools") != std::string::npos) capabilities.push_back("tools");
  if (language.think_tags() != nullptr) capabilities.push_back("thinking");
  OrderedJson reply = {{"modelfile", "FROM " + (*model)->name}, {"parameters", ""}};
  reply["template"] = text;
  reply["details"] = OllamaDetails(**model);
  reply["model_info"] = std::move(info);
  reply["capabilities"] = std::move(capabilities);
  call->Send(reply);
}

void Version(const CallPtr& call) {
  call->Send(OrderedJson{{"version", call->service.options().version}});
}

}  // namespace

const Endpoint kOllamaTags = {.method = "GET",
                              .path = "/api/tags",
                              .summary = "List the models (Ollama)",
                              .errors = &kOllamaErrors,
                              .reply = kListReply,
                              .handle = Tags};

const Endpoint kOllamaLoaded = {.method = "GET",
                                .path = "/api/ps",
                                .summary = "List the models in memory (Ollama)",
                                .errors = &kOllamaErrors,
                                .reply = kListReply,
                                .handle = Loaded};

const Endpoint kOllamaShow = {.method = "POST",
                              .path = "/api/show",
                              .summary = "One of the models (Ollama)",
                              .errors = &kOllamaErrors,
                              .request = kShowRequest,
                              .reply = kShowReply,
                              .handle = Show};

const Endpoint kOllamaVersion = {.method = "GET",
                                 .path = "/api/version",
                                 .summary = "The server's version (Ollama)",
                                 .errors = &kOllamaErrors,
                                 .reply = kVersionReply,
                                 .open = true,
                                 .brief = true,
                                 .handle = Version};

}  // namespace ergo::serve
