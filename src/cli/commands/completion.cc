// `ergo completion bash`: completion of commands and options.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/terminal.h"

namespace ergo::cli {

namespace {

std::string BashScript() {
  std::string commands, cases;
  for (const Command* command : Commands()) {
    Options options;
    command->prepare(options);
    commands += fmt::format("{} ", command->name);
    cases += fmt::format("      {}) words=\"", command->name);
    for (const std::string& spelling : options.Spellings()) cases += spelling + ' ';
    cases += "\" ;;\n";
  }
  return fmt::format(
      "# bash completion for ergo; written by `ergo completion bash`\n"
      "_ergo() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} "
      "words=\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    words=\"{}--help --version\"\n"
      "  elif [[ $previous == -m || $previous == --model ]]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$(ergo list --names 2>/dev/null)\" -- "
      "\"$current\"\n"
      "      compgen -f -- \"$current\")\n"
      "    return\n"
      "  elif [[ $current == -* ]]; then\n"
      "    case ${{COMP_WORDS[1]}} in\n"
      "{}"
      "    esac\n"
      "  elif [[ ${{COMP_WORDS[1]}} == rm || ${{COMP_WORDS[1]}} == show ]]; then\n"
      "    words=$(ergo list --names 2>/dev/null)\n"
      "  fi\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
      "}}\n"
      "complete -o default -F _ergo ergo\n",
      commands, cases);
}

Action Prepare(Options& options) {
  const auto shells = std::make_shared<std::vector<std::string>>();
  options.Arguments(shells.get(), 0, 1);
  options.Note("To use it at once: source <(ergo completion bash)");
  return [shells]() -> Result<int> {
    if (*shells != std::vector<std::string>{"bash"}) {
      return Fail("the shell must be named", "completion", "ergo completion bash");
    }
    if (Status printed = Print(BashScript()); !printed) return tl::unexpected(printed.error());
    return kOk;
  };
}

}  // namespace

const Command kCompletion = {"completion", "bash", "Print shell completion", Prepare};

}  // namespace ergo::cli
