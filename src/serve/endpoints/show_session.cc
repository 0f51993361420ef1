// GET /v1/sessions, GET /v1/sessions/{id}: what a session holds.
#include "serve/endpoints/all.h"
#include "serve/endpoints/session_parts.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kSession = R"json({"$ref": "#/components/schemas/Session"})json";
constexpr std::string_view kList = R"json({
  "type": "object", "required": ["object", "data"], "properties": {
    "object": {"const": "list"},
    "data": {"type": "array", "items": {"$ref": "#/components/schemas/Session"}}}
})json";

void Show(const CallPtr& call) {
  const auto session = SessionOf(call);
  if (!session) return call->Fail(session.error());
  OrderedJson reply = SessionJson(**session, call->service.sessions().limits());
  reply["branches"] = OrderedJson::array();
  for (const Place& place : (*session)->List()) reply["branches"].push_back(PlaceJson(place));
  call->Send(reply);
}

void List(const CallPtr& call) {
  OrderedJson data = OrderedJson::array();
  const Sessions& sessions = call->service.sessions();
  for (const auto& session : sessions.List(call->principal->owner)) {
    data.push_back(SessionJson(*session, sessions.limits()));
  }
  call->Send(OrderedJson{{"object", "list"}, {"data", std::move(data)}});
}

}  // namespace

const Endpoint kListSessions = {.method = "GET",
                                .path = "/v1/sessions",
                                .summary = "List the sessions of this key",
                                .reply = kList,
                                .handle = List};

const Endpoint kShowSession = {.method = "GET",
                               .path = "/v1/sessions/{id}",
                               .summary = "Show a session with its branches",
                               .reply = kSession,
                               .handle = Show};

}  // namespace ergo::serve
