// The hub's cache of models on disk, shared with other programs:
//   <root>/models--org--name/blobs/<etag>                     the bytes
//                           /refs/<revision>                  text: a commit
//                           /snapshots/<commit>/<file>        links to blobs
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ergo::formats::hub {

/// What a person writes for a model of the hub: `org/name` or `org/name:FILE.gguf`, where FILE may
/// also be any part of the name that only one GGUF file of the model has ("Q4_K_M").
struct ModelId {
  std::string id;    ///< "org/name"
  std::string file;  ///< may be empty
};

/// Nothing when `text` can't be an id: both parts are letters, digits, '-', '_' and '.'.
std::optional<ModelId> ParseModelId(std::string_view text);

/// HF_HUB_CACHE, else HF_HOME/hub, else XDG_CACHE_HOME/huggingface/hub, else
/// ~/.cache/huggingface/hub. Empty when none of these is set.
std::string CacheRoot();

/// <root>/models--org--name
std::string ModelFolder(const std::string& root, const std::string& id);

struct CachedModel {
  std::string id;
  std::string snapshot;            ///< folder of refs/main, or of the only snapshot
  std::uint64_t bytes = 0;         ///< of all blobs, unfinished downloads included
  bool unfinished = false;         ///< a download was cut
  std::vector<std::string> files;  ///< in the snapshot, sorted, relative to it
};

/// All models in the cache, sorted by id; an empty list when there is no cache. A folder that can't
/// be read is left out.
std::vector<CachedModel> ListModels(const std::string& root);

/// The snapshot folder of a model. The error's remedy says how to fetch it.
Result<std::string> FindSnapshot(const std::string& root, const std::string& id);

/// Deletes a model with all its snapshots and blobs; gives the bytes that were freed.
Result<std::uint64_t> RemoveModel(const std::string& root, const std::string& id);

/// Files in `folder` and in folders up to `depth` levels below it, relative to it, sorted; broken
/// links left out.
std::vector<std::string> FilesBelow(const std::string& folder, int depth = 8);

/// The GGUF file among `files` that `wanted` means (see ModelId; empty: the only one). For a split
/// model this is its first part. `id` is for messages.
Result<std::string> PickGguf(const std::vector<std::string>& files, const std::string& wanted,
                             const std::string& id);

}  // namespace ergo::formats::hub
