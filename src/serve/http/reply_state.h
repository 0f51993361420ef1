// What handlers have said and the connection has not yet written: the two sides of one reply.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "serve/http/exchange.h"
#include "serve/http/message.h"

namespace ergo::serve {

/// How the reply is to be framed.
struct ReplyFrame {
  bool keep_alive = true;
  bool http_1_0 = false;
  bool head_only = false;  ///< the request was HEAD
  std::string request_id = {};
  std::string allowed_origin = {};  ///< for Access-Control-Allow-Origin; empty: none
};

/// Any thread, but for what is marked as the connection's.
class ReplyState : public std::enable_shared_from_this<ReplyState> {
 public:
  /// Ways onto the connection's thread; they drop what they are given once the server is gone.
  struct Line {
    std::function<void(std::function<void()>)> post;
    std::function<void(std::chrono::milliseconds, std::function<void()>)> post_after;
    std::function<void()> on_output;  ///< there is something to write, or the end
  };

  ReplyState(ReplyFrame frame, Line line) : frame_(std::move(frame)), line_(std::move(line)) {}

  // Of handlers:
  void Send(const Reply& reply);
  /// False if there is a reply already.
  bool Begin(const Reply& head);
  void Write(std::string_view part);
  void Finish();
  /// What comes after this is missing: the connection is cut.
  void Cut();
  bool Full();
  void OnRoom(std::function<void()> on_room);
  void OnGone(std::function<void()> on_gone);
  bool gone() const;
  bool begun() const;
  const Line& line() const { return line_; }

  // Of the connection, on its thread:
  /// Moves what is to be written into `out`; false once all was taken and the reply is over.
  bool TakeOutput(std::string* out);
  /// What was taken last has been written.
  void Written();
  /// The client is gone: tells the handler, once.
  void Gone();
  /// The reply is over, or will never be: lets go of callbacks.
  void Close();
  bool ended() const;
  /// Whether another request may follow on the connection.
  bool keep_alive() const;

 private:
  bool BeginLocked(const Reply& head, bool chunked);

  mutable std::mutex mutex_;
  ReplyFrame frame_;
  Line line_;
  std::string output_;
  std::size_t being_written_ = 0;
  bool begun_ = false;
  bool chunked_ = false;
  bool ended_ = false;
  bool cut_ = false;
  bool gone_ = false;
  bool closed_ = false;
  bool was_full_ = false;
  std::function<void()> on_room_;
  std::function<void()> on_gone_;
};

/// The exchange of `state`: what handlers hold.
std::shared_ptr<Exchange> MakeExchange(Request request, std::shared_ptr<ReplyState> state);

/// Status line and headers, up to the empty line. `length` is that of the body; nothing: chunked,
/// or until the connection is closed with HTTP/1.0.
std::string HeadOf(const Reply& reply, const ReplyFrame& frame, const std::size_t* length);

}  // namespace ergo::serve
