// `ergo list`: the models on this machine.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/model_choice.h"
#include "cli/terminal.h"

namespace ergo::cli {

namespace {

Result<int> List(bool names_only) {
  const std::vector<StoredModel> models = StoredModels();
  std::size_t width = 4;
  for (const StoredModel& model : models) width = std::max(width, model.name.size());
  std::string text;
  if (!names_only && models.empty()) Note("no models yet; `ergo pull org/name` fetches one");
  if (!names_only && !models.empty()) {
    text = Styled(Style::kBold, fmt::format("{:<{}}  {:>9}  {}", "NAME", width, "SIZE", "PLACE"),
                  STDOUT_FILENO);
    text += '\n';
  }
  for (const StoredModel& model : models) {
    if (names_only) {
      text += model.name + '\n';
      continue;
    }
    text += fmt::format("{:<{}}  {:>6.0f} MB  {}{}\n", model.name, width,
                        static_cast<double>(model.bytes) / 1e6, model.path,
                        model.unfinished ? " (unfinished: pull it again)" : "");
  }
  if (Status printed = Print(text); !printed) return tl::unexpected(printed.error());
  return kOk;
}

Action Prepare(Options& options) {
  const auto names_only = std::make_shared<bool>(false);
  options.Flag("--names", names_only.get(), "names only, one a line");
  return [names_only] { return List(*names_only); };
}

}  // namespace

const Command kList = {"list", "[options]", "List the models on this machine", Prepare};

}  // namespace ergo::cli
