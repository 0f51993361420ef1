#include "cli/model_choice.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "formats/hub/cache.h"

namespace ergo::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* kDefaultModel = "Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf";

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool IsFile(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

}  // namespace

std::string ModelsFolder() {
  fs::path cache = Environment("XDG_CACHE_HOME");
  if (cache.empty()) cache = fs::path(Environment("HOME")) / ".cache";
  return (cache / "ergo" / "models").string();
}

Result<std::string> ChooseModel(const std::string& argument) {
  const std::string wanted = argument.empty() ? Environment("ERGO_MODEL") : argument;
  const fs::path folder = ModelsFolder();
  if (wanted.empty()) {
    if (IsFile(folder / kDefaultModel)) return (folder / kDefaultModel).string();
    return Fail("no model is named and the default one is not there", "",
                "give one with -m or ERGO_MODEL, or fetch the default with tools/fetch_model.sh");
  }
  std::error_code ignored;
  const bool bare_name = wanted.find('/') == std::string::npos;
  if (bare_name && !fs::exists(wanted, ignored)) {
    for (const char* ending : {"", ".gguf"}) {
      const fs::path stored = folder / (wanted + ending);
      if (IsFile(stored)) return stored.string();
    }
  }
  return wanted;
}

std::vector<StoredModel> StoredModels() {
  std::vector<StoredModel> models;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(ModelsFolder(), error)) {
    std::error_code unreadable;
    if (entry.path().extension() != ".gguf" || !IsFile(entry.path())) continue;
    const std::uint64_t bytes = entry.file_size(unreadable);
    if (unreadable) continue;
    models.push_back({entry.path().stem().string(), entry.path().string(), bytes, false, false});
  }
  std::sort(models.begin(), models.end(),
            [](const StoredModel& a, const StoredModel& b) { return a.name < b.name; });
  for (const auto& model : formats::hub::ListModels(formats::hub::CacheRoot())) {
    models.push_back({model.id, model.snapshot, model.bytes, true, model.unfinished});
  }
  return models;
}

}  // namespace ergo::cli
