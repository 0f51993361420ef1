#include "cli/cli.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "cli/command.h"
#include "cli/suggest.h"
#include "cli/terminal.h"

namespace ergo::cli {

namespace {

std::string Overview() {
  std::string text = "Usage: ergo COMMAND [options]\n\n";
  for (const Command* command : Commands()) {
    text += fmt::format("  {:<10}  {}\n", command->name, command->summary);
  }
  text +=
      "\n`ergo COMMAND --help` shows the options of one command. A model (-m) is a .gguf file, a\n"
      "Hugging Face folder, the id org/name of a pulled model, or a name that `ergo list` shows.\n"
      "Without -m: the model that ERGO_MODEL names, or else the one that ./run has fetched.\n";
  return text;
}

/// Names of files, tensors and options are not ours: they must not break the line or steer the
/// terminal.
std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      line += fmt::format("\\x{:02x}", byte);
    } else {
      line += c;
    }
  }
  return line;
}

void PrintError(const Error& error) {
  fmt::print(stderr, "{} {}\n", Styled(Style::kRed, "error:", STDERR_FILENO),
             OneLine(error.Message()));
}

int UsageError(const Error& error, const std::string& help) {
  PrintError(error);
  fmt::print(stderr, "See `{}`.\n", help);
  return kUsage;
}

int Show(const std::string& text) {
  const Status printed = Print(text);
  if (printed) return kOk;
  PrintError(printed.error());
  return kError;
}

int RunCommand(const Command& command, const std::vector<std::string>& words) {
  Options options;
  const Action action = command.prepare(options);
  const auto parsed = options.Parse(words);
  if (!parsed) return UsageError(parsed.error(), fmt::format("ergo {} --help", command.name));
  if (*parsed != Options::Outcome::kRun) {
    return Show(fmt::format("{}.\nUsage: ergo {} {}\n\n{}", command.summary, command.name,
                            command.arguments,
                            options.Help(*parsed == Options::Outcome::kHelpAll)));
  }
  const Result<int> status = action();
  if (status) return *status;
  PrintError(status.error());
  return kError;
}

}  // namespace

const Command* FindCommand(std::string_view name) {
  for (const Command* command : Commands()) {
    if (command->name == name) return command;
  }
  return nullptr;
}

int Main(int argc, const char* const* argv) {
  if (argc < 2) {
    fmt::print(stderr, "{}", Overview());
    return kUsage;
  }
  const std::string first = argv[1];
  if (first == "-h" || first == "--help" || first == "help") return Show(Overview());
  if (first == "--version") return Show(fmt::format("ergo {}\n", kVersion));

  if (const Command* command = FindCommand(first)) {
    return RunCommand(*command, {argv + 2, argv + argc});
  }
  std::vector<std::string> names;
  for (const Command* command : Commands()) names.emplace_back(command->name);
  const auto nearest = Nearest(first, names);
  Error error;
  error.what = fmt::format("there is no command '{}'", first);
  if (nearest) error.remedy = fmt::format("did you mean '{}'?", *nearest);
  return UsageError(error, "ergo --help");
}

}  // namespace ergo::cli
