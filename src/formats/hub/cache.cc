#include "formats/hub/cache.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "base/mapped_file.h"
#include "base/utf8.h"
#include "formats/gguf_split.h"
#include "formats/name_check.h"

namespace ergo::formats::hub {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "models--";

bool IsNamePart(std::string_view part) {
  if (part.empty() || part.size() > 96 || part.front() == '.' || part.front() == '-') return false;
  // "--" stands for the slash in folder names.
  if (part.find("--") != part.npos || part.find("..") != part.npos) return false;
  return std::all_of(part.begin(), part.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool IsCommit(std::string_view text) {
  return text.size() >= 7 && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c); });
}

/// Names of the folders directly in `folder`, sorted.
std::vector<std::string> Folders(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The snapshot that refs/main names, else the only one; empty when there is none.
std::string SnapshotOf(const fs::path& model) {
  std::error_code ignored;
  if (auto commit = ReadFile((model / "refs" / "main").string(), 256)) {
    while (!commit->empty() && std::isspace(static_cast<unsigned char>(commit->back())) != 0) {
      commit->pop_back();
    }
    const fs::path snapshot = model / "snapshots" / *commit;
    if (IsCommit(*commit) && fs::is_directory(snapshot, ignored)) return snapshot.string();
  }
  const auto snapshots = Folders(model / "snapshots");
  return snapshots.size() == 1 ? (model / "snapshots" / snapshots[0]).string() : std::string();
}

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// Space-separated, the first few.
std::string Listing(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 12;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kShown) text += ", …";
  return text;
}

}  // namespace

std::optional<ModelId> ParseModelId(std::string_view text) {
  ModelId model;
  if (const auto colon = text.find(':'); colon != text.npos) {
    model.file = text.substr(colon + 1);
    text = text.substr(0, colon);
    if (!IsSafeRelativePath(model.file)) return std::nullopt;
  }
  const auto slash = text.find('/');
  const bool valid = slash == text.npos
                         ? IsNamePart(text)
                         : IsNamePart(text.substr(0, slash)) && IsNamePart(text.substr(slash + 1));
  if (!valid) return std::nullopt;
  model.id = text;
  return model;
}

std::string CacheRoot() {
  if (const auto root = Environment("HF_HUB_CACHE"); !root.empty()) return root;
  if (const auto home = Environment("HF_HOME"); !home.empty()) return home + "/hub";
  if (const auto xdg = Environment("XDG_CACHE_HOME"); !xdg.empty()) return xdg + "/huggingface/hub";
  if (const auto home = Environment("HOME"); !home.empty()) return home + "/.cache/huggingface/hub";
  return {};
}

std::string ModelFolder(const std::string& root, const std::string& id) {
  std::string name(kPrefix);
  for (const char c : id) name += c == '/' ? "--" : std::string(1, c);
  return (fs::path(root) / name).string();
}

std::vector<std::string> FilesBelow(const std::string& folder, int depth) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    if (it.depth() >= depth) it.disable_recursion_pending();
    if (it->is_regular_file(ignored)) {
      files.push_back(it->path().lexically_relative(folder).generic_string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<CachedModel> ListModels(const std::string& root) {
  std::vector<CachedModel> models;
  for (const std::string& name : Folders(root)) {
    if (!name.starts_with(kPrefix)) continue;
    CachedModel model;
    model.id = name.substr(kPrefix.size());
    if (const auto dashes = model.id.find("--"); dashes != std::string::npos) {
      model.id.replace(dashes, 2, "/");
    }
    if (!ParseModelId(model.id)) continue;
    const fs::path folder = fs::path(root) / name;
    model.snapshot = SnapshotOf(folder);
    for (const std::string& blob : FilesBelow((folder / "blobs").string())) {
      std::error_code error;
      const auto size = fs::file_size(folder / "blobs" / blob, error);
      if (!error) model.bytes += size;
      model.unfinished |= blob.ends_with(".incomplete");
    }
    if (!model.snapshot.empty()) model.files = FilesBelow(model.snapshot);
    models.push_back(std::move(model));
  }
  std::sort(models.begin(), models.end(),
            [](const CachedModel& a, const CachedModel& b) { return a.id < b.id; });
  return models;
}

Result<std::string> FindSnapshot(const std::string& root, const std::string& id) {
  if (root.empty()) {
    return Fail("no cache folder: neither HF_HOME nor HOME is set", id, "set HF_HOME");
  }
  if (!ParseModelId(id)) return Fail("not a model id", QuoteForMessage(id), "write org/name");
  const std::string snapshot = SnapshotOf(ModelFolder(root, id));
  if (snapshot.empty()) {
    return Fail("no such file or folder, and no such model in the cache " + root, id,
                "fetch it with: ergo pull " + id);
  }
  return snapshot;
}

Result<std::uint64_t> RemoveModel(const std::string& root, const std::string& id) {
  const auto parsed = ParseModelId(id);
  if (!parsed || !parsed->file.empty()) {
    return Fail("not a model id", QuoteForMessage(id), "write org/name as `ergo list` shows it");
  }
  const fs::path folder = ModelFolder(root, id);
  std::error_code error;
  if (root.empty() || !fs::is_directory(folder, error)) {
    return Fail("no such model in the cache " + root, id, "see what there is with: ergo list");
  }
  std::uint64_t bytes = 0;
  for (const std::string& blob : FilesBelow((folder / "blobs").string())) {
    const auto size = fs::file_size(folder / "blobs" / blob, error);
    if (!error) bytes += size;
  }
  fs::remove_all(folder, error);
  if (error) return Fail("cannot delete: " + error.message(), folder.string());
  return bytes;
}

Result<std::string> PickGguf(const std::vector<std::string>& files, const std::string& wanted,
                             const std::string& id) {
  std::vector<std::string> models;  // the first part of split ones
  for (const std::string& file : files) {
    if (!file.ends_with(".gguf")) continue;
    const auto split = ParseSplitName(file);
    if (file == wanted) return split ? SplitPath(*split, 1) : file;
    // Vision projectors stand beside the language model they belong to.
    const bool projector = Lower(fs::path(file).filename().string()).starts_with("mmproj");
    if (!projector && (!split || split->part == 1)) models.push_back(file);
  }
  if (models.empty()) return Fail("holds no GGUF file", id, "pick another model");
  std::vector<std::string> matches;
  if (!wanted.ends_with(".gguf")) {
    std::copy_if(models.begin(), models.end(), std::back_inserter(matches),
                 [part = Lower(wanted)](const std::string& model) {
                   return Lower(model).find(part) != std::string::npos;
                 });
  }
  if (matches.size() == 1) return matches[0];
  if (matches.empty()) {
    return Fail("has no GGUF file " + QuoteForMessage(wanted), id, "there are: " + Listing(models));
  }
  return Fail("has several GGUF files that fit", id,
              "name one, as in " + id + ":" + matches[0] + "; there are: " + Listing(matches));
}

}  // namespace ergo::formats::hub
