#include "runtime/kv/prefix_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/content_hash.h"

namespace ergo::runtime {
namespace {

namespace fs = std::filesystem;

constexpr char kMagic[8] = {'e', 'r', 'g', 'o', '-', 'k', 'v', '\n'};
constexpr std::uint32_t kVersion = 2;
constexpr std::string_view kSuffix = ".kv";
constexpr std::string_view kTemporarySuffix = ".new";
constexpr std::size_t kNameSize = 32 + kSuffix.size();
constexpr std::size_t kMostNameSpace = 1 << 16;
constexpr std::size_t kMostTokens = std::size_t{1} << 31;
/// A file that is being written is never so old.
constexpr std::int64_t kLeftoverAge = 3600 * std::int64_t{1000000000};

/// The beginning of a file as it stands there, on a little-endian machine.
struct FixedHead {
  char magic[8];
  std::uint32_t version;
  std::uint32_t key_bytes;
  std::uint32_t name_space_bytes;
  std::uint32_t tokens;
  std::uint32_t classes;
  std::uint32_t present;
  std::uint64_t data_bytes;
  std::uint64_t data_hash;
  std::uint64_t head_hash;
  std::uint64_t zero;
};
static_assert(sizeof(FixedHead) == 64);

/// An open file that closes itself.
class File {
 public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::size_t HeadBytes(std::size_t key, std::size_t name_space, std::size_t tokens) {
  return (sizeof(FixedHead) + key + name_space + tokens * sizeof(std::int32_t) + 63) / 64 * 64;
}

template <typename Parts>
std::size_t BytesOf(const Parts& parts) {
  std::size_t bytes = 0;
  for (const auto& part : parts) bytes += part.size();
  return bytes;
}

template <typename Parts>
ClassSet ClassesOf(const Parts& parts) {
  ClassSet classes = 0;
  for (std::size_t c = 0; c < parts.size(); ++c) {
    if (!parts[c].empty()) classes |= ClassSet{1} << c;
  }
  return classes;
}

std::uint64_t HashOf(std::span<const std::span<const std::byte>> parts) {
  ContentHash hash;
  for (const auto& part : parts) hash.Add(part);
  return hash.Short();
}

std::uint64_t HeadHash(std::string head) {
  std::memset(head.data() + offsetof(FixedHead, head_hash), 0, sizeof(std::uint64_t));
  ContentHash hash;
  hash.Add(head);
  return hash.Short();
}

std::string HashOf(std::string_view text) {
  ContentHash hash;
  hash.Add(text);
  return hash.Hex();
}

bool ReadAll(int file, std::span<std::byte> bytes, std::size_t offset) {
  while (!bytes.empty()) {
    const ssize_t got = ::pread(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::size_t>(got);
  }
  return true;
}

bool WriteAll(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(file, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return true;
}

std::int64_t Nanoseconds(const struct timespec& time) {
  return time.tv_sec * std::int64_t{1000000000} + time.tv_nsec;
}

std::int64_t Now() {
  struct timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return Nanoseconds(now);
}

/// Now to the nanosecond: what the system puts in itself is the same for milliseconds.
void SetUsed(const std::string& path) {
  struct timespec times[2] = {};
  ::clock_gettime(CLOCK_REALTIME, &times[0]);
  times[1] = times[0];
  ::utimensat(AT_FDCWD, path.c_str(), times, 0);
}

tl::unexpected<Error> SystemFail(const std::string& what, const std::string& path) {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return Fail(what + ": " + std::strerror(error), path,
              full ? "make room on the disk or allow the store fewer bytes"
                   : "choose a folder that this user may write to");
}

}  // namespace

Result<std::unique_ptr<PrefixStore>> PrefixStore::Open(StoreOptions options) {
  std::unique_ptr<PrefixStore> store(new PrefixStore(std::move(options)));
  store->folder_ =
      fmt::format("{}/{}-{}", store->options_.folder, kVersion, HashOf(store->options_.key.digest));
  std::error_code error;
  fs::create_directories(store->folder_, error);
  if (error) {
    errno = error.value();
    return SystemFail("cannot make the folder for keys and values", store->folder_);
  }
  // Texts can be read from these files.
  if (::chmod(store->folder_.c_str(), 0700) != 0) {
    return SystemFail("cannot use the folder for keys and values", store->folder_);
  }
  store->temporaries_ = static_cast<std::uint64_t>(Now());
  const std::string probe =
      store->PathOf(fmt::format("{}.{}{}", ::getpid(), store->temporaries_, kTemporarySuffix));
  if (File(probe, O_WRONLY | O_CREAT).get() < 0) {
    return SystemFail("cannot write to the folder for keys and values", store->folder_);
  }
  ::unlink(probe.c_str());
  return store;
}

PrefixStore::~PrefixStore() { Abandon(); }

std::string PrefixStore::FileName(const PrefixName& name) {
  ContentHash hash;
  hash.AddSized(name.name_space);
  hash.Add(std::as_bytes(name.tokens));
  return hash.Hex().append(kSuffix);
}

std::size_t PrefixStore::FileBytes(const PrefixName& name, ClassSet classes) const {
  std::size_t bytes =
      HeadBytes(options_.key.digest.size(), name.name_space.size(), name.tokens.size());
  for (std::size_t c = 0; c < options_.block_bytes.size(); ++c) {
    if ((classes >> c & 1) != 0) bytes += options_.block_bytes[c];
  }
  return bytes;
}

/// All of a file that stands before the keys and values.
std::string PrefixStore::Head(const PrefixName& name,
                              std::span<const std::span<const std::byte>> parts) const {
  const std::string& key = options_.key.digest;
  FixedHead fixed = {};
  std::memcpy(fixed.magic, kMagic, sizeof(kMagic));
  fixed.version = kVersion;
  fixed.key_bytes = static_cast<std::uint32_t>(key.size());
  fixed.name_space_bytes = static_cast<std::uint32_t>(name.name_space.size());
  fixed.tokens = static_cast<std::uint32_t>(name.tokens.size());
  fixed.classes = static_cast<std::uint32_t>(parts.size());
  fixed.present = ClassesOf(parts);
  fixed.data_bytes = BytesOf(parts);
  fixed.data_hash = HashOf(parts);
  std::string head(reinterpret_cast<const char*>(&fixed), sizeof(fixed));
  head.append(key).append(name.name_space);
  head.append(reinterpret_cast<const char*>(name.tokens.data()), name.tokens.size_bytes());
  head.resize(HeadBytes(key.size(), name.name_space.size(), name.tokens.size()));
  const std::uint64_t hash = HeadHash(head);
  std::memcpy(head.data() + offsetof(FixedHead, head_hash), &hash, sizeof(hash));
  return head;
}

Result<PrefixStore::Pending> PrefixStore::WriteTemporary(
    const PrefixName& name, std::span<const std::span<const std::byte>> parts) {
  if (name.name_space.size() > kMostNameSpace || name.tokens.size() > kMostTokens) {
    return Fail("the prefix is too long to store", folder_);
  }
  Pending pending = {-1, {}, FileName(name), FileBytes(name, ClassesOf(parts))};
  pending.temporary =
      PathOf(fmt::format("{}.{}.{}{}", pending.name, ::getpid(), ++temporaries_, kTemporarySuffix));
  File file(pending.temporary, O_WRONLY | O_CREAT | O_EXCL);
  if (file.get() < 0) return SystemFail("cannot store keys and values", pending.temporary);
  const std::string head = Head(name, parts);
  bool good = WriteAll(file.get(), std::as_bytes(std::span(head)));
  for (const auto& part : parts) good = good && WriteAll(file.get(), part);
  if (!good) {
    auto failed = SystemFail("cannot store keys and values", pending.temporary);
    ::unlink(pending.temporary.c_str());
    return failed;
  }
  pending.file = file.release();
  return pending;
}

Status PrefixStore::Rename(const Pending& pending) {
  if (::rename(pending.temporary.c_str(), PathOf(pending.name).c_str()) != 0) {
    auto failed = SystemFail("cannot store keys and values", PathOf(pending.name));
    ::unlink(pending.temporary.c_str());
    return failed;
  }
  return {};
}

Status PrefixStore::Write(const PrefixName& name,
                          std::span<const std::span<const std::byte>> parts) {
  auto pending = WriteTemporary(name, parts);
  if (!pending) return Fail(std::move(pending));
  ::close(pending->file);
  if (auto renamed = Rename(*pending); !renamed) return renamed;
  Know(pending->name, pending->bytes);
  return {};
}

Status PrefixStore::Prepare(const PrefixName& name,
                            std::span<const std::span<const std::byte>> parts) {
  auto pending = WriteTemporary(name, parts);
  if (!pending) return Fail(std::move(pending));
  // The disk gets going while the next ones are written.
  ::sync_file_range(pending->file, 0, 0, SYNC_FILE_RANGE_WRITE);
  Know(pending->name, pending->bytes);
  pending_.push_back(*std::move(pending));
  return {};
}

Status PrefixStore::Commit() {
  Status done;
  for (const Pending& pending : pending_) {
    if (done && ::fsync(pending.file) != 0) {
      done = SystemFail("cannot store keys and values", pending.temporary);
    }
  }
  for (const Pending& pending : pending_) {
    if (done) done = Rename(pending);
  }
  if (!done) {
    for (const Pending& pending : pending_) ::unlink(PathOf(pending.name).c_str());
    Abandon();
    return done;
  }
  for (const Pending& pending : pending_) ::close(pending.file);
  pending_.clear();
  const File folder(folder_, O_RDONLY | O_DIRECTORY);
  if (folder.get() < 0 || ::fsync(folder.get()) != 0) {
    return SystemFail("cannot store keys and values", folder_);
  }
  return {};
}

/// What was prepared is given up.
void PrefixStore::Abandon() {
  for (const Pending& pending : pending_) {
    ::close(pending.file);
    ::unlink(pending.temporary.c_str());
    Forget(pending.name);
  }
  pending_.clear();
}

void PrefixStore::Know(const std::string& name, std::size_t bytes) {
  Forget(name);
  files_.emplace(name, bytes);
  bytes_ += bytes;
}

void PrefixStore::Forget(const std::string& name) {
  const auto found = files_.find(name);
  if (found == files_.end()) return;
  bytes_ -= found->second;
  files_.erase(found);
}

Status PrefixStore::Read(const PrefixName& name, std::span<const std::span<std::byte>> parts) {
  const std::string file_name = FileName(name);
  const std::string path = PathOf(file_name);
  const File file(path, O_RDONLY);
  struct stat status = {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    auto failed = SystemFail("cannot read keys and values", path);
    Forget(file_name);
    return failed;
  }
  const auto damaged = [&](const char* what) {
    std::size_t unused = 0;
    if (const auto other = ReadName(file_name, unused);
        other && other->classes != ClassesOf(parts)) {
      Forget(file_name);
      return Fail("another process has stored keys and values of other layers", path);
    }
    auto failed = Fail(what, path, "it is not used; its tokens are computed again");
    Warn(failed.value());
    ::unlink(path.c_str());
    Forget(file_name);
    return failed;
  };
  std::string head(
      HeadBytes(options_.key.digest.size(), name.name_space.size(), name.tokens.size()), '\0');
  const std::size_t bytes = BytesOf(parts);
  if (static_cast<std::size_t>(status.st_size) != head.size() + bytes) {
    return damaged("stored keys and values have the wrong size");
  }
  bool good = ReadAll(file.get(), std::as_writable_bytes(std::span(head)), 0);
  std::size_t offset = head.size();
  for (const auto& part : parts) {
    good = good && ReadAll(file.get(), part, offset);
    offset += part.size();
  }
  // What the head must be, given what was read, is what it must be given what was written.
  const std::vector<std::span<const std::byte>> read(parts.begin(), parts.end());
  if (!good || head != Head(name, read)) return damaged("stored keys and values are damaged");
  SetUsed(path);
  return {};
}

void PrefixStore::Touch(const PrefixName& name) const { SetUsed(PathOf(FileName(name))); }

void PrefixStore::Remove(const PrefixName& name) {
  const std::string file_name = FileName(name);
  std::erase_if(pending_, [&](const Pending& pending) {
    if (pending.name != file_name) return false;
    ::close(pending.file);
    ::unlink(pending.temporary.c_str());
    return true;
  });
  ::unlink(PathOf(file_name).c_str());
  Forget(file_name);
}

std::vector<PrefixStore::Stored> PrefixStore::List() {
  std::vector<Stored> list;
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.ends_with(kTemporarySuffix)) RemoveLeftovers(name);
    if (name.size() != kNameSize || !name.ends_with(kSuffix)) continue;
    std::size_t bytes = 0;
    auto stored = ReadName(name, bytes);
    if (stored) {
      Know(name, bytes);
      list.push_back(*std::move(stored));
    } else {
      Warn(stored.error());
    }
  }
  std::sort(list.begin(), list.end(),
            [](const Stored& a, const Stored& b) { return a.tokens.size() < b.tokens.size(); });
  return list;
}

/// Reads a file's head and checks it. A damaged file of ours is removed.
Result<PrefixStore::Stored> PrefixStore::ReadName(const std::string& name,
                                                  std::size_t& bytes) const {
  const std::string path = PathOf(name);
  const File file(path, O_RDONLY | O_NOFOLLOW);
  struct stat status = {};
  FixedHead fixed = {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Fail("stored keys and values cannot be read", path);
  }
  const auto damaged = [&](const char* what) {
    ::unlink(path.c_str());
    return Fail(what, path, "it is not used and was removed");
  };
  bytes = static_cast<std::size_t>(status.st_size);
  if (!ReadAll(file.get(), std::as_writable_bytes(std::span(&fixed, 1)), 0)) {
    return damaged("stored keys and values are cut off");
  }
  if (std::memcmp(fixed.magic, kMagic, sizeof(kMagic)) != 0 || fixed.version != kVersion) {
    return Fail("not stored keys and values, or of another version", path, "it is not used");
  }
  const std::size_t head_bytes = HeadBytes(fixed.key_bytes, fixed.name_space_bytes, fixed.tokens);
  if (head_bytes > bytes || fixed.data_bytes != bytes - head_bytes) {
    return damaged("stored keys and values have the wrong size");
  }
  std::string head(head_bytes, '\0');
  if (!ReadAll(file.get(), std::as_writable_bytes(std::span(head)), 0) ||
      HeadHash(head) != fixed.head_hash) {
    return damaged("stored keys and values are damaged");
  }
  const std::string& key = options_.key.digest;
  if (std::string_view(head).substr(sizeof(fixed), fixed.key_bytes) != key ||
      fixed.classes != options_.block_bytes.size()) {
    return Fail("stored keys and values of another model or way of computing", path,
                "it is not used");
  }
  Stored stored;
  stored.name_space = head.substr(sizeof(fixed) + key.size(), fixed.name_space_bytes);
  stored.tokens.resize(fixed.tokens);
  std::memcpy(stored.tokens.data(),
              head.data() + sizeof(fixed) + key.size() + stored.name_space.size(),
              stored.tokens.size() * sizeof(std::int32_t));
  stored.classes = fixed.present;
  stored.used = Nanoseconds(status.st_mtim);
  const PrefixName prefix = {stored.name_space, stored.tokens};
  if (stored.tokens.empty() || FileName(prefix) != name ||
      FileBytes(prefix, stored.classes) != bytes) {
    return Fail("stored keys and values under a name that is not theirs", path, "it is not used");
  }
  return stored;
}

/// Of processes that were killed while they wrote.
void PrefixStore::RemoveLeftovers(const std::string& name) const {
  struct stat status = {};
  const std::string path = PathOf(name);
  if (::stat(path.c_str(), &status) != 0 || Now() - Nanoseconds(status.st_mtim) < kLeftoverAge) {
    return;
  }
  ::unlink(path.c_str());
}

}  // namespace ergo::runtime
