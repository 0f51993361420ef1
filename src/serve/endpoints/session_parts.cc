#include "serve/endpoints/session_parts.h"

#include <fmt/format.h>

#include <utility>

namespace ergo::serve {

OrderedJson PlaceJson(const Place& place) {
  OrderedJson json = {{"id", place.id}};
  json["parent"] = place.parent.empty() ? OrderedJson(nullptr) : OrderedJson(place.parent);
  json["tokens"] = place.tokens();
  json["text"] = place.text;
  json["ended"] = place.ended;
  return json;
}

OrderedJson SessionJson(const Session& session, const SessionLimits& limits) {
  return {{"id", session.id()},
          {"object", "session"},
          {"created", session.created()},
          {"model", session.model()->name},
          {"idle_seconds", std::chrono::duration<double>(limits.idle).count()}};
}

Served<std::shared_ptr<Session>> SessionOf(const CallPtr& call) {
  return call->service.sessions().Find(call->principal->owner, call->Parameter("id"));
}

Served<std::vector<generate::TokenId>> TokensOf(const ServedModel& model, const OrderedJson& value,
                                                const std::string& param) {
  if (value.is_null()) return std::vector<generate::TokenId>();
  if (value.is_string()) {
    return model->tokenizer().Encode(value.get_ref<const std::string&>(),
                                     {.add_special = false, .parse_special = false});
  }
  auto tokens = value.get<std::vector<generate::TokenId>>();
  const auto vocabulary = static_cast<std::int64_t>(model->model().config().vocabulary);
  for (const generate::TokenId token : tokens) {
    if (token >= 0 && token < vocabulary) continue;
    return Refuse(
        FailureKind::kInvalid,
        fmt::format("{}: {} is no token of the model, which has {}", param, token, vocabulary),
        "invalid_value", param);
  }
  return tokens;
}

Served<void> CheckPlace(const ServedModel& model, std::size_t tokens, const std::string& param) {
  if (tokens <= model->context()) return {};
  return Refuse(
      FailureKind::kInvalid,
      fmt::format("{}: {} tokens are more than the context of {}", param, tokens, model->context()),
      "context_length_exceeded", param);
}

Failure EngineFailure(const Error& error) {
  return {FailureKind::kUnavailable, error.Message(), "no_room", {}, {}};
}

void SessionWork::Fill(generate::AnswerOptions* options) const {
  options->name_space = call->principal->owner;
  options->priority = call->principal->priority;
  options->deadline = std::chrono::steady_clock::now() + call->service.options().most_time;
}

bool StartSessionWork(const CallPtr& call, std::shared_ptr<Session> session,
                      std::function<void(const SessionWork&)> job) {
  const auto& model = session->model();
  return StartWaitingWork(call, model, [session, run = std::move(job)](const WaitingWork& work) {
    run(SessionWork{work, session});
  });
}

}  // namespace ergo::serve
