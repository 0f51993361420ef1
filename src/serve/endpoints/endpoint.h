// What an endpoint is: a route, the schema of its request, the shape of its errors, and what it
// does.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "serve/access/principal.h"
#include "serve/endpoints/error_shapes.h"
#include "serve/http/exchange.h"
#include "serve/service/failure.h"
#include "serve/service/service.h"

namespace ergo::serve {

struct Endpoint;

/// One request on its way through an endpoint. Any thread.
struct Call {
  Service& service;
  const Endpoint& endpoint;
  std::shared_ptr<Exchange> exchange;
  std::shared_ptr<const Principal> principal;  ///< never nullptr; its owner is "" without keys
  NamedValues parameters = {};                 ///< of the path: "id" for /v1/models/{id}
  OrderedJson body = nullptr;  ///< parsed, and valid by Endpoint::request; null if that is empty

  const Request& request() const { return exchange->request(); }
  /// A parameter of the path; empty if the path has none of that name.
  std::string Parameter(std::string_view name) const;
  void Send(const OrderedJson& reply, int status = 200) const;
  /// In the endpoint's error shape.
  void Fail(const Failure& failure) const;
  /// The head of a stream: "text/event-stream" or "application/x-ndjson".
  std::shared_ptr<ReplyStream> Stream(std::string_view content_type) const;
};
using CallPtr = std::shared_ptr<Call>;

struct Endpoint {
  std::string_view method;
  std::string_view path;     ///< with {parameters}, each one part of it: "/v1/models/{id}"
  std::string_view summary;  ///< one line, for the OpenAPI document
  const ErrorShape* errors = &kPlainErrors;
  /// JSON schema of the body (schema/schema.h), or empty: no body is read. From it requests are
  /// validated and the OpenAPI document is made.
  std::string_view request = {};
  /// JSON schema of a 200 reply; empty: any.
  std::string_view reply = {};
  std::string_view reply_type = "application/json";
  std::string_view stream_type = {};  ///< of a 200 reply that comes in parts; empty: never
  /// JSON schema of an object whose properties are the query's parameters; for the document, and
  /// names that it lacks are refused. Values are strings: numbers are the handler's to read.
  std::string_view query = {};
  bool raw_body = false;  ///< Request::body is not JSON: the handler reads it
  bool open = false;      ///< needs no key
  bool brief = false;     ///< takes microseconds: runs on the connection's thread, not on a worker
  /// Replies now or later, exactly once (Exchange). What waits for a model's answer goes through
  /// Answer (endpoints/answer.h).
  void (*handle)(const CallPtr& call) = nullptr;
};

/// All of them, sorted by path and method (list.cc).
std::span<const Endpoint* const> Endpoints();

}  // namespace ergo::serve
