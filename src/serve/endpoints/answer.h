// Answers a call by a generation: starts it, hands out what comes as fast as the client takes it,
// cancels it when the client is gone.
#pragma once

#include <memory>

#include "serve/endpoints/endpoint.h"
#include "serve/service/generation.h"

namespace ergo::serve {

/// How one API writes an answer. Its functions run on the exchange's thread, one at a time.
class Follower {
 public:
  virtual ~Follower() = default;

  /// Before the first event. Of a streaming reply: opens the stream (Call::Stream), which is
  /// returned so that events wait while it is full. nullptr: the reply is sent by End.
  virtual std::shared_ptr<ReplyStream> Begin() { return nullptr; }
  virtual void Take(GenerationEvent /*event*/) {}
  /// Sends the reply, or ends the stream (ReplyStream::Finish). A failure before the first event
  /// never comes here: it has been sent in the endpoint's shape, with its status.
  virtual void End(Served<GenerationOutcome> outcome) = 0;
  /// Nothing was written for some seconds: keeps proxies from closing the stream.
  virtual void Ping() {}
};

/// Called on a worker. A request that cannot be begun is answered with its failure.
void Answer(const CallPtr& call, const std::shared_ptr<ServedModel>& model,
            GenerationRequest request, std::unique_ptr<Follower> follower);

}  // namespace ergo::serve
