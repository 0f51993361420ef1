// Work on behalf of a call that waits for the engine without being an answer.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "serve/endpoints/endpoint.h"

namespace ergo::serve {

struct WaitingWork {
  CallPtr call;
  std::shared_ptr<ServedModel> model;
  std::shared_ptr<Admission::Ticket> ticket;
  std::shared_ptr<std::atomic<bool>> gone;

  /// The client is gone, or the server ends.
  bool cancelled() const { return *gone || call->service.sessions().closing(); }
  /// Takes tokens from the key's budget and counts them.
  void Count(const generate::Usage& usage) const;
};

/// Runs `job` on a thread that may wait. False: it will not run, and the reason (a budget, a full
/// queue) has been sent.
bool StartWaitingWork(const CallPtr& call, std::shared_ptr<ServedModel> model,
                      std::function<void(const WaitingWork&)> job);

}  // namespace ergo::serve
