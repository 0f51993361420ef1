// Bytes in, a request out: framing that is beyond doubt, within limits.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "serve/http/message.h"

namespace ergo::serve {

struct ParseLimits {
  std::size_t header_bytes = 16 << 10;
  std::size_t body_bytes = 16 << 20;
};

/// Of one request. One thread.
class RequestParser {
 public:
  enum class State {
    kHead,
    kBody,
    kDone,
    kError,  ///< status() and message() say what to answer; nothing after it can be read
  };

  explicit RequestParser(const ParseLimits& limits);
  ~RequestParser();

  /// Reads on; returns how many of the bytes were used. Those of a head that is not complete are
  /// not: give them again, with more behind them.
  std::size_t Feed(std::string_view bytes);

  State state() const { return state_; }
  int status() const { return status_; }
  const std::string& message() const { return message_; }

  // Once the head is read:
  bool keep_alive() const { return keep_alive_; }
  bool http_1_0() const { return http_1_0_; }
  /// The client waits for "100 Continue" before it sends the body.
  bool expects_continue() const { return expects_continue_; }
  /// The request, all but its body until kDone. Moved out.
  Request Take();

 private:
  struct Impl;
  void Fail(int status, std::string message);
  void ReadHead();

  std::unique_ptr<Impl> impl_;
  State state_ = State::kHead;
  int status_ = 400;
  std::string message_;
  Request request_;
  bool keep_alive_ = false;
  bool http_1_0_ = false;
  bool expects_continue_ = false;
};

}  // namespace ergo::serve
