#include "serve/observe/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>

namespace ergo::serve {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"debug", "info", "warning", "error", "none"};

}  // namespace

void Log::Write(Level level, std::string_view event, const OrderedJson& fields) {
  if (!Writes(level) || level == Level::kNone) return;
  const auto now =
      std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto millis = now.time_since_epoch().count() % 1000;
  OrderedJson line;
  line["time"] = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                             fmt::gmtime(std::chrono::system_clock::to_time_t(now)), millis);
  line["level"] = kNames[static_cast<std::size_t>(level)];
  line["event"] = event;
  for (const auto& [name, value] : fields.items()) line[name] = value;
  const std::string text = line.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
  const std::lock_guard lock(mutex_);
  // A log that cannot be written must not end the server.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

bool ParseLevel(std::string_view name, Log::Level* level) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] != name) continue;
    *level = static_cast<Log::Level>(i);
    return true;
  }
  return false;
}

}  // namespace ergo::serve
