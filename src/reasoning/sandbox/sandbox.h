// Runs programs that nobody has read: Python and C++ inside bubblewrap namespaces, a seccomp filter
// and resource limits. There is no way to run them without.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ergo::reasoning {

enum class Language { kPython, kCpp };

struct Program {
  Language language = Language::kPython;
  std::string source;
  std::string input;  ///< its standard input
};

/// What a program may use. Python sees its standard library, C++ what g++ ships with.
struct SandboxLimits {
  std::chrono::milliseconds wall{5000};
  std::size_t memory_bytes = std::size_t{512} << 20;  ///< address space of one process
  /// Threads, and processes where they are allowed.
  std::size_t tasks = 16;
  /// Off, a program can start threads but no process, so that `memory_bytes` bounds it all.
  bool processes = false;
  std::size_t output_bytes = std::size_t{256} << 10;  ///< of stdout and of stderr, each
  std::size_t disk_bytes = std::size_t{16} << 20;  ///< of /tmp, the one place that can be written
  std::size_t open_files = 64;
  /// Of the compiler; it and its children get `compile_memory_bytes` each.
  std::chrono::milliseconds compile_wall{20000};
  std::size_t compile_memory_bytes = std::size_t{1} << 30;
};

enum class RunStatus {
  kExited,        ///< by itself; see exit_code
  kSignaled,      ///< killed by `signal`, its own crash included
  kTimeout,       ///< out of wall or processor time
  kOutputLimit,   ///< wrote more than output_bytes
  kMemory,        ///< an allocation was refused and the program gave up
  kCompileError,  ///< g++ refused it; `err` says why
};
/// "exited", "signaled", "timeout", "output limit", "memory" or "compile error".
std::string_view Name(RunStatus status);

struct RunResult {
  RunStatus status = RunStatus::kExited;
  int exit_code = 0;
  int signal = 0;
  std::string out;
  std::string err;
  double seconds = 0;          ///< wall time of the run, start-up included
  double compile_seconds = 0;  ///< C++ only

  bool ok() const { return status == RunStatus::kExited && exit_code == 0; }
};

/// Runs `program` to its end or to a limit; by then every process of it is gone. Any thread, any
/// number at a time. Fails where bubblewrap or the language is missing, or the kernel forbids
/// namespaces or seccomp. An exit code of 128 + n counts as death by signal n, as in a shell.
Result<RunResult> RunProgram(const Program& program, const SandboxLimits& limits = {});

/// Success if programs can be run here: tries it.
Status SandboxAvailable();

}  // namespace ergo::reasoning
