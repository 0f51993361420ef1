#include "cli/terminal.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/cli.h"

namespace ergo::cli {

namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 20;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler stores it");

void OnInterrupt(int /*signal*/) {
  if (interrupted.exchange(true)) _exit(kInterrupted);
}

const char* Code(Style style) {
  switch (style) {
    case Style::kBold:
      return "\033[1m";
    case Style::kDim:
      return "\033[2m";
    case Style::kRed:
      return "\033[31m";
    case Style::kGreen:
      return "\033[32m";
  }
  return "";
}

}  // namespace

bool IsTerminal(int fd) { return isatty(fd) == 1; }

std::string Styled(Style style, std::string_view text, int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool plain = (no_color && *no_color) || !term || std::strcmp(term, "dumb") == 0;
  if (plain || !IsTerminal(fd)) return std::string(text);
  return fmt::format("{}{}\033[0m", Code(style), text);
}

Status Print(std::string_view text) {
  const bool fine = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!fine || std::fflush(stdout) != 0) {
    return Fail(std::strerror(errno), "standard output");
  }
  return {};
}

void Note(std::string_view text) { fmt::print(stderr, "ergo: {}\n", text); }

Result<std::string> ReadStdin(std::size_t max_bytes) {
  std::string text;
  char chunk[1 << 16];
  while (true) {
    const ssize_t n = read(STDIN_FILENO, chunk, sizeof chunk);
    if (n == 0) return text;
    if (n < 0) return Fail(std::strerror(errno), "standard input");
    if (text.size() + static_cast<std::size_t>(n) > max_bytes) {
      return Fail(fmt::format("more than {} bytes", max_bytes), "standard input",
                  "give it in smaller parts");
    }
    text.append(chunk, static_cast<std::size_t>(n));
  }
}

LineReader::Outcome LineReader::Next(std::string* line) {
  while (true) {
    const std::size_t end = buffer_.find('\n');
    if (end != std::string::npos || buffer_.size() >= kLongestLine || ended_) {
      if (ended_ && buffer_.empty()) return Outcome::kEnd;
      *line = buffer_.substr(0, end);
      buffer_.erase(0, end == std::string::npos ? end : end + 1);
      return Outcome::kLine;
    }
    char chunk[4096];
    const ssize_t n = read(STDIN_FILENO, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) {
      buffer_.clear();
      return Outcome::kInterrupted;
    }
    if (n <= 0) {
      ended_ = true;
    } else {
      buffer_.append(chunk, static_cast<std::size_t>(n));
    }
  }
}

InterruptGuard::InterruptGuard() {
  interrupted = false;
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;  // without SA_RESTART: a waiting read must return
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
}

InterruptGuard::~InterruptGuard() {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(SIGINT, &action, nullptr);
}

bool InterruptGuard::Requested() { return interrupted; }
void InterruptGuard::Clear() { interrupted = false; }

}  // namespace ergo::cli
