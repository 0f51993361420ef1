// The command line: `ergo COMMAND [options]`.
#pragma once

namespace ergo::cli {

inline constexpr const char* kVersion = "0.1.0";

/// Exit statuses of the program.
enum ExitCode : int {
  kOk = 0,
  kError = 1,          ///< the work could not be done; one line on stderr says why
  kUsage = 2,          ///< the command line was wrong
  kInterrupted = 130,  ///< Ctrl-C
};

/// Runs the command that the arguments name and returns the program's exit status. Answers go to
/// stdout; errors, notes and progress to stderr.
int Main(int argc, const char* const* argv);

}  // namespace ergo::cli
