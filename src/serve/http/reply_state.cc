#include "serve/http/reply_state.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace ergo::serve {
namespace {

/// Bytes that may wait to be written before a stream is full.
constexpr std::size_t kMostWaiting = 16 << 10;

bool HasBody(int status) { return status >= 200 && status != 204 && status != 304; }

class HttpReplyStream final : public ReplyStream {
 public:
  explicit HttpReplyStream(std::shared_ptr<ReplyState> state) : state_(std::move(state)) {}
  ~HttpReplyStream() override { state_->Cut(); }

  void Write(std::string_view part) override { state_->Write(part); }
  bool Full() const override { return state_->Full(); }
  void OnRoom(std::function<void()> on_room) override { state_->OnRoom(std::move(on_room)); }
  void Finish() override { state_->Finish(); }

 private:
  std::shared_ptr<ReplyState> state_;
};

class HttpExchange final : public Exchange {
 public:
  HttpExchange(Request request, std::shared_ptr<ReplyState> state)
      : request_(std::move(request)), state_(std::move(state)) {}
  ~HttpExchange() override {
    if (state_->begun()) return;
    state_->Send({.status = 500,
                  .body = R"({"error":{"message":"the request was not answered","code":500}})"});
  }

  const Request& request() const override { return request_; }
  void Send(Reply reply) override { state_->Send(reply); }
  std::shared_ptr<ReplyStream> Stream(Reply head) override {
    state_->Begin(head);
    return std::make_shared<HttpReplyStream>(state_);
  }
  void OnGone(std::function<void()> on_gone) override { state_->OnGone(std::move(on_gone)); }
  bool gone() const override { return state_->gone(); }
  void Post(std::function<void()> action) override { state_->line().post(std::move(action)); }
  void PostAfter(std::chrono::milliseconds time, std::function<void()> action) override {
    state_->line().post_after(time, [state = state_, action = std::move(action)] {
      if (!state->ended()) action();
    });
  }

 private:
  const Request request_;
  const std::shared_ptr<ReplyState> state_;
};

}  // namespace

std::string HeadOf(const Reply& reply, const ReplyFrame& frame, const std::size_t* length) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", reply.status, ReasonPhrase(reply.status));
  const auto out = std::back_inserter(head);
  if (!reply.content_type.empty() && HasBody(reply.status)) {
    fmt::format_to(out, "Content-Type: {}\r\n", reply.content_type);
  }
  if (length != nullptr) {
    if (HasBody(reply.status)) fmt::format_to(out, "Content-Length: {}\r\n", *length);
  } else if (!frame.http_1_0) {
    head += "Transfer-Encoding: chunked\r\n";
  }
  if (!frame.keep_alive) {
    head += "Connection: close\r\n";
  } else if (frame.http_1_0) {
    head += "Connection: keep-alive\r\n";
  }
  if (!frame.request_id.empty()) fmt::format_to(out, "X-Request-Id: {}\r\n", frame.request_id);
  if (!frame.allowed_origin.empty()) {
    fmt::format_to(out, "Access-Control-Allow-Origin: {}\r\n", frame.allowed_origin);
    head += "Vary: Origin\r\nAccess-Control-Expose-Headers: X-Request-Id, Retry-After\r\n";
  }
  for (const auto& [name, value] : reply.headers.entries()) {
    fmt::format_to(out, "{}: {}\r\n", name, value);
  }
  head += "\r\n";
  return head;
}

bool ReplyState::BeginLocked(const Reply& head, bool chunked) {
  if (begun_) return false;
  begun_ = true;
  chunked_ = chunked && !frame_.http_1_0;
  if (chunked && frame_.http_1_0) frame_.keep_alive = false;
  const std::size_t length = head.body.size();
  output_ += HeadOf(head, frame_, chunked ? nullptr : &length);
  return true;
}

void ReplyState::Send(const Reply& reply) {
  {
    const std::lock_guard lock(mutex_);
    if (!BeginLocked(reply, false)) return;
    if (!frame_.head_only && HasBody(reply.status)) output_ += reply.body;
    ended_ = true;
  }
  line_.on_output();
}

bool ReplyState::Begin(const Reply& head) {
  {
    const std::lock_guard lock(mutex_);
    if (!BeginLocked(head, true)) return false;
  }
  line_.on_output();
  return true;
}

void ReplyState::Write(std::string_view part) {
  if (part.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || closed_ || frame_.head_only) return;
    if (chunked_) {
      fmt::format_to(std::back_inserter(output_), "{:x}\r\n", part.size());
      output_ += part;
      output_ += "\r\n";
    } else {
      output_ += part;
    }
  }
  line_.on_output();
}

void ReplyState::Finish() {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    if (chunked_ && !frame_.head_only) output_ += "0\r\n\r\n";
  }
  line_.on_output();
}

void ReplyState::Cut() {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    cut_ = true;
  }
  line_.on_output();
}

bool ReplyState::Full() {
  const std::lock_guard lock(mutex_);
  const bool full = !closed_ && output_.size() + being_written_ > kMostWaiting;
  was_full_ = was_full_ || full;
  return full;
}

void ReplyState::OnRoom(std::function<void()> on_room) {
  const std::lock_guard lock(mutex_);
  if (!closed_) on_room_ = std::move(on_room);
}

void ReplyState::OnGone(std::function<void()> on_gone) {
  {
    const std::lock_guard lock(mutex_);
    if (!gone_ && !closed_) {
      on_gone_ = std::move(on_gone);
      return;
    }
    if (!gone_) return;
  }
  line_.post(std::move(on_gone));
}

bool ReplyState::gone() const {
  const std::lock_guard lock(mutex_);
  return gone_;
}

bool ReplyState::begun() const {
  const std::lock_guard lock(mutex_);
  return begun_;
}

bool ReplyState::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

bool ReplyState::keep_alive() const {
  const std::lock_guard lock(mutex_);
  return frame_.keep_alive && !cut_;
}

bool ReplyState::TakeOutput(std::string* out) {
  const std::lock_guard lock(mutex_);
  out->clear();
  out->swap(output_);
  being_written_ = out->size();
  return !(out->empty() && ended_);
}

void ReplyState::Written() {
  std::function<void()> on_room;
  {
    const std::lock_guard lock(mutex_);
    being_written_ = 0;
    if (!was_full_ || output_.size() > kMostWaiting) return;
    was_full_ = false;
    on_room = on_room_;
  }
  if (on_room) on_room();
}

void ReplyState::Gone() {
  std::function<void()> on_gone;
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || closed_) return;
    gone_ = true;
    on_gone = std::exchange(on_gone_, {});
  }
  if (on_gone) on_gone();
}

void ReplyState::Close() {
  std::function<void()> on_gone;
  std::function<void()> on_room;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    on_gone = std::exchange(on_gone_, {});
    on_room = std::exchange(on_room_, {});
    output_.clear();
  }
  // A stream that waited for room may go on: what it writes is thrown away.
  if (on_room && !ended()) on_room();
}

std::shared_ptr<Exchange> MakeExchange(Request request, std::shared_ptr<ReplyState> state) {
  return std::make_shared<HttpExchange>(std::move(request), std::move(state));
}

}  // namespace ergo::serve
