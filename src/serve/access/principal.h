// On whose behalf a request runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace ergo::serve {

/// Budgets of one API key. Absent: no limit.
struct KeyLimits {
  std::optional<std::uint64_t> requests_per_minute = {};
  std::optional<std::uint64_t> tokens_per_minute = {};  ///< prompt and completion
  std::optional<std::uint64_t> concurrent = {};         ///< requests at a time
};

/// The owner is the name space of everything that is kept: cached prefixes, traces, answers.
/// Without a key file everybody is the one owner "".
struct Principal {
  std::string owner = {};
  std::string key_id = {};  ///< first digits of the key's hash, for logs; empty without keys
  int priority = 0;         ///< higher ones are served first
  KeyLimits limits = {};
};

}  // namespace ergo::serve
