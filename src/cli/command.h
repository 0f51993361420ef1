// What a command is: a name, a line of help, and what it does with its options.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "cli/options.h"

namespace ergo::cli {

/// Runs after the options were read; gives the exit status. Errors become one line on stderr and
/// status 1.
using Action = std::function<Result<int>()>;

struct Command {
  std::string_view name;
  std::string_view arguments;  ///< after the name in the usage line: "[options] [PROMPT…]"
  std::string_view summary;    ///< one line, no full stop
  /// Declares the options and returns what runs once they hold their values.
  Action (*prepare)(Options& options);
};

/// All commands, sorted by name (commands/list.cc).
std::span<const Command* const> Commands();

/// nullptr when there is none of that name.
const Command* FindCommand(std::string_view name);

}  // namespace ergo::cli
