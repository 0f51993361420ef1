// The person's side of the program: colours, standard input, Ctrl-C.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ergo::cli {

enum class Style { kBold, kDim, kRed, kGreen };

/// `text` in a style if file descriptor `fd` is a terminal that shows colours (not TERM=dumb, no
/// NO_COLOR); else as it is.
std::string Styled(Style style, std::string_view text, int fd);

bool IsTerminal(int fd);

/// Writes to stdout at once. Errors: the reader is gone, the disk is full.
Status Print(std::string_view text);

/// A line on stderr, after "ergo: ".
void Note(std::string_view text);

/// All of standard input. Errors: over `max_bytes`, unreadable, interrupted.
Result<std::string> ReadStdin(std::size_t max_bytes);

/// Lines of standard input, without their ends, for a conversation: a read that Ctrl-C interrupts
/// returns.
class LineReader {
 public:
  enum class Outcome { kLine, kEnd, kInterrupted };
  /// The next line, of at most 1 MiB (the rest of a longer one is the next line).
  Outcome Next(std::string* line);

 private:
  std::string buffer_;
  bool ended_ = false;
};

/// While one lives, Ctrl-C is noted instead of ending the program; a second one before Clear()
/// ends it. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  static bool Requested();
  static void Clear();
};

}  // namespace ergo::cli
