// Which model a command works on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace ergo::cli {

/// The folder of single model files that all checkouts share:
/// ${XDG_CACHE_HOME:-$HOME/.cache}/ergo/models.
std::string ModelsFolder();

/// What formats::Open understands for the argument of -m: a path or hub id as it stands; the name
/// of a file in ModelsFolder(), with or without ".gguf"; for an empty argument ERGO_MODEL or else
/// the model that ./run fetches. Errors: no argument and no such model.
Result<std::string> ChooseModel(const std::string& argument);

struct StoredModel {
  std::string name;  ///< what -m takes
  std::string path;  ///< the file, or the snapshot in the hub cache
  std::uint64_t bytes = 0;
  bool from_hub = false;
  bool unfinished = false;  ///< its download was cut
};

/// The GGUF files in ModelsFolder() and the models in the hub cache, each sorted by name.
std::vector<StoredModel> StoredModels();

}  // namespace ergo::cli
