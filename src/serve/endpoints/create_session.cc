// POST /v1/sessions: computes a prompt, from which branches go on.
#include <utility>

#include "serve/endpoints/all.h"
#include "serve/endpoints/session_parts.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kRequest = R"json({
  "type": "object",
  "properties": {
    "model": {"$ref": "#/components/schemas/ModelName"},
    "prompt": {"description": "Text as it stands, or tokens",
               "anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/TokenIds"}]},
    "messages": {"description": "Instead of a prompt: a conversation that is to be answered",
                 "type": "array", "minItems": 1, "maxItems": 100000,
                 "items": {"$ref": "#/components/schemas/ChatMessage"}},
    "chat_template_kwargs": {"type": "object"}
  }
})json";

constexpr std::string_view kReply = R"json({"$ref": "#/components/schemas/Session"})json";

Served<std::vector<generate::TokenId>> ReadPrompt(const ServedModel& model,
                                                  const OrderedJson& body) {
  if (body.contains("prompt") == body.contains("messages")) {
    return Refuse(FailureKind::kInvalid, "give either prompt or messages", "invalid_value",
                  "prompt");
  }
  if (body.contains("messages")) {
    generate::ChatInput chat;
    chat.messages = body["messages"];
    if (body.contains("chat_template_kwargs")) chat.variables = body["chat_template_kwargs"];
    auto tokens = model->EncodeChat(chat);
    if (!tokens) return Refuse(tokens.error(), "messages");
    return *std::move(tokens);
  }
  const OrderedJson& prompt = body["prompt"];
  if (prompt.is_string()) return model->tokenizer().Encode(prompt.get<std::string>());
  return TokensOf(model, prompt, "prompt");
}

/// Computes the prompt and draws nothing.
void Compute(const SessionWork& work, const std::vector<generate::TokenId>& prompt) {
  Service& service = work.call->service;
  generate::Extension extension;
  extension.from = generate::Branch(prompt);
  extension.options.max_tokens = 0;
  work.Fill(&extension.options);
  auto computed =
      generate::Extend(**work.session->model(), {&extension, 1}, [&] { return work.cancelled(); });
  const auto fail = [&](const Failure& failure) {
    static_cast<void>(service.sessions().Drop(work.session->owner(), work.session->id()));
    work.call->Fail(failure);
  };
  if (!computed.front()) return fail(EngineFailure(computed.front().error()));
  if (work.cancelled()) {
    return fail({FailureKind::kUnavailable,
                 "the session ended before its prompt was computed",
                 "cancelled",
                 {},
                 {}});
  }
  work.Count(computed.front()->result.usage);
  Place root;
  root.branch = std::move(computed.front()->branch);
  auto places = work.session->Add({std::move(root)});
  if (!places) return fail(places.error());
  OrderedJson reply = SessionJson(*work.session, service.sessions().limits());
  reply["branches"] = OrderedJson::array({PlaceJson(places->front())});
  const generate::Usage& usage = computed.front()->result.usage;
  reply["usage"] = {{"prompt_tokens", usage.prompt_tokens}, {"cached_tokens", usage.cached_tokens}};
  work.call->Send(reply);
}

void Handle(const CallPtr& call) {
  auto model = call->service.models().Acquire(call->body.value("model", ""));
  if (!model) return call->Fail(model.error());
  auto prompt = ReadPrompt(**model, call->body);
  if (!prompt) return call->Fail(prompt.error());
  if (auto fits = generate::CheckAnswer(*(*model)->model, *prompt, {}); !fits) {
    Failure failure = {
        FailureKind::kInvalid, fits.error().Message(), "invalid_value", "prompt", {}};
    if (prompt->size() > (*model)->model->context()) failure.code = "context_length_exceeded";
    return call->Fail(failure);
  }
  auto session = call->service.sessions().Create(call->principal->owner, *model);
  if (!session) return call->Fail(session.error());
  const bool started = StartSessionWork(
      call, *session,
      [prompt = *std::move(prompt)](const SessionWork& work) { Compute(work, prompt); });
  if (!started) {
    static_cast<void>(call->service.sessions().Drop(call->principal->owner, (*session)->id()));
  }
}

}  // namespace

const Endpoint kCreateSession = {.method = "POST",
                                 .path = "/v1/sessions",
                                 .summary = "Begin a session: a text to go on from in branches",
                                 .request = kRequest,
                                 .reply = kReply,
                                 .handle = Handle};

}  // namespace ergo::serve
