#include "serve/endpoints/endpoint.h"

#include <string>
#include <utility>

namespace ergo::serve {

std::string Call::Parameter(std::string_view name) const {
  const std::string* value = FindValue(parameters, name);
  return value ? *value : std::string();
}

void Call::Send(const OrderedJson& reply, int status) const {
  service.metrics().CountReply(endpoint.path, status);
  exchange->Send({.status = status,
                  .body = reply.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)});
}

void Call::Fail(const Failure& failure) const {
  const int status = StatusOf(failure.kind);
  service.metrics().CountReply(endpoint.path, status);
  const auto level = status >= 500 ? Log::Level::kWarning : Log::Level::kInfo;
  service.log().Write(level, "request_failed",
                      {{"request", request().id},
                       {"endpoint", endpoint.path},
                       {"status", status},
                       {"code", failure.code},
                       {"key", principal ? principal->key_id : std::string()}});
  Reply reply;
  reply.status = status;
  reply.body =
      endpoint.errors->body(failure).dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  if (failure.retry_after) reply.headers.Add("Retry-After", std::to_string(*failure.retry_after));
  if (status == 401) reply.headers.Add("WWW-Authenticate", "Bearer");
  exchange->Send(std::move(reply));
}

std::shared_ptr<ReplyStream> Call::Stream(std::string_view content_type) const {
  service.metrics().CountReply(endpoint.path, 200);
  Reply head;
  head.content_type = std::string(content_type);
  head.headers.Add("Cache-Control", "no-cache");
  head.headers.Add("X-Accel-Buffering", "no");
  return exchange->Stream(std::move(head));
}

}  // namespace ergo::serve
