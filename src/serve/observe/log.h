// Lines of JSON on stderr: one for each request and event.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/json.h"

namespace ergo::serve {

/// Any thread. Prompts and answers never appear in it.
class Log {
 public:
  enum class Level { kDebug, kInfo, kWarning, kError, kNone };

  explicit Log(Level least = Level::kInfo) : least_(least) {}

  /// {"time": …, "level": …, "event": …, fields…}
  void Write(Level level, std::string_view event,
             const OrderedJson& fields = OrderedJson::object());
  bool Writes(Level level) const { return level >= least_; }

 private:
  const Level least_;
  std::mutex mutex_;
};

/// The level of "debug", "info", "warning", "error", "none".
bool ParseLevel(std::string_view name, Log::Level* level);

}  // namespace ergo::serve
