#include "serve/grpc/rpc_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/json.h"
#include "serve/grpc/message_json.h"

namespace ergo::serve {
namespace {

/// Messages that wait for the client; then the model's answer waits too.
constexpr std::size_t kFull = 64;

std::string NewId() {
  static std::atomic<std::uint64_t> last{0};
  return fmt::format("rpc_{}", ++last);
}

grpc::StatusCode CodeOf(int status, std::string_view code) {
  switch (status) {
    case 400:
    case 415:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case 401:
      return grpc::StatusCode::UNAUTHENTICATED;
    case 403:
      return grpc::StatusCode::PERMISSION_DENIED;
    case 404:
      // The path is ours: that nothing is there means that this program lacks the endpoint.
      return code == "unknown_url" ? grpc::StatusCode::UNIMPLEMENTED : grpc::StatusCode::NOT_FOUND;
    case 405:
      return grpc::StatusCode::UNIMPLEMENTED;
    case 409:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case 413:
    case 429:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case 503:
      return grpc::StatusCode::UNAVAILABLE;
    case 504:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    default:
      return grpc::StatusCode::INTERNAL;
  }
}

/// A word of an error's body, whatever API's shape it has.
std::string WordOf(const OrderedJson& body, const char* name) {
  const auto error = body.find("error");
  if (error == body.end()) return {};
  if (error->is_string())
    return std::string_view(name) == "message" ? error->get<std::string>() : "";
  const auto word = error->find(name);
  return word != error->end() && word->is_string() ? word->get<std::string>() : std::string();
}

std::string TextOf(const OrderedJson& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

/// Takes server-sent events apart.
class RpcCall::Parts final : public ReplyStream {
 public:
  explicit Parts(std::shared_ptr<RpcCall> call) : call_(std::move(call)) {}
  ~Parts() override {
    if (!finished_) call_->Close({grpc::StatusCode::UNAVAILABLE, "the answer was cut off"});
  }

  void Write(std::string_view part) override {
    held_ += part;
    std::size_t end = 0;
    while ((end = held_.find("\n\n")) != std::string::npos) {
      TakeEvent(std::string_view(held_).substr(0, end));
      held_.erase(0, end + 2);
    }
  }
  bool Full() const override {
    const std::lock_guard lock(call_->mutex_);
    return call_->queue_.size() >= kFull;
  }
  void OnRoom(std::function<void()> on_room) override {
    const std::lock_guard lock(call_->mutex_);
    call_->on_room_ = std::move(on_room);
  }
  void Finish() override {
    finished_ = true;
    call_->Close(grpc::Status::OK);
  }

 private:
  void TakeEvent(std::string_view text) {
    std::string_view name;
    std::string data;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.starts_with("event: ")) name = line.substr(7);
      if (line.starts_with("data: ")) data += line.substr(6);
    }
    if (!data.empty() && data != "[DONE]") call_->Enqueue(name, data);
  }

  const std::shared_ptr<RpcCall> call_;
  std::string held_;
  bool finished_ = false;
};

/// What handlers hold.
class RpcCall::View final : public Exchange {
 public:
  explicit View(std::shared_ptr<RpcCall> call) : call_(std::move(call)) {}
  ~View() override {
    if (!answered_) call_->Close({grpc::StatusCode::INTERNAL, "the server gave no answer"});
  }

  const Request& request() const override { return call_->request_; }
  void Send(Reply reply) override {
    answered_ = true;
    call_->Send(reply);
  }
  std::shared_ptr<ReplyStream> Stream(Reply) override {
    answered_ = true;
    return std::make_shared<Parts>(call_);
  }
  void OnGone(std::function<void()> on_gone) override { call_->OnGone(std::move(on_gone)); }
  bool gone() const override { return call_->gone(); }
  void Post(std::function<void()> action) override { call_->actions_->Post(std::move(action)); }
  void PostAfter(std::chrono::milliseconds time, std::function<void()> action) override {
    call_->PostAfter(time, std::move(action));
  }

 private:
  const std::shared_ptr<RpcCall> call_;
  bool answered_ = false;
};

std::shared_ptr<Exchange> RpcCall::NewExchange() {
  return std::make_shared<View>(shared_from_this());
}

void RpcCall::ReadMetadata() {
  for (const char* name : {"authorization", "x-api-key"}) {
    const auto found = context_->client_metadata().find(name);
    if (found == context_->client_metadata().end()) continue;
    request_.headers.Add(name, std::string(found->second.data(), found->second.size()));
  }
  request_.headers.Add("Content-Type", "application/json");
}

bool RpcCall::ReadRequest(const RpcRoute& route, const google::protobuf::Message& message) {
  request_.id = NewId();
  request_.peer = context_->peer();
  request_.method = route.method;
  wrap_ = route.wrap;
  ReadMetadata();
  Result<OrderedJson> body = ToJson(message);
  if (!body) {
    Close({grpc::StatusCode::INVALID_ARGUMENT, body.error().Message()});
    return false;
  }
  request_.path = route.path;
  if (const std::size_t at = request_.path.find("{id}"); at != std::string::npos) {
    const std::string id = body->value("id", "");
    if (id.empty() || id.find('/') != std::string::npos) {
      Close({grpc::StatusCode::INVALID_ARGUMENT, "id: must be one that this server gave"});
      return false;
    }
    body->erase("id");
    request_.path.replace(at, 4, id);
  }
  if (route.method == "POST") {
    if (route.streams) (*body)["stream"] = true;
    if (route.tells_usage) (*body)["stream_options"] = {{"include_usage", true}};
    request_.body = body->dump();
  } else {
    for (const auto& [name, value] : body->items())
      request_.query.emplace_back(name, TextOf(value));
  }
  return true;
}

grpc::Status RpcCall::StatusOfReply(int status, const std::string& body) {
  const Result<OrderedJson> json = ParseOrderedJson(body, "reply");
  const std::string message = json && json->is_object() ? WordOf(*json, "message") : "";
  const std::string code = json && json->is_object() ? WordOf(*json, "code") : "";
  if (!code.empty()) AddTrailer("ergo-code", code);
  return {CodeOf(status, code), message.empty() ? fmt::format("status {}", status) : message};
}

void RpcCall::AddTrailer(const std::string& name, const std::string& value) {
  const std::lock_guard lock(mutex_);
  if (writer_ != nullptr && !finished_) context_->AddTrailingMetadata(name, value);
}

void RpcCall::Send(const Reply& reply) {
  if (reply.status >= 400) {
    if (const std::string* after = reply.headers.Find("Retry-After")) {
      AddTrailer("retry-after", *after);
    }
    return Close(StatusOfReply(reply.status, reply.body));
  }
  Enqueue({}, reply.body.empty() ? "{}" : reply.body);
  Close(grpc::Status::OK);
}

void RpcCall::Enqueue(std::string_view event, std::string_view data) {
  Result<OrderedJson> json = ParseOrderedJson(data, "reply");
  if (!json) return Close({grpc::StatusCode::INTERNAL, json.error().Message()});
  if (json->is_object() && json->contains("error") && !(*json)["error"].is_null() &&
      !json->contains("index")) {
    // Too late for a status over HTTP; here it still is one.
    return Close(StatusOfReply(503, std::string(data)));
  }
  if (!wrap_.empty()) *json = OrderedJson{{std::string(wrap_), *std::move(json)}};
  if (!event.empty() && json->is_object()) (*json)["event"] = event;
  std::unique_lock lock(mutex_);
  if (writer_ == nullptr || finished_ || end_ != nullptr) return;
  std::unique_ptr<google::protobuf::Message> message = writer_->NewReply();
  if (const Status read = FromJson(*json, message.get()); !read) {
    end_ = std::make_unique<grpc::Status>(grpc::StatusCode::INTERNAL, read.error().Message());
  } else {
    queue_.push_back(std::move(message));
  }
  Advance(lock);
}

void RpcCall::Close(grpc::Status status) {
  std::unique_lock lock(mutex_);
  if (end_ == nullptr) end_ = std::make_unique<grpc::Status>(std::move(status));
  Advance(lock);
}

/// Sends what is next, if nothing is being sent.
void RpcCall::Advance(std::unique_lock<std::mutex>& lock) {
  if (writer_ == nullptr || writing_ || finished_) return;
  if (!queue_.empty() && !gone_) {
    writing_ = true;
    std::unique_ptr<google::protobuf::Message> next = std::move(queue_.front());
    queue_.pop_front();
    RpcWriter* const writer = writer_;
    lock.unlock();
    return writer->Write(std::move(next));
  }
  if (end_ == nullptr && !gone_) return;
  finished_ = true;
  RpcWriter* const writer = writer_;
  const grpc::Status status =
      gone_ ? grpc::Status(grpc::StatusCode::CANCELLED, "cancelled") : *end_;
  // Callbacks may hold this exchange: they go when nothing more comes of it.
  const auto on_gone = std::exchange(on_gone_, nullptr);
  const auto on_room = std::exchange(on_room_, nullptr);
  lock.unlock();
  writer->Finish(status);
}

void RpcCall::OnWritten(bool good) {
  std::unique_lock lock(mutex_);
  writing_ = false;
  if (!good) gone_ = true;
  auto on_room = queue_.empty() && end_ == nullptr ? on_room_ : nullptr;
  Advance(lock);
  if (lock.owns_lock()) lock.unlock();
  if (on_room) actions_->Post(std::move(on_room));
}

void RpcCall::OnCancelled() {
  std::unique_lock lock(mutex_);
  if (finished_) return;
  gone_ = true;
  auto on_gone = std::exchange(on_gone_, nullptr);
  queue_.clear();
  Advance(lock);
  if (lock.owns_lock()) lock.unlock();
  if (on_gone) actions_->Post(std::move(on_gone));
}

void RpcCall::OnDone() {
  std::vector<std::unique_ptr<grpc::Alarm>> alarms;  // end outside of the lock
  const std::lock_guard lock(mutex_);
  writer_ = nullptr;
  context_ = nullptr;
  alarms = std::move(alarms_);
}

void RpcCall::OnGone(std::function<void()> on_gone) {
  {
    const std::lock_guard lock(mutex_);
    if (!gone_) {
      if (!finished_) on_gone_ = std::move(on_gone);
      return;
    }
  }
  actions_->Post(std::move(on_gone));
}

bool RpcCall::gone() const {
  const std::lock_guard lock(mutex_);
  return gone_;
}

bool RpcCall::over() const {
  const std::lock_guard lock(mutex_);
  return gone_ || finished_;
}

void RpcCall::PostAfter(std::chrono::milliseconds time, std::function<void()> action) {
  const std::lock_guard lock(mutex_);
  if (finished_ || gone_) return;
  alarms_.push_back(std::make_unique<grpc::Alarm>());
  alarms_.back()->Set(std::chrono::system_clock::now() + time,
                      [weak = weak_from_this(), action = std::move(action)](bool good) {
                        const auto self = weak.lock();
                        if (self == nullptr || !good || self->over()) return;
                        self->actions_->Post(action);
                      });
}

}  // namespace ergo::serve
