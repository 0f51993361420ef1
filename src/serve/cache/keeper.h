// A place beyond this process where answers are kept: a file, a server.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ergo::serve {

/// Used by one thread at a time. Each call ends by its deadline, as far as the system lets it; one
/// that fails leaves the keeper closed.
class Keeper {
 public:
  using Clock = std::chrono::steady_clock;

  virtual ~Keeper() = default;
  virtual Status Open(Clock::time_point deadline) = 0;
  virtual Result<std::optional<std::string>> Find(std::string_view key,
                                                  Clock::time_point deadline) = 0;
  virtual Status Put(std::string_view key, std::string_view answer, Clock::time_point deadline) = 0;
};

}  // namespace ergo::serve
