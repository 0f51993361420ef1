// From an HTTP request to the endpoint that answers it: route, key, body, schema.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/endpoints/endpoint.h"
#include "serve/schema/schema.h"

namespace ergo::serve {

/// Must outlive the server that it serves.
class Front {
 public:
  /// Error: an endpoint whose schema is none.
  static Result<std::unique_ptr<Front>> Create(Service& service);

  /// Takes a request of the server; any thread.
  void Take(std::shared_ptr<Exchange> exchange);

 private:
  struct Route {
    const Endpoint* endpoint = nullptr;
    std::vector<std::string_view> parts;  ///< of its path
    std::optional<Schema> request = {};
    std::optional<Schema> query = {};
  };

  explicit Front(Service& service) : service_(service) {}
  const Route* Match(const Request& request, NamedValues* parameters, bool* path_known) const;
  void Run(const Route& route, const CallPtr& call) const;
  std::optional<Failure> ReadBody(const Route& route, Call& call) const;

  Service& service_;
  std::vector<Route> routes_;
};

}  // namespace ergo::serve
