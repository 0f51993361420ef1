// API keys: who may ask, and how much.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "serve/access/principal.h"

namespace ergo::serve {

/// Keys are kept as SHA-256 only, so that the file gives none away. One line for each:
///
///   sha256:<64 hex digits> owner=NAME [priority=N] [requests_per_minute=N]
///     [tokens_per_minute=N] [concurrent=N]
///
/// on one line; empty lines and lines that begin with # mean nothing. Several keys may have one
/// owner, who is then one name space; budgets are each key's own. Any thread.
class KeyRing {
 public:
  /// Reads the file, now and at Reload. Errors name the line.
  Status Open(const std::string& file);
  /// The same file anew; on an error the old keys stay.
  Status Reload();

  bool required() const;
  /// Whose key it is; nothing if it is nobody's. Compares with all keys in constant time. Without a
  /// file everybody is the same.
  std::shared_ptr<const Principal> Find(std::string_view key) const;

  /// The line's first word for a key: "sha256:…".
  static std::string HashOf(std::string_view key);

 private:
  struct Entry {
    std::string hash;  ///< 32 bytes
    std::shared_ptr<const Principal> principal;
  };
  static Result<std::vector<Entry>> Read(const std::string& file);

  mutable std::mutex mutex_;
  std::string file_;
  std::shared_ptr<const std::vector<Entry>> entries_;  ///< nullptr: no keys are needed
};

}  // namespace ergo::serve
