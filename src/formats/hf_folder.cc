#include "formats/hf_folder.h"

#include <filesystem>
#include <iterator>
#include <optional>
#include <vector>

#include "base/mapped_file.h"
#include "formats/safetensors.h"

namespace ergo::formats {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxConfig = 16 << 20;
constexpr std::size_t kMaxTemplate = 4 << 20;
constexpr std::size_t kMaxTokenizer = 512 << 20;

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

/// The text of a file that may be absent.
Status ReadOptional(const fs::path& path, std::size_t max_bytes, std::optional<std::string>* text) {
  if (!Exists(path)) return {};
  auto read = ReadFile(path.string(), max_bytes);
  if (!read) return Fail(std::move(read));
  *text = std::move(*read);
  return {};
}

void Append(std::vector<TensorView>* from, std::vector<TensorView>* to) {
  to->insert(to->end(), std::make_move_iterator(from->begin()),
             std::make_move_iterator(from->end()));
}

/// Older folders keep the template as {"chat_template": text}.
Status ReadJsonTemplate(const fs::path& path, std::optional<std::string>* chat_template) {
  std::optional<std::string> text;
  if (auto ok = ReadOptional(path, kMaxTemplate, &text); !ok || !text) return ok;
  auto object = ParseConfigObject(*text, path.string());
  if (!object) return Fail(std::move(object));
  const auto found = object->find("chat_template");
  if (found != object->end() && found->is_string()) {
    *chat_template = found->get<std::string>();
  }
  return {};
}

}  // namespace

Result<Json> ParseConfigObject(std::string_view text, const std::string& where) {
  auto config = ParseJson(text, where);
  if (config && !config->is_object()) {
    return Fail("not a JSON object", where, "fetch the file again");
  }
  return config;
}

Status ReadFolderTexts(const std::string& folder, bool need_config, ModelFiles* files) {
  const fs::path base(folder);
  const auto read_object = [&](const char* name, std::optional<Json>* out) -> Status {
    std::optional<std::string> text;
    if (auto ok = ReadOptional(base / name, kMaxConfig, &text); !ok || !text) return ok;
    auto object = ParseConfigObject(*text, (base / name).string());
    if (!object) return Fail(std::move(object));
    *out = std::move(*object);
    return {};
  };
  std::optional<Json> config;
  if (auto ok = read_object("config.json", &config); !ok) return ok;
  if (!config && need_config) {
    return Fail("holds no config.json", folder, "give a Hugging Face model folder or a .gguf file");
  }
  files->config = config ? std::move(*config) : Json::object();
  if (auto ok = read_object("generation_config.json", &files->generation_config); !ok) return ok;
  if (auto ok = ReadOptional(base / "tokenizer.json", kMaxTokenizer, &files->tokenizer_json); !ok) {
    return ok;
  }
  if (auto ok =
          ReadOptional(base / "tokenizer_config.json", kMaxConfig, &files->tokenizer_config_json);
      !ok) {
    return ok;
  }
  if (auto ok = ReadOptional(base / "chat_template.jinja", kMaxTemplate, &files->chat_template);
      !ok) {
    return ok;
  }
  if (files->chat_template) return {};
  return ReadJsonTemplate(base / "chat_template.json", &files->chat_template);
}

Status ReadWeightsFile(const std::string& path, ModelFiles* files) {
  auto file = ReadSafetensors(path);
  if (!file) return Fail(std::move(file));
  Append(&file->tensors, &files->tensors);
  files->mappings.push_back(std::move(file->file));
  return {};
}

Status ReadFolderWeights(const std::string& folder, ModelFiles* files) {
  const fs::path base(folder);
  if (const fs::path index = base / "model.safetensors.index.json"; Exists(index)) {
    auto shards = ReadShardedSafetensors(index.string());
    if (!shards) return Fail(std::move(shards));
    Append(&shards->tensors, &files->tensors);
    for (MappedFile& file : shards->files) files->mappings.push_back(std::move(file));
    return {};
  }
  if (Exists(base / "model.safetensors")) {
    return ReadWeightsFile((base / "model.safetensors").string(), files);
  }
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator it(base, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".safetensors") found.push_back(it->path().string());
  }
  if (found.size() == 1) return ReadWeightsFile(found[0], files);
  if (found.empty()) {
    return Fail("holds no weights: no .safetensors file", folder, "fetch the model again");
  }
  return Fail("holds several .safetensors files and no model.safetensors.index.json", folder,
              "fetch the index, or name one file");
}

}  // namespace ergo::formats
