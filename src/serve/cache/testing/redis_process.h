// A Redis of a test's own, behind a socket in a folder of the test.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

namespace ergo::serve::testing {

class RedisProcess {
 public:
  static bool Available() {
    for (const char* place : {"/usr/bin/redis-server", "/usr/local/bin/redis-server"}) {
      if (std::filesystem::exists(place)) return true;
    }
    return false;
  }

  explicit RedisProcess(const std::string& folder) : socket_(folder + "/redis.sock") { Start(); }
  ~RedisProcess() { Kill(); }
  RedisProcess(const RedisProcess&) = delete;
  RedisProcess& operator=(const RedisProcess&) = delete;

  std::string url() const { return "unix://" + socket_; }
  const std::string& socket() const { return socket_; }

  /// Waits until its socket is there.
  void Start() {
    std::filesystem::remove(socket_);
    process_ = ::fork();
    if (process_ == 0) {
      const int nowhere = ::open("/dev/null", O_RDWR);
      ::dup2(nowhere, 1);
      ::dup2(nowhere, 2);
      ::execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket_.c_str(),
               "--save", "", "--appendonly", "no", nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 500 && !std::filesystem::exists(socket_); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  /// It takes connections, and answers nothing.
  void Freeze() const { ::kill(process_, SIGSTOP); }
  void Thaw() const { ::kill(process_, SIGCONT); }
  void Kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }

 private:
  std::string socket_;
  pid_t process_ = -1;
};

}  // namespace ergo::serve::testing
