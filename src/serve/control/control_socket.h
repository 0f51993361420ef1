// How a person on the same machine asks a running server: a socket in a folder that only its owner
// may enter, on which one line is asked and one line of JSON answered.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"

namespace ergo::serve {

/// XDG_RUNTIME_DIR/ergo, RUNTIME_DIRECTORY (systemd's), else /tmp/ergo-UID.
std::filesystem::path ControlFolder();

/// Answers until it ends; then the socket's file is gone.
class ControlSocket {
 public:
  /// Called on a thread of the socket's own.
  using Answer = std::function<std::string(std::string_view line)>;

  /// Makes the folder if need be. Errors: it is another's, or others may enter it; the path is too
  /// long; a server answers there already.
  static Result<std::unique_ptr<ControlSocket>> Open(const std::filesystem::path& folder,
                                                     const std::string& name, Answer answer);
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

 private:
  ControlSocket(int listener, std::filesystem::path file, Answer answer);
  void Run();
  void Serve(int connection) const;

  const int listener_;
  const std::filesystem::path file_;
  const Answer answer_;
  std::atomic<bool> closing_ = false;
  std::thread thread_;
};

/// Asks the server behind a socket; waits five seconds at most. Error: nobody is there.
Result<std::string> AskControl(const std::filesystem::path& file, std::string_view line);

/// Sockets of servers that answer, by name; files that nobody answers behind are removed.
std::vector<std::filesystem::path> FindControls(const std::filesystem::path& folder);

}  // namespace ergo::serve
