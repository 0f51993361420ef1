// A call of gRPC as an exchange: what HTTP would have as server-sent events are its messages.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/grpc/rpc_pump.h"
#include "serve/http/exchange.h"

namespace ergo::serve {

/// The request over HTTP that a call stands for.
struct RpcRoute {
  std::string_view method;
  std::string_view path;       ///< "{id}" is the field `id` of the message
  std::string_view wrap = {};  ///< field of the reply that takes the whole document
  bool streams = false;        ///< "stream": true is added to the body
  bool tells_usage = false;    ///< and that the stream ends with the usage
};

/// How replies reach the client; calls come one at a time.
class RpcWriter {
 public:
  virtual ~RpcWriter() = default;
  /// A new message of the reply's type; owned by the caller.
  virtual std::unique_ptr<google::protobuf::Message> NewReply() const = 0;
  /// Begins to send; RpcCall::OnWritten follows. Unary calls: takes the one reply.
  virtual void Write(std::unique_ptr<google::protobuf::Message> reply) = 0;
  /// Once, when nothing is being written.
  virtual void Finish(const grpc::Status& status) = 0;
};

/// One call: lives until gRPC is done with it, and as long as a handler holds its exchange. Any
/// thread.
class RpcCall : public std::enable_shared_from_this<RpcCall> {
 public:
  RpcCall(grpc::CallbackServerContext* context, RpcWriter* writer,
          std::shared_ptr<RpcActions> actions)
      : actions_(std::move(actions)), context_(context), writer_(writer) {}

  /// False, and the call is closed, if the message can't be a request.
  bool ReadRequest(const RpcRoute& route, const google::protobuf::Message& message);
  /// What handlers get; once. If it goes before it was answered, the call ends with INTERNAL.
  std::shared_ptr<Exchange> NewExchange();
  /// The client is gone, or the call's deadline is over.
  void OnCancelled();
  void OnWritten(bool good);
  /// After this the writer is gone.
  void OnDone();

 private:
  class View;
  class Parts;
  void Send(const Reply& reply);
  void Enqueue(std::string_view event, std::string_view data);
  void Close(grpc::Status status);
  void Advance(std::unique_lock<std::mutex>& lock);
  grpc::Status StatusOfReply(int status, const std::string& body);
  void AddTrailer(const std::string& name, const std::string& value);
  void ReadMetadata();
  void PostAfter(std::chrono::milliseconds time, std::function<void()> action);
  void OnGone(std::function<void()> on_gone);
  bool gone() const;
  bool over() const;

  const std::shared_ptr<RpcActions> actions_;
  std::string_view wrap_ = {};
  Request request_;

  mutable std::mutex mutex_;
  grpc::CallbackServerContext* context_;
  RpcWriter* writer_;  ///< nullptr: done
  std::deque<std::unique_ptr<google::protobuf::Message>> queue_;
  std::unique_ptr<grpc::Status> end_;  ///< set when no more comes
  bool writing_ = false;
  bool finished_ = false;
  bool gone_ = false;
  // They may hold the exchange, and go when the call is over.
  std::function<void()> on_gone_;
  std::function<void()> on_room_;
  std::vector<std::unique_ptr<grpc::Alarm>> alarms_;
};

}  // namespace ergo::serve
