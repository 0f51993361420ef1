// A file's bytes, mapped read-only.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace ergo {

/// Shared ownership of a read-only mapping; copies are cheap and the mapping lives as long as any.
/// The file must not shrink while mapped.
class MappedFile {
 public:
  /// Errors: missing, not a regular file, unreadable, empty.
  static Result<MappedFile> Open(const std::string& path);

  std::span<const std::byte> bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

  /// Drops the resident pages of `part` (they are read again from the file when touched).
  void Release(std::span<const std::byte> part) const;

 private:
  std::shared_ptr<const void> mapping_;
  std::span<const std::byte> bytes_;
  std::string path_;
};

/// Reads a whole small file. Errors: missing, unreadable, over `max_bytes`.
Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes);

}  // namespace ergo
