// What a repository holds and which of it is worth fetching.
#include <algorithm>
#include <cctype>
#include <map>

#include "base/json.h"
#include "base/utf8.h"
#include "formats/gguf_split.h"
#include "formats/hub/cache.h"
#include "formats/hub/pull.h"
#include "formats/name_check.h"

namespace ergo::formats::hub {
namespace {

constexpr std::string_view kIndex = "model.safetensors.index.json";

bool IsHex(std::string_view text, std::size_t min, std::size_t max) {
  return text.size() >= min && text.size() <= max &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isdigit(c) != 0 || (c >= 'a' && c <= 'f');
         });
}

/// Member `key` of an object as text; empty when it is absent or of another type.
std::string Text(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t Number(const Json& object, const char* key) {
  if (!object.is_object()) return 0;
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

bool IsTopLevel(const RepoFile& file) { return file.path.find('/') == std::string::npos; }

bool IsTextFile(const RepoFile& file) {
  const std::string& name = file.path;
  return IsTopLevel(file) && (name == "config.json" || name == "generation_config.json" ||
                              name.starts_with("tokenizer") || name.starts_with("chat_template"));
}

bool IsWeights(const RepoFile& file) {
  return IsTopLevel(file) && file.path.ends_with(".safetensors");
}

/// Some repositories hold the weights twice: prefer those that the index or the usual name gives.
std::vector<RepoFile> SelectWeights(const std::vector<RepoFile>& files) {
  const auto having = [&](const auto& test) {
    std::vector<RepoFile> out;
    std::copy_if(files.begin(), files.end(), std::back_inserter(out),
                 [&](const RepoFile& file) { return test(file); });
    return out;
  };
  auto index = having([](const RepoFile& file) { return file.path == kIndex; });
  auto shards = having(
      [](const RepoFile& file) { return IsWeights(file) && file.path.starts_with("model-"); });
  if (!index.empty() && !shards.empty()) {
    shards.push_back(index[0]);
    return shards;
  }
  auto single = having([](const RepoFile& file) { return file.path == "model.safetensors"; });
  if (!single.empty()) return single;
  auto all = having(IsWeights);
  if (!all.empty() && !index.empty()) all.push_back(index[0]);
  return all;
}

}  // namespace

Result<RepoInfo> ParseRepoInfo(std::string_view text, const std::string& where) {
  JsonLimits limits;
  limits.max_depth = 32;
  auto json = ParseJson(text, where, limits);
  if (!json) return Fail(std::move(json));
  RepoInfo repo;
  repo.commit = Text(*json, "sha");
  const auto siblings = json->is_object() ? json->find("siblings") : json->end();
  if (!IsHex(repo.commit, 7, 64) || siblings == json->end() || !siblings->is_array()) {
    return Fail("the answer is not a hub's description of a model", where, "check HF_ENDPOINT");
  }
  std::map<std::string, RepoFile> files;
  for (const Json& sibling : *siblings) {
    RepoFile file;
    file.path = Text(sibling, "rfilename");
    if (!IsSafeRelativePath(file.path)) {
      return Fail("the hub lists a file named " + QuoteForMessage(file.path) +
                      ", which would be written outside the cache",
                  where, "do not use this source");
    }
    file.size = Number(sibling, "size");
    if (const auto lfs = sibling.find("lfs"); lfs != sibling.end()) {
      file.sha256 = Text(*lfs, "sha256");
      if (!IsHex(file.sha256, 64, 64)) file.sha256.clear();
      if (file.size == 0) file.size = Number(*lfs, "size");
    }
    files.emplace(file.path, file);
  }
  for (auto& [path, file] : files) repo.files.push_back(std::move(file));
  return repo;
}

Result<std::vector<RepoFile>> SelectFiles(const RepoInfo& repo, const std::string& wanted,
                                          const std::string& id) {
  auto weights = SelectWeights(repo.files);
  if (wanted.empty() && !weights.empty()) {
    std::vector<RepoFile> out;
    std::copy_if(repo.files.begin(), repo.files.end(), std::back_inserter(out), IsTextFile);
    out.insert(out.end(), weights.begin(), weights.end());
    return out;
  }
  std::vector<std::string> names;
  for (const RepoFile& file : repo.files) names.push_back(file.path);
  const bool any = std::any_of(names.begin(), names.end(),
                               [](const std::string& name) { return name.ends_with(".gguf"); });
  if (!any) return Fail("holds neither safetensors nor GGUF files", id, "pick another model");
  auto picked = PickGguf(names, wanted, id);
  if (!picked) return Fail(std::move(picked));
  std::vector<std::string> parts = {*picked};
  if (const auto split = ParseSplitName(*picked)) {
    for (std::uint32_t part = 2; part <= split->count; ++part) {
      parts.push_back(SplitPath(*split, part));
    }
  }
  std::vector<RepoFile> out;
  for (const std::string& part : parts) {
    const auto found = std::find_if(repo.files.begin(), repo.files.end(),
                                    [&](const RepoFile& file) { return file.path == part; });
    if (found == repo.files.end()) {
      return Fail("lacks the part " + QuoteForMessage(part), id, "pick another file");
    }
    out.push_back(*found);
  }
  return out;
}

}  // namespace ergo::formats::hub
