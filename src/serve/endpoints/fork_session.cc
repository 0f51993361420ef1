// POST /v1/sessions/{id}/fork: further branches at a place, with or without text of their own.
#include <utility>

#include "serve/endpoints/all.h"
#include "serve/endpoints/session_parts.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kRequest = R"json({
  "type": "object",
  "properties": {
    "from": {"type": "string", "maxLength": 64, "default": "b0"},
    "n": {"description": "How many, all with the same text appended", "type": "integer",
          "minimum": 1, "maximum": 1024, "default": 1},
    "append": {"description": "Text as it stands, or tokens; computed when the branch is extended",
               "anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/TokenIds"}]}
  }
})json";

constexpr std::string_view kReply = R"json({
  "type": "object", "required": ["branches"],
  "properties": {"branches": {"type": "array", "items": {"$ref": "#/components/schemas/Branch"}}}
})json";

void Handle(const CallPtr& call) {
  auto session = SessionOf(call);
  if (!session) return call->Fail(session.error());
  const auto from = (*session)->Find(call->body.value("from", "b0"), "from");
  if (!from) return call->Fail(from.error());
  const ServedModel& model = *(*session)->model();
  const auto append = TokensOf(model, call->body.value("append", OrderedJson()), "append");
  if (!append) return call->Fail(append.error());
  Place fork = *from;
  fork.parent = from->id;
  fork.text = model->tokenizer().Decode(*append, true);
  fork.pending.insert(fork.pending.end(), append->begin(), append->end());
  fork.ended = from->ended && append->empty();
  if (auto fits = CheckPlace(model, fork.tokens(), "append"); !fits)
    return call->Fail(fits.error());
  const auto places =
      (*session)->Add(std::vector<Place>(call->body.value("n", std::size_t{1}), fork));
  if (!places) return call->Fail(places.error());
  OrderedJson branches = OrderedJson::array();
  for (const Place& place : *places) branches.push_back(PlaceJson(place));
  call->Send(OrderedJson{{"branches", std::move(branches)}});
}

}  // namespace

const Endpoint kForkSession = {.method = "POST",
                               .path = "/v1/sessions/{id}/fork",
                               .summary = "Add branches at a place of a session",
                               .request = kRequest,
                               .reply = kReply,
                               .handle = Handle};

}  // namespace ergo::serve
