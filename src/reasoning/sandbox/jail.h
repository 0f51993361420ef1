// One command inside bubblewrap, with its input, its outputs and its end under control.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace ergo::reasoning {

struct JailPlan {
  std::vector<std::string> command;    ///< absolute path and arguments, as seen inside
  std::vector<std::string> read_only;  ///< folders and files of the host that it may read
  /// (path inside, content): read-only files that exist only for this command.
  std::vector<std::pair<std::string, std::string>> files;
  std::string_view input;
  std::chrono::milliseconds wall{};
  std::size_t memory_bytes = 0;
  std::size_t tasks = 0;
  bool processes = false;
  std::size_t out_bytes = 0;
  std::size_t err_bytes = 0;
  std::size_t disk_bytes = 0;
  std::size_t open_files = 0;
};

struct JailResult {
  int exit_code = 0;  ///< 128 + n after signal n; meaningless after a limit
  bool timed_out = false;
  bool output_limit = false;
  std::string out;
  std::string err;
  double seconds = 0;
};

/// Runs the command and returns when every process of it is gone. Fails, with nothing run, where
/// the jail can't be built.
Result<JailResult> RunInJail(const JailPlan& plan);

}  // namespace ergo::reasoning
