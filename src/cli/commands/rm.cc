// `ergo rm`: removes models from this machine.
#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/model_choice.h"
#include "cli/suggest.h"
#include "cli/terminal.h"
#include "formats/hub/cache.h"

namespace ergo::cli {

namespace {

Result<std::uint64_t> RemoveStored(const StoredModel& model) {
  if (model.from_hub) {
    return formats::hub::RemoveModel(formats::hub::CacheRoot(), model.name);
  }
  std::error_code error;
  std::filesystem::remove(model.path, error);
  if (error) return Fail(error.message(), model.path);
  return model.bytes;
}

Status Remove(const std::string& name) {
  std::vector<std::string> names;
  for (const StoredModel& model : StoredModels()) {
    names.push_back(model.name);
    if (model.name != name) continue;
    const Result<std::uint64_t> freed = RemoveStored(model);
    if (!freed) return tl::unexpected(freed.error());
    Note(fmt::format("removed {}, {:.0f} MB", name, static_cast<double>(*freed) / 1e6));
    return {};
  }
  const auto nearest = Nearest(name, names);
  return Fail("no such model", name,
              nearest ? fmt::format("did you mean {}?", *nearest) : "see `ergo list`");
}

Action Prepare(Options& options) {
  const auto names = std::make_shared<std::vector<std::string>>();
  options.Arguments(names.get(), 1, 1000);
  return [names]() -> Result<int> {
    for (const std::string& name : *names) {
      if (Status removed = Remove(name); !removed) return tl::unexpected(removed.error());
    }
    return kOk;
  };
}

}  // namespace

const Command kRm = {"rm", "NAME…", "Remove models from this machine", Prepare};

}  // namespace ergo::cli
