#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace ergo {
namespace {

std::string Cause() { return std::strerror(errno); }

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

/// Size of the regular file that `fd` is open on.
Result<std::size_t> RegularFileSize(int fd, const std::string& path) {
  if (fd < 0) return Fail("cannot open: " + Cause(), path, "check the path and its permissions");
  struct stat info {};
  if (::fstat(fd, &info) != 0) return Fail("cannot read: " + Cause(), path);
  if (S_ISDIR(info.st_mode)) return Fail("is a folder, not a file", path, "name the file itself");
  if (!S_ISREG(info.st_mode)) return Fail("not a regular file", path, "name a file on disk");
  return static_cast<std::size_t>(info.st_size);
}

/// O_NONBLOCK: opening a pipe that nobody writes to must not hang.
int OpenForReading(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

}  // namespace

Result<MappedFile> MappedFile::Open(const std::string& path) {
  const Descriptor fd(OpenForReading(path));
  auto size = RegularFileSize(fd.get(), path);
  if (!size) return Fail(std::move(size));
  if (*size == 0) return Fail("the file is empty", path, "fetch it again");
  void* address = ::mmap(nullptr, *size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (address == MAP_FAILED) return Fail("cannot map: " + Cause(), path);
  MappedFile file;
  file.mapping_ = std::shared_ptr<const void>(
      address, [bytes = *size](const void* p) { ::munmap(const_cast<void*>(p), bytes); });
  file.bytes_ = {static_cast<const std::byte*>(address), *size};
  file.path_ = path;
  return file;
}

void MappedFile::Release(std::span<const std::byte> part) const {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(part.data()) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(part.data()) + part.size()) / page * page;
  if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  const Descriptor fd(OpenForReading(path));
  auto size = RegularFileSize(fd.get(), path);
  if (!size) return Fail(std::move(size));
  if (*size > max_bytes) {
    return Fail(std::to_string(*size) + " bytes is over the limit of " + std::to_string(max_bytes),
                path, "check that it is the right file");
  }
  std::string text(*size, '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + done, text.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail("cannot read: " + Cause(), path);
    if (got == 0) return Fail("the file shrank while it was read", path, "try again");
    done += static_cast<std::size_t>(got);
  }
  return text;
}

}  // namespace ergo
