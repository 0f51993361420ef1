// One request and the reply to it, as handlers see them: no transport, any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "serve/http/message.h"

namespace ergo::serve {

/// The body of a reply that comes in parts (SSE, NDJSON). Any thread, one writer at a time.
class ReplyStream {
 public:
  virtual ~ReplyStream() = default;

  /// Appends a part, which goes out as it stands. What is written after the client is gone is
  /// thrown away. Never blocks: look at Full() before making more.
  virtual void Write(std::string_view part) = 0;
  /// Whether as much waits to go out as should; OnRoom tells when that is over.
  virtual bool Full() const = 0;
  /// Called on the exchange's thread (Exchange::Post) whenever what was full has room again. Once.
  virtual void OnRoom(std::function<void()> on_room) = 0;
  /// The reply is complete. A stream that is destroyed without it cuts the connection, so that the
  /// client sees that something is missing.
  virtual void Finish() = 0;
};

/// One request. Exactly one of Send and Stream is called, once; an exchange that is destroyed
/// without a reply answers 500. Any thread.
class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const Request& request() const = 0;

  virtual void Send(Reply reply) = 0;
  /// Sends `head` without its body; what is written follows.
  virtual std::shared_ptr<ReplyStream> Stream(Reply head) = 0;

  /// `on_gone` is called once, on the exchange's thread, when the client has gone away before the
  /// reply was complete (at once, if it is gone already), and is destroyed with the reply's end.
  virtual void OnGone(std::function<void()> on_gone) = 0;
  virtual bool gone() const = 0;

  /// Runs `action` on the thread that serves this connection; actions of one exchange run one at a
  /// time, in order. Be brief there: other connections wait.
  virtual void Post(std::function<void()> action) = 0;
  /// The same in some time; not at all if the reply is complete before that.
  virtual void PostAfter(std::chrono::milliseconds time, std::function<void()> action) = 0;
};

using OnExchange = std::function<void(std::shared_ptr<Exchange>)>;

}  // namespace ergo::serve
