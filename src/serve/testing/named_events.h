// Streams of named events, for tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "serve/testing/http_client.h"

namespace ergo::serve::testing {

struct NamedEvent {
  std::string name;
  OrderedJson data = nullptr;
};

/// Of a body of "event: NAME\ndata: JSON\n\n" …; other lines are left out.
inline std::vector<NamedEvent> NamedEvents(const HttpReply& reply) {
  std::vector<NamedEvent> events;
  std::string name;
  for (const std::string_view line : LinesOf(reply.body)) {
    if (line.starts_with("event: ")) name = line.substr(7);
    if (!line.starts_with("data: ")) continue;
    auto data = ParseOrderedJson(line.substr(6), "event");
    if (!data) ADD_FAILURE() << data.error().Message() << " in " << line;
    events.push_back({name, data ? *data : OrderedJson()});
    name.clear();
  }
  return events;
}

inline std::vector<std::string> NamesOf(const std::vector<NamedEvent>& events) {
  std::vector<std::string> names;
  for (const NamedEvent& event : events) names.push_back(event.name);
  return names;
}

}  // namespace ergo::serve::testing
