#include "serve/control/control_socket.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

namespace ergo::serve {
namespace {

constexpr int kPatienceMs = 5000;
constexpr std::size_t kMostBytes = 1 << 20;

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

std::optional<sockaddr_un> AddressOf(const std::filesystem::path& file) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text = file.string();
  if (text.size() >= sizeof(address.sun_path)) return std::nullopt;
  std::memcpy(address.sun_path, text.data(), text.size());
  return address;
}

bool WaitFor(int descriptor, short events) {
  pollfd one{descriptor, events, 0};
  return ::poll(&one, 1, kPatienceMs) == 1;
}

/// Until a line end, the end of the connection, or the patience's.
std::string ReadLine(int descriptor) {
  std::string text;
  char buffer[4096];
  while (text.size() < kMostBytes && text.find('\n') == std::string::npos) {
    if (!WaitFor(descriptor, POLLIN)) break;
    const ssize_t got = ::recv(descriptor, buffer, sizeof(buffer), 0);
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text.substr(0, std::min(text.find('\n'), text.size()));
}

bool WriteAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    if (!WaitFor(descriptor, POLLOUT)) return false;
    const ssize_t put = ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL);
    if (put <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

/// A descriptor that is connected, or -1.
int Connect(const sockaddr_un& address) {
  Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (descriptor.get() < 0) return -1;
  const int connected =
      ::connect(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  return connected == 0 ? descriptor.release() : -1;
}

Status MakeFolder(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::filesystem::create_directories(folder.parent_path(), ignored);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return Fail(std::strerror(errno), folder.string(), "set XDG_RUNTIME_DIR");
  }
  struct stat what {};
  // Not through a link that somebody else has put there.
  if (::lstat(folder.c_str(), &what) != 0 || !S_ISDIR(what.st_mode) || what.st_uid != ::geteuid() ||
      (what.st_mode & 0022) != 0) {
    return Fail("is not a folder of yours alone", folder.string(), "set XDG_RUNTIME_DIR");
  }
  return {};
}

}  // namespace

std::filesystem::path ControlFolder() {
  if (const char* folder = std::getenv("XDG_RUNTIME_DIR"); folder != nullptr && *folder == '/') {
    return std::filesystem::path(folder) / "ergo";
  }
  if (const char* folder = std::getenv("RUNTIME_DIRECTORY"); folder != nullptr && *folder == '/') {
    return folder;
  }
  return fmt::format("/tmp/ergo-{}", ::geteuid());
}

Result<std::unique_ptr<ControlSocket>> ControlSocket::Open(const std::filesystem::path& folder,
                                                           const std::string& name, Answer answer) {
  if (const Status made = MakeFolder(folder); !made) return tl::unexpected(made.error());
  const std::filesystem::path file = folder / (name + ".sock");
  const auto address = AddressOf(file);
  if (!address) return Fail("the path is too long for a socket", file.string());
  if (const Descriptor other(Connect(*address)); other.get() >= 0) {
    return Fail("another server answers there", file.string(), "ergo ps");
  }
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool bound =
      listener.get() >= 0 &&
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) == 0 &&
      ::chmod(file.c_str(), 0600) == 0 && ::listen(listener.get(), 16) == 0;
  if (!bound) return Fail(std::strerror(errno), file.string());
  return std::unique_ptr<ControlSocket>(
      new ControlSocket(listener.release(), file, std::move(answer)));
}

ControlSocket::ControlSocket(int listener, std::filesystem::path file, Answer answer)
    : listener_(listener), file_(std::move(file)), answer_(std::move(answer)) {
  thread_ = std::thread([this] { Run(); });
}

ControlSocket::~ControlSocket() {
  closing_ = true;
  ::shutdown(listener_, SHUT_RDWR);  // wakes the thread
  thread_.join();
  ::close(listener_);
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

void ControlSocket::Run() {
  while (!closing_) {
    const Descriptor connection(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
    if (closing_) return;
    if (connection.get() >= 0) {
      Serve(connection.get());
    } else if (errno != EINTR && errno != ECONNABORTED) {
      // No descriptors are left, say: not a reason to spin.
      ::poll(nullptr, 0, 100);
    }
  }
}

void ControlSocket::Serve(int connection) const {
  const std::string line = ReadLine(connection);
  if (!line.empty()) WriteAll(connection, answer_(line) + "\n");
}

Result<std::string> AskControl(const std::filesystem::path& file, std::string_view line) {
  const auto address = AddressOf(file);
  if (!address) return Fail("the path is too long for a socket", file.string());
  const Descriptor connection(Connect(*address));
  if (connection.get() < 0) return Fail("no server answers there", file.string(), "ergo ps");
  std::string answer;
  if (WriteAll(connection.get(), std::string(line) + "\n")) answer = ReadLine(connection.get());
  if (answer.empty()) return Fail("the server gives no answer", file.string());
  return answer;
}

std::vector<std::filesystem::path> FindControls(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() != ".sock") continue;
    const auto address = AddressOf(entry.path());
    if (!address) continue;
    const Descriptor connection(Connect(*address));
    if (connection.get() >= 0) {
      found.push_back(entry.path());
    } else if (errno == ECONNREFUSED) {
      std::filesystem::remove(entry.path(), ignored);  // of a server that was killed
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace ergo::serve
