// Text and ids: POST /tokenize, POST /detokenize, POST /apply-template.
#include <fmt/format.h>

#include <utility>

#include "base/utf8.h"
#include "serve/endpoints/all.h"
#include "serve/endpoints/openai_fields.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kTokenizeRequest = R"json({
  "type": "object",
  "properties": {
    "model": {"$ref": "#/components/schemas/ModelName"},
    "content": {"type": "string"}, "prompt": {"type": "string"},
    "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/ChatMessage"}},
    "add_special": {"type": "boolean"}, "add_special_tokens": {"type": "boolean"},
    "parse_special": {"type": "boolean"}, "with_pieces": {"type": "boolean"},
    "add_generation_prompt": {"type": "boolean"}
  }
})json";
constexpr std::string_view kTokenizeReply = R"json({
  "type": "object", "required": ["tokens", "count"],
  "properties": {"tokens": {"type": "array"}, "count": {"type": "integer"},
                 "max_model_len": {"type": "integer"}}
})json";

constexpr std::string_view kDetokenizeRequest = R"json({
  "type": "object", "required": ["tokens"],
  "properties": {"model": {"$ref": "#/components/schemas/ModelName"},
                 "tokens": {"$ref": "#/components/schemas/TokenIds"}}
})json";
constexpr std::string_view kDetokenizeReply = R"json({
  "type": "object", "required": ["content", "prompt"],
  "properties": {"content": {"type": "string"}, "prompt": {"type": "string"}}
})json";

constexpr std::string_view kTemplateRequest = R"json({
  "type": "object", "required": ["messages"],
  "properties": {
    "model": {"$ref": "#/components/schemas/ModelName"},
    "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/ChatMessage"}},
    "tools": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Tool"}},
    "chat_template_kwargs": {"type": ["object", "null"]},
    "add_generation_prompt": {"type": "boolean"}
  }
})json";
constexpr std::string_view kTemplateReply = R"json({
  "type": "object", "required": ["prompt"], "properties": {"prompt": {"type": "string"}}
})json";

Served<generate::ChatInput> ReadChat(const OrderedJson& body) {
  generate::ChatInput chat;
  auto messages = ReadMessages(body["messages"]);
  if (!messages) return tl::unexpected(messages.error());
  chat.messages = std::move(*messages);
  if (const auto tools = body.find("tools"); tools != body.end()) chat.tools = *tools;
  const auto variables = body.find("chat_template_kwargs");
  if (variables != body.end()) chat.variables = *variables;
  chat.add_generation_prompt = Field(body, "add_generation_prompt", true);
  return chat;
}

Served<std::vector<generate::TokenId>> Encode(const generate::LanguageModel& model,
                                              const OrderedJson& body) {
  if (body.contains("messages")) {
    auto chat = ReadChat(body);
    if (!chat) return tl::unexpected(chat.error());
    auto tokens = model.EncodeChat(*chat);
    if (!tokens) return Refuse(tokens.error(), "messages");
    return std::move(*tokens);
  }
  const char* name = body.contains("content") ? "content" : "prompt";
  if (!body.contains(name)) {
    return Refuse(FailureKind::kInvalid, "content, prompt or messages is required", "invalid_value",
                  "content");
  }
  tokenizer::EncodeOptions options;
  options.add_special = Field(body, "add_special", Field(body, "add_special_tokens", false));
  options.parse_special = Field(body, "parse_special", true);
  return model.tokenizer().Encode(body[name].get<std::string>(), options);
}

void Tokenize(const CallPtr& call) {
  const OrderedJson& body = call->body;
  const auto model = call->service.models().Acquire(Field<std::string>(body, "model", ""));
  if (!model) return call->Fail(model.error());
  const generate::LanguageModel& words = ***model;
  const auto tokens = Encode(words, body);
  if (!tokens) return call->Fail(tokens.error());
  OrderedJson list = OrderedJson::array();
  const bool pieces = Field(body, "with_pieces", false);
  for (const generate::TokenId token : *tokens) {
    if (pieces) {
      list.push_back({{"id", token}, {"piece", RepairUtf8(words.tokenizer().PieceBytes(token))}});
    } else {
      list.push_back(token);
    }
  }
  OrderedJson reply = {{"tokens", std::move(list)}, {"count", tokens->size()}};
  reply["max_model_len"] = words.context();
  call->Send(reply);
}

void Detokenize(const CallPtr& call) {
  const OrderedJson& body = call->body;
  const auto model = call->service.models().Acquire(Field<std::string>(body, "model", ""));
  if (!model) return call->Fail(model.error());
  const tokenizer::Tokenizer& words = (**model)->tokenizer();
  const auto tokens = body["tokens"].get<std::vector<generate::TokenId>>();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (static_cast<std::size_t>(tokens[i]) < words.size()) continue;
    return call->Fail({FailureKind::kInvalid,
                       fmt::format("there is no token {}", tokens[i]),
                       "invalid_value",
                       fmt::format("tokens[{}]", i),
                       {}});
  }
  const std::string text = words.Decode(tokens);
  call->Send({{"content", text}, {"prompt", text}});
}

void ApplyTemplate(const CallPtr& call) {
  const OrderedJson& body = call->body;
  const auto model = call->service.models().Acquire(Field<std::string>(body, "model", ""));
  if (!model) return call->Fail(model.error());
  const auto chat = ReadChat(body);
  if (!chat) return call->Fail(chat.error());
  const auto text = (**model)->RenderChat(*chat);
  if (!text) return call->Fail(Refuse(text.error(), "messages").value());
  call->Send({{"prompt", *text}});
}

}  // namespace

const Endpoint kTokenize = {.method = "POST",
                            .path = "/tokenize",
                            .summary = "Ids of a text or a chat",
                            .request = kTokenizeRequest,
                            .reply = kTokenizeReply,
                            .handle = Tokenize};

const Endpoint kDetokenize = {.method = "POST",
                              .path = "/detokenize",
                              .summary = "The text of ids",
                              .request = kDetokenizeRequest,
                              .reply = kDetokenizeReply,
                              .handle = Detokenize};

const Endpoint kApplyTemplate = {.method = "POST",
                                 .path = "/apply-template",
                                 .summary = "The text that a chat becomes",
                                 .request = kTemplateRequest,
                                 .reply = kTemplateReply,
                                 .handle = ApplyTemplate};

}  // namespace ergo::serve
