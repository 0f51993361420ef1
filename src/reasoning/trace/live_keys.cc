#include "reasoning/trace/live_keys.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace ergo::reasoning {
namespace {

/// A lock that belongs to the open file, not to the process: it ends when the file is closed.
struct flock LockOf(std::int64_t key, short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = key;
  lock.l_len = 1;
  return lock;
}

}  // namespace

Result<std::shared_ptr<LiveKeys>> LiveKeys::Open(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return Fail(std::string("cannot be written: ") + std::strerror(errno), file.string(),
                "make the folder writable, or name another one in ERGO_HOME");
  }
  return std::shared_ptr<LiveKeys>(new LiveKeys(fd));
}

LiveKeys::~LiveKeys() { ::close(fd_); }

bool LiveKeys::Hold(std::int64_t key) {
  const std::lock_guard guard(mutex_);
  if (mine_.contains(key)) return false;
  struct flock lock = LockOf(key, F_WRLCK);
  if (::fcntl(fd_, F_OFD_SETLK, &lock) != 0) return false;
  mine_.insert(key);
  return true;
}

bool LiveKeys::HoldWithin(std::int64_t key, int ms) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  while (!Hold(key)) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

void LiveKeys::Release(std::int64_t key) {
  const std::lock_guard guard(mutex_);
  if (mine_.erase(key) == 0) return;
  struct flock lock = LockOf(key, F_UNLCK);
  ::fcntl(fd_, F_OFD_SETLK, &lock);
}

bool LiveKeys::IsHeld(std::int64_t key) {
  const std::lock_guard guard(mutex_);
  if (mine_.contains(key)) return true;
  struct flock lock = LockOf(key, F_WRLCK);
  return ::fcntl(fd_, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace ergo::reasoning
