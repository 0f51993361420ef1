// The description of all endpoints, made from the schemas that check requests: GET /openapi.json.
#include <fmt/format.h>

#include <string>
#include <utility>

#include "serve/endpoints/all.h"
#include "serve/schema/components.h"

namespace ergo::serve {
namespace {

OrderedJson Content(std::string_view type, const OrderedJson& schema) {
  OrderedJson content;
  content[std::string(type)] = {{"schema", schema}};
  return content;
}

OrderedJson Described(const char* description, OrderedJson content) {
  return {{"description", description}, {"content", std::move(content)}};
}

OrderedJson Parsed(std::string_view schema) {
  return schema.empty() ? OrderedJson::object() : OrderedJson::parse(schema);
}

void AddParameters(const Endpoint& endpoint, OrderedJson* operation) {
  OrderedJson parameters = OrderedJson::array();
  std::string_view path = endpoint.path;
  for (std::size_t open; (open = path.find('{')) != std::string_view::npos;) {
    const std::size_t close = path.find('}', open);
    parameters.push_back({{"name", path.substr(open + 1, close - open - 1)},
                          {"in", "path"},
                          {"required", true},
                          {"schema", {{"type", "string"}, {"minLength", 1}}}});
    path.remove_prefix(close + 1);
  }
  if (!endpoint.query.empty()) {
    const OrderedJson query = Parsed(endpoint.query);
    for (const auto& [name, schema] : query["properties"].items()) {
      parameters.push_back({{"name", name}, {"in", "query"}, {"schema", schema}});
    }
  }
  if (!parameters.empty()) (*operation)["parameters"] = std::move(parameters);
}

OrderedJson Operation(const Endpoint& endpoint) {
  OrderedJson operation = {{"summary", endpoint.summary}};
  AddParameters(endpoint, &operation);
  if (!endpoint.request.empty()) {
    operation["requestBody"] = {{"required", true},
                                {"content", Content("application/json", Parsed(endpoint.request))}};
  }
  OrderedJson content = Content(endpoint.reply_type, Parsed(endpoint.reply));
  if (!endpoint.stream_type.empty()) {
    content[std::string(endpoint.stream_type)] = {{"schema", {{"type", "string"}}}};
  }
  OrderedJson& responses = operation["responses"];
  responses["200"] = Described("The reply", std::move(content));
  const auto error = Content("application/json", Parsed(endpoint.errors->schema));
  for (const char* status :
       {"400", "401", "404", "405", "408", "413", "415", "429", "431", "500", "503", "504"}) {
    responses[status] = Described("An error", error);
  }
  operation["security"] = OrderedJson::array();
  if (!endpoint.open) {
    operation["security"].push_back({{"key", OrderedJson::array()}});
    operation["security"].push_back(OrderedJson::object());
  }
  return operation;
}

OrderedJson Document(const std::string& version) {
  OrderedJson document = {{"openapi", "3.1.0"},
                          {"info", {{"title", "ergo"}, {"version", version}}}};
  OrderedJson& paths = document["paths"];
  for (const Endpoint* endpoint : Endpoints()) {
    std::string method(endpoint->method);
    for (char& c : method) c = static_cast<char>(c | 0x20);
    paths[std::string(endpoint->path)][method] = Operation(*endpoint);
  }
  OrderedJson& components = document["components"];
  for (const Component& component : Components()) {
    components["schemas"][std::string(component.name)] = Parsed(component.schema);
  }
  components["securitySchemes"]["key"] = {{"type", "http"}, {"scheme", "bearer"}};
  return document;
}

void Handle(const CallPtr& call) { call->Send(Document(call->service.options().version)); }

}  // namespace

const Endpoint kOpenApi = {.method = "GET",
                           .path = "/openapi.json",
                           .summary = "This document",
                           .open = true,
                           .handle = Handle};

}  // namespace ergo::serve
