// Which traces are being written, told between processes by locks that end with their holder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>

#include "base/result.h"

namespace ergo::reasoning {

/// One byte of a lock file stands for each key. Any thread.
class LiveKeys {
 public:
  /// Errors: the file cannot be created.
  static Result<std::shared_ptr<LiveKeys>> Open(const std::filesystem::path& file);
  ~LiveKeys();
  LiveKeys(const LiveKeys&) = delete;
  LiveKeys& operator=(const LiveKeys&) = delete;

  /// False: someone holds it already.
  bool Hold(std::int64_t key);
  /// Tries for `ms` milliseconds.
  bool HoldWithin(std::int64_t key, int ms);
  void Release(std::int64_t key);
  /// By this process or another.
  bool IsHeld(std::int64_t key);

 private:
  explicit LiveKeys(int fd) : fd_(fd) {}

  std::mutex mutex_;
  int fd_;
  std::set<std::int64_t> mine_;
};

}  // namespace ergo::reasoning
