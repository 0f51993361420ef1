// DELETE /v1/sessions/{id} and its /branches/{branch}: gives keys and values back.
#include "serve/endpoints/all.h"
#include "serve/endpoints/session_parts.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kReply = R"json({
  "type": "object", "required": ["id", "deleted"],
  "properties": {"id": {"type": "string"}, "object": {"type": "string"}, "deleted": {"const": true}}
})json";

void Drop(const CallPtr& call) {
  const std::string id = call->Parameter("id");
  if (auto dropped = call->service.sessions().Drop(call->principal->owner, id); !dropped) {
    return call->Fail(dropped.error());
  }
  call->Send(OrderedJson{{"id", id}, {"object", "session"}, {"deleted", true}});
}

void DropBranch(const CallPtr& call) {
  const auto session = SessionOf(call);
  if (!session) return call->Fail(session.error());
  const std::string branch = call->Parameter("branch");
  if (const auto found = (*session)->Find(branch, "branch"); !found) {
    return call->Fail(found.error());
  }
  (*session)->Remove(branch);
  call->Send(OrderedJson{{"id", branch}, {"object", "branch"}, {"deleted", true}});
}

}  // namespace

const Endpoint kDropSession = {.method = "DELETE",
                               .path = "/v1/sessions/{id}",
                               .summary = "Drop a session with its keys and values",
                               .reply = kReply,
                               .handle = Drop};

const Endpoint kDropBranch = {.method = "DELETE",
                              .path = "/v1/sessions/{id}/branches/{branch}",
                              .summary = "Drop one branch of a session",
                              .reply = kReply,
                              .handle = DropBranch};

}  // namespace ergo::serve
