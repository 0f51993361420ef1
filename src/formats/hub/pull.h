// Fetches models from a hub into the cache.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ergo::formats::hub {

struct PullProgress {
  std::string file;             ///< being fetched or checked
  std::uint64_t done = 0;       ///< bytes of all files that are on disk
  std::uint64_t total = 0;      ///< bytes of all files; 0 when the hub does not say
  double bytes_per_second = 0;  ///< over the last few seconds
  double seconds_left = 0;      ///< negative when unknown
};

struct PullOptions {
  std::string endpoint = "https://huggingface.co";
  std::string token;  ///< sent to the endpoint's host alone
  std::string cache_root;
  std::string revision = "main";
  int retries = 5;           ///< of a broken connection, each after progress
  double retry_seconds = 1;  ///< before the first one, doubling
  /// About ten times a second; false stops the pull, which can be resumed.
  std::function<bool(const PullProgress&)> progress;
};

/// HF_ENDPOINT, HF_TOKEN (else the text of the file HF_TOKEN_PATH, else HF_HOME/token), cache root
/// as CacheRoot().
PullOptions PullOptionsFromEnvironment();

/// Fetches the files that the engine can use of `model` ("org/name" or "org/name:FILE.gguf"; of a
/// repository without safetensors, its only GGUF): configuration, tokenizer, templates, weights.
/// Files that are in the cache are kept, unfinished ones resumed; sizes and SHA-256 sums that the
/// hub states are checked. Gives the snapshot folder. File names and all else that the server says
/// is untrusted.
Result<std::string> Pull(const std::string& model, const PullOptions& options);

/// A file of a repository as the model information lists it.
struct RepoFile {
  std::string path;
  std::uint64_t size = 0;  ///< 0 when unknown
  std::string sha256;      ///< empty when unknown
};

struct RepoInfo {
  std::string commit;
  std::vector<RepoFile> files;
};

/// Reads the answer of /api/models/<id>/revision/<rev>. Errors: syntax, a commit that is not
/// hexadecimal, a file name that leaves its folder.
Result<RepoInfo> ParseRepoInfo(std::string_view text, const std::string& where);

/// The files that Pull fetches; `wanted` as in ModelId::file, `id` for messages.
Result<std::vector<RepoFile>> SelectFiles(const RepoInfo& repo, const std::string& wanted,
                                          const std::string& id);

}  // namespace ergo::formats::hub
