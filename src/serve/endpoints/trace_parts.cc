#include "serve/endpoints/trace_parts.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace ergo::serve {
namespace {

constexpr std::size_t kIdLength = 26;

tl::unexpected<Failure> NoTrace() {
  return Refuse(FailureKind::kNotFound, "there is no trace of this id", "trace_not_found", "id");
}

}  // namespace

Served<reasoning::TraceStore*> TracesOf(const CallPtr& call) {
  if (call->service.traces() != nullptr) return call->service.traces();
  return Refuse(FailureKind::kUnavailable, "this server keeps no traces", "no_traces");
}

Served<reasoning::LoadedTrace> LoadTraceOf(const CallPtr& call) {
  const auto store = TracesOf(call);
  if (!store) return tl::unexpected(store.error());
  const std::string& owner = call->principal->owner;
  std::string id = call->Parameter("id");
  // Looking for the beginning of an id reads the whole list.
  if (id.size() != kIdLength) {
    auto whole = (*store)->Resolve(id, {.owner = owner});
    if (!whole) return NoTrace();
    id = *std::move(whole);
  }
  auto loaded = (*store)->Load(id);
  if (!loaded || loaded->trace.owner != owner) return NoTrace();
  return *std::move(loaded);
}

std::string QueryText(const CallPtr& call, std::string_view name) {
  const std::string* value = FindValue(call->request().query, name);
  return value == nullptr ? std::string() : *value;
}

Served<std::size_t> QueryNumber(const CallPtr& call, std::string_view name, std::size_t fallback,
                                std::pair<std::size_t, std::size_t> range) {
  const std::string* value = FindValue(call->request().query, name);
  if (value == nullptr) return fallback;
  std::size_t number = 0;
  const char* end = value->data() + value->size();
  const auto [read, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc() && read == end && number >= range.first && number <= range.second) {
    return number;
  }
  return Refuse(
      FailureKind::kInvalid,
      fmt::format("{}: must be a whole number from {} to {}", name, range.first, range.second),
      "invalid_value", std::string(name));
}

}  // namespace ergo::serve
