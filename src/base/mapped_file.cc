#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>

namespace ergo {
namespace {

std::string Cause() { return std::strerror(errno); }

}  // namespace

Result<MappedFile> MappedFile::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Fail("cannot open: " + Cause(), path, "check the path and its permissions");
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return Fail("not a regular file", path, "give a model file");
  }
  if (info.st_size == 0) {
    ::close(fd);
    return Fail("the file is empty", path, "fetch it again");
  }
  const auto size = static_cast<std::size_t>(info.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  ::close(fd);
  if (address == MAP_FAILED) return Fail("cannot map: " + Cause(), path);
  MappedFile file;
  file.mapping_ = std::shared_ptr<const void>(
      address, [size](const void* p) { ::munmap(const_cast<void*>(p), size); });
  file.bytes_ = {static_cast<const std::byte*>(address), size};
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
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return Fail("cannot open: " + Cause(), path, "check the path and its permissions");
  const auto size = static_cast<std::streamoff>(in.tellg());
  if (size < 0) return Fail("not a regular file", path);
  if (static_cast<std::uint64_t>(size) > max_bytes) {
    return Fail(std::to_string(size) + " bytes is over the limit of " + std::to_string(max_bytes),
                path);
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  in.seekg(0);
  in.read(text.data(), size);
  if (in.gcount() != size) return Fail("cannot read: " + Cause(), path);
  return text;
}

}  // namespace ergo
