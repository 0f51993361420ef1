#include "serve/endpoints/front.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace ergo::serve {
namespace {

/// For requests that no endpoint is meant by.
constexpr Endpoint kNowhere = {
    .method = "", .path = "(none)", .summary = "", .errors = &kOpenAiErrors, .handle = nullptr};

std::vector<std::string_view> PartsOf(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    path.remove_prefix(1);  // '/'
    const std::size_t end = std::min(path.find('/'), path.size());
    parts.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return parts;
}

bool IsParameter(std::string_view part) { return part.starts_with('{') && part.ends_with('}'); }

/// "Bearer KEY" or the header that Anthropic's clients send.
std::string_view KeyOf(const Request& request) {
  constexpr std::string_view kBearer = "bearer ";
  if (const std::string* key = request.headers.Find("x-api-key")) return *key;
  const std::string* header = request.headers.Find("Authorization");
  if (header == nullptr || header->size() < kBearer.size()) return {};
  const std::string_view value = *header;
  const bool bearer =
      std::equal(kBearer.begin(), kBearer.end(), value.begin(),
                 [](char expected, char c) { return expected == (c | 0x20) || expected == c; });
  return bearer ? value.substr(kBearer.size()) : std::string_view();
}

/// The schema of a parameter by its name may span several parts: ids of models have slashes.
bool MatchParts(const std::vector<std::string_view>& pattern,
                const std::vector<std::string_view>& path, NamedValues* parameters) {
  const bool open = !pattern.empty() && IsParameter(pattern.back());
  if (open ? path.size() < pattern.size() : path.size() != pattern.size()) return false;
  parameters->clear();
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view part = pattern[i];
    if (!IsParameter(part)) {
      if (part != path[i]) return false;
      continue;
    }
    std::string value(path[i]);
    if (i + 1 == pattern.size()) {
      for (std::size_t j = i + 1; j < path.size(); ++j) value += "/" + std::string(path[j]);
    }
    if (value.empty()) return false;
    parameters->emplace_back(part.substr(1, part.size() - 2), std::move(value));
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<Front>> Front::Create(Service& service) {
  std::unique_ptr<Front> front(new Front(service));
  for (const Endpoint* endpoint : Endpoints()) {
    Route route = {endpoint, PartsOf(endpoint->path), {}, {}};
    const std::string where = fmt::format("{} {}", endpoint->method, endpoint->path);
    for (const auto& [text, schema] :
         {std::pair(endpoint->request, &route.request), std::pair(endpoint->query, &route.query)}) {
      if (text.empty()) continue;
      auto parsed = Schema::Parse(text, where);
      if (!parsed) return Fail(std::move(parsed));
      *schema = std::move(*parsed);
    }
    front->routes_.push_back(std::move(route));
  }
  return front;
}

/// Paths without parameters come before those with them.
const Front::Route* Front::Match(const Request& request, NamedValues* parameters,
                                 bool* path_known) const {
  const std::vector<std::string_view> path = PartsOf(request.path);
  std::string_view method = request.method;
  if (method == "HEAD") method = "GET";
  const Route* best = nullptr;
  NamedValues found;
  *path_known = false;
  for (const Route& route : routes_) {
    if (!MatchParts(route.parts, path, &found)) continue;
    *path_known = true;
    const bool better = best == nullptr || found.size() < parameters->size() ||
                        route.parts.size() > best->parts.size();
    if (route.endpoint->method != method || !better) continue;
    best = &route;
    *parameters = std::move(found);
  }
  return best;
}

std::optional<Failure> Front::ReadBody(const Route& route, Call& call) const {
  const Request& request = call.request();
  if (route.query) {
    OrderedJson query = OrderedJson::object();
    for (const auto& [name, value] : request.query) query[name] = value;
    const OrderedJson& known = route.query->document()["properties"];
    for (const auto& [name, value] : request.query) {
      if (known.contains(name)) continue;
      return Failure{FailureKind::kInvalid,
                     "a parameter of the query is not known",
                     "unknown_parameter",
                     "query",
                     {}};
    }
    if (auto wrong = route.query->Check(query)) {
      return Failure{FailureKind::kInvalid,
                     fmt::format("{} {}", wrong->place, wrong->message),
                     "invalid_value",
                     wrong->place,
                     {}};
    }
  }
  if (!route.request || route.endpoint->raw_body) return std::nullopt;
  const std::string* type = request.headers.Find("Content-Type");
  if (type != nullptr && type->find("json") == std::string::npos &&
      type->find("x-www-form-urlencoded") == std::string::npos) {
    // curl -d without a header says x-www-form-urlencoded and means JSON.
    return Failure{FailureKind::kBadType,
                   "the content type must be application/json",
                   "unsupported_media_type",
                   {},
                   {}};
  }
  auto parsed = ParseOrderedJson(request.body, "request body",
                                 {.max_depth = 64, .max_ordered_members = 300'000});
  if (!parsed) {
    return Failure{
        FailureKind::kInvalid,
        fmt::format("the body is not the JSON that is expected: {}", parsed.error().what),
        "invalid_json",
        {},
        {}};
  }
  if (auto wrong = route.request->Check(*parsed)) {
    const std::string place = wrong->place.empty() ? "the body" : wrong->place;
    return Failure{FailureKind::kInvalid,
                   fmt::format("{} {}", place, wrong->message),
                   "invalid_value",
                   wrong->place,
                   {}};
  }
  call.body = std::move(*parsed);
  return std::nullopt;
}

void Front::Run(const Route& route, const CallPtr& call) const {
  if (auto wrong = ReadBody(route, *call)) return call->Fail(*wrong);
  // The libraries' exceptions end here: one request must not end the server.
  try {
    route.endpoint->handle(call);
  } catch (const std::bad_alloc&) {
    call->Fail({FailureKind::kUnavailable, "out of memory", "out_of_memory", {}, 1});
  } catch (const std::exception& error) {
    service_.log().Write(Log::Level::kError, "exception",
                         {{"request", call->request().id}, {"what", error.what()}});
    call->Fail({FailureKind::kInternal, "the server made an error", "internal_error", {}, {}});
  }
}

void Front::Take(std::shared_ptr<Exchange> exchange) {
  const Request& request = exchange->request();
  NamedValues parameters;
  bool path_known = false;
  const Route* route = Match(request, &parameters, &path_known);
  const Endpoint& endpoint = route ? *route->endpoint : kNowhere;
  const auto call = std::make_shared<Call>(
      Call{service_, endpoint, std::move(exchange), nullptr, std::move(parameters), nullptr});
  if (!route && path_known) {
    return call->Fail({FailureKind::kNoMethod,
                       "this path does not take this method",
                       "method_not_allowed",
                       {},
                       {}});
  }
  if (!route) {
    return call->Fail(
        {FailureKind::kNotFound, "there is nothing at this path", "unknown_url", {}, {}});
  }
  service_.log().Write(Log::Level::kDebug, "request",
                       {{"request", call->request().id},
                        {"endpoint", endpoint.path},
                        {"peer", call->request().peer},
                        {"bytes", call->request().body.size()}});
  static const auto kNobody = std::make_shared<const Principal>();
  call->principal = service_.keys().Find(KeyOf(call->request()));
  if (!call->principal) {
    if (!endpoint.open) {
      return call->Fail({FailureKind::kUnauthorized,
                         "a valid API key is needed: Authorization: Bearer KEY",
                         "invalid_api_key",
                         {},
                         {}});
    }
    call->principal = kNobody;
  }
  if (endpoint.brief) return Run(*route, call);
  if (!service_.workers().Post([this, route, call] { Run(*route, call); })) {
    ++service_.metrics().refused;
    call->Fail({FailureKind::kTooMany, "too many requests wait", "queue_full", {}, 1});
  }
}

}  // namespace ergo::serve
