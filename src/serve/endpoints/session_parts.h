// What the endpoints of sessions have in common.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serve/endpoints/endpoint.h"
#include "serve/endpoints/waiting_work.h"
#include "serve/service/sessions.h"

namespace ergo::serve {

/// {"id", "parent", "tokens", "text", "ended"}
OrderedJson PlaceJson(const Place& place);
/// Without its branches.
OrderedJson SessionJson(const Session& session, const SessionLimits& limits);

/// The session of the path's {id}.
Served<std::shared_ptr<Session>> SessionOf(const CallPtr& call);

/// Text as it stands, or token ids. Failure: unknown ids.
Served<std::vector<generate::TokenId>> TokensOf(const ServedModel& model, const OrderedJson& value,
                                                const std::string& param);

/// Failure: the model has no context for so many tokens.
Served<void> CheckPlace(const ServedModel& model, std::size_t tokens, const std::string& param);

/// An error of the engine: no room is not the request's fault.
Failure EngineFailure(const Error& error);

/// What waits for the engine on a session's behalf.
struct SessionWork : WaitingWork {
  std::shared_ptr<Session> session;

  /// The client is gone, the session was dropped, or the server ends.
  bool cancelled() const { return WaitingWork::cancelled() || session->dropped(); }
  /// Owner, priority and the latest end of whatever is computed.
  void Fill(generate::AnswerOptions* options) const;
};

/// As StartWaitingWork.
bool StartSessionWork(const CallPtr& call, std::shared_ptr<Session> session,
                      std::function<void(const SessionWork&)> job);

}  // namespace ergo::serve
