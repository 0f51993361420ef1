#include <ergo/v1/ergo.pb.h>

#include <utility>

#include "serve/grpc/message_json.h"
#include "serve/grpc/rpc_server.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kPath = "/v1/generate";
constexpr std::string_view kType = "application/x-protobuf";

bool IsProtobuf(const Request& request) {
  const std::string* type = request.headers.Find("Content-Type");
  return type != nullptr && request.method == "POST" && request.path == kPath &&
         (type->starts_with(kType) || type->starts_with("application/protobuf"));
}

Reply Refusal(const std::string& message) {
  Reply reply;
  reply.status = 400;
  reply.body =
      OrderedJson{{"error", {{"code", "invalid_protobuf"}, {"message", message}, {"status", 400}}}}
          .dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  return reply;
}

/// An exchange whose bodies are Protobuf outside and JSON inside.
class ProtobufExchange final : public Exchange {
 public:
  ProtobufExchange(std::shared_ptr<Exchange> outer, std::string body)
      : outer_(std::move(outer)), request_(outer_->request()) {
    request_.body = std::move(body);
    const Headers& outside = outer_->request().headers;
    const std::string* const type = outside.Find("Content-Type");
    Headers headers;
    for (const auto& [name, value] : outside.entries()) {
      if (outside.Find(name) != type) headers.Add(name, value);
    }
    headers.Add("Content-Type", "application/json");
    request_.headers = std::move(headers);
  }

  const Request& request() const override { return request_; }
  void Send(Reply reply) override {
    if (reply.status == 200) Encode(&reply);
    outer_->Send(std::move(reply));
  }
  std::shared_ptr<ReplyStream> Stream(Reply head) override {
    // No field of the message asks for it.
    return outer_->Stream(std::move(head));
  }
  void OnGone(std::function<void()> on_gone) override { outer_->OnGone(std::move(on_gone)); }
  bool gone() const override { return outer_->gone(); }
  void Post(std::function<void()> action) override { outer_->Post(std::move(action)); }
  void PostAfter(std::chrono::milliseconds time, std::function<void()> action) override {
    outer_->PostAfter(time, std::move(action));
  }

 private:
  static void Encode(Reply* reply) {
    const Result<OrderedJson> json = ParseOrderedJson(reply->body, "reply");
    v1::GenerateReply message;
    const bool good = json && FromJson(*json, &message);
    if (!good) reply->status = 500;
    reply->body = good ? message.SerializeAsString() : "";
    reply->content_type = kType;
  }

  const std::shared_ptr<Exchange> outer_;
  Request request_;
};

void TakeProtobuf(const OnExchange& next, std::shared_ptr<Exchange> exchange) {
  v1::GenerateRequest message;
  const std::string& body = exchange->request().body;
  if (!message.ParseFromString(body)) {
    return exchange->Send(Refusal("the body is no ergo.v1.GenerateRequest"));
  }
  const Result<OrderedJson> json = ToJson(message);
  if (!json) return exchange->Send(Refusal(json.error().Message()));
  std::string text = json->dump();
  next(std::make_shared<ProtobufExchange>(std::move(exchange), std::move(text)));
}

}  // namespace

OnExchange WithProtobuf(OnExchange next) {
  return [next = std::move(next)](std::shared_ptr<Exchange> exchange) {
    if (IsProtobuf(exchange->request())) {
      TakeProtobuf(next, std::move(exchange));
    } else {
      next(std::move(exchange));
    }
  };
}

}  // namespace ergo::serve
