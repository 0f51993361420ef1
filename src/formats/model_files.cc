#include "formats/model_files.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <set>

#include "base/utf8.h"
#include "formats/gguf_split.h"
#include "formats/hf_folder.h"
#include "formats/hub/cache.h"

namespace ergo::formats {
namespace {

namespace fs = std::filesystem;

/// The integer under `key`, or `otherwise` when there is none.
std::int64_t IntOr(const GgufMetadata& metadata, std::string_view key, std::int64_t otherwise) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? otherwise : found->second.Int().value_or(otherwise);
}

bool IsGgufFile(const MappedFile& file) {
  return file.bytes().size() >= 4 && std::memcmp(file.bytes().data(), "GGUF", 4) == 0;
}

/// Sorts by name and refuses names that occur twice.
Status SortTensors(ModelFiles* files) {
  auto& tensors = files->tensors;
  std::sort(tensors.begin(), tensors.end(),
            [](const TensorView& a, const TensorView& b) { return a.name < b.name; });
  const auto twice =
      std::adjacent_find(tensors.begin(), tensors.end(),
                         [](const TensorView& a, const TensorView& b) { return a.name == b.name; });
  if (twice != tensors.end()) {
    return Fail("tensor " + QuoteForMessage(twice->name) + " is in two files", files->path,
                "fetch the model again");
  }
  return {};
}

void AddPart(GgufFile part, ModelFiles* files) {
  for (TensorView& tensor : part.tensors) files->tensors.push_back(std::move(tensor));
  files->mappings.push_back(std::move(part.file));
}

/// The other parts of a split model, of which `given` is one; `name` is the path of that one.
Status ReadParts(const SplitName& name, GgufFile given, bool need_weights, ModelFiles* files) {
  const std::string remedy = "put all parts of one model into one folder, fetching them again";
  std::int64_t announced = 0;
  for (std::uint32_t part = 1; part <= name.count; ++part) {
    const std::string path = SplitPath(name, part);
    Result<GgufFile> file = part == name.part ? Result<GgufFile>(std::move(given)) : ReadGguf(path);
    if (!file) return Fail(std::move(file));
    const std::int64_t count = IntOr(file->metadata, "split.count", 0);
    const std::int64_t number = IntOr(file->metadata, "split.no", -1);
    if (count != name.count || number != part - std::int64_t{1}) {
      return Fail("its keys say part " + std::to_string(number + 1) + " of " +
                      std::to_string(count) + ", its name part " + std::to_string(part) + " of " +
                      std::to_string(name.count),
                  path, remedy);
    }
    const std::int64_t tensors = IntOr(file->metadata, "split.tensors.count", -1);
    if (part == 1) {
      announced = tensors;
      files->gguf = file->metadata;
    } else if (tensors != announced) {
      return Fail("announces " + std::to_string(tensors) +
                      " tensors in all parts; the first part " + std::to_string(announced),
                  path, remedy);
    }
    AddPart(std::move(*file), files);
    if (!need_weights) return {};
  }
  if (std::int64_t(files->tensors.size()) != announced) {
    return Fail("all parts together hold " + std::to_string(files->tensors.size()) +
                    " tensors, but announce " + std::to_string(announced),
                files->path, remedy);
  }
  return {};
}

Result<ModelFiles> OpenGguf(const std::string& path, const OpenOptions& options) {
  ModelFiles files;
  files.kind = ModelFiles::Kind::kGguf;
  files.path = path;
  auto file = ReadGguf(path);
  if (!file) return Fail(std::move(file));
  const std::int64_t parts = IntOr(file->metadata, "split.count", 1);
  if (parts > 1) {
    const auto name = ParseSplitName(path);
    if (!name) {
      return Fail("is one of " + std::to_string(parts) +
                      " parts, but its name does not end as in -00001-of-00002.gguf",
                  path, "give the file its original name again");
    }
    if (auto ok = ReadParts(*name, std::move(*file),
                            options.need_weights || options.weights_if_there, &files);
        !ok) {
      return Fail(std::move(ok));
    }
  } else {
    files.gguf = std::move(file->metadata);
    AddPart(std::move(*file), &files);
  }
  if (options.need_weights && files.tensors.empty()) {
    return Fail("holds no tensors, only metadata", path, "give a file with weights");
  }
  if (auto ok = SortTensors(&files); !ok) return Fail(std::move(ok));
  return files;
}

/// A folder on disk or a snapshot in the cache.
struct Folder {
  std::string path;
  std::string name;    ///< how the person called it
  std::string wanted;  ///< picks a GGUF file (see hub::ModelId); may be empty
  int depth = 0;       ///< levels of folders below it that may hold GGUF files
};

Result<ModelFiles> OpenFolder(const Folder& where, const OpenOptions& options) {
  const std::string& folder = where.path;
  const auto all = hub::FilesBelow(folder, where.depth);
  const auto has = [&](std::string_view end, bool whole) {
    return std::any_of(all.begin(), all.end(), [&](const std::string& file) {
      return whole ? file == end : file.ends_with(end);
    });
  };
  const bool has_tokenizer = has("tokenizer.json", true);
  const bool usable = (has("config.json", true) && has(".safetensors", false)) ||
                      (!options.need_weights && has_tokenizer);
  if (!where.wanted.empty() || (!usable && has(".gguf", false))) {
    auto file = hub::PickGguf(all, where.wanted, where.name);
    if (!file) return Fail(std::move(file));
    return OpenGguf((fs::path(folder) / *file).string(), options);
  }
  ModelFiles files;
  files.kind = ModelFiles::Kind::kHuggingFace;
  files.path = folder;
  const bool need_config = options.need_weights || !has_tokenizer;
  if (auto ok = ReadFolderTexts(folder, need_config, &files); !ok) return Fail(std::move(ok));
  if (options.need_weights || (options.weights_if_there && has(".safetensors", false))) {
    if (auto ok = ReadFolderWeights(folder, &files); !ok) return Fail(std::move(ok));
  }
  if (auto ok = SortTensors(&files); !ok) return Fail(std::move(ok));
  return files;
}

/// A file with config.json beside it; of a sharded model, all shards.
Result<ModelFiles> OpenSafetensors(const std::string& path, const OpenOptions& options) {
  const fs::path file(path);
  const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
  std::error_code error;
  const bool shard = file.filename().string().find("-of-") != std::string::npos;
  if (shard && fs::exists(fs::path(folder) / "model.safetensors.index.json", error)) {
    return OpenFolder({folder, folder, "", 0}, options);
  }
  ModelFiles files;
  files.kind = ModelFiles::Kind::kHuggingFace;
  files.path = path;
  if (auto ok = ReadFolderTexts(folder, true, &files); !ok) return Fail(std::move(ok));
  if (auto ok = ReadWeightsFile(path, &files); !ok) return Fail(std::move(ok));
  if (auto ok = SortTensors(&files); !ok) return Fail(std::move(ok));
  return files;
}

Result<ModelFiles> OpenFile(const std::string& path, const OpenOptions& options) {
  auto file = MappedFile::Open(path);
  if (!file) return Fail(std::move(file));
  if (IsGgufFile(*file) || path.ends_with(".gguf")) return OpenGguf(path, options);
  if (path.ends_with(".safetensors")) return OpenSafetensors(path, options);
  return Fail("neither a GGUF nor a .safetensors file", path,
              "give a .gguf file, a Hugging Face folder or an id such as org/name");
}

}  // namespace

const TensorView* ModelFiles::Find(std::string_view name) const {
  const auto found = std::lower_bound(
      tensors.begin(), tensors.end(), name,
      [](const TensorView& tensor, std::string_view n) { return tensor.name < n; });
  return found != tensors.end() && found->name == name ? &*found : nullptr;
}

Result<ModelFiles> Open(const std::string& model, const OpenOptions& options) {
  if (model.empty()) return Fail("no model is named", "", "give a file, a folder or org/name");
  std::error_code error;
  if (fs::is_directory(model, error)) return OpenFolder({model, model, "", 0}, options);
  if (fs::exists(model, error)) return OpenFile(model, options);
  const auto id = hub::ParseModelId(model);
  // What looks like a file's name is not worth a search in the cache.
  if (!id || (id->file.empty() && (model.ends_with(".gguf") || model.ends_with(".safetensors")))) {
    return Fail("no such file or folder", QuoteForMessage(model, 512), "check the path");
  }
  auto snapshot = hub::FindSnapshot(hub::CacheRoot(), id->id);
  if (!snapshot) return Fail(std::move(snapshot));
  return OpenFolder({*snapshot, id->id, id->file, 8}, options);
}

}  // namespace ergo::formats
