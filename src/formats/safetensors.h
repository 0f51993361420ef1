// safetensors: a JSON header and plain tensors, in one file or in shards with an index.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "base/result.h"
#include "tensor/tensor_view.h"

namespace ergo::formats {

/// One file:  u64 length of the header, little-endian | header, JSON | data
/// Header:    {"__metadata__": {text: text}, name: {"dtype", "shape", "data_offsets": [begin,
/// end]}}
struct SafetensorsFile {
  MappedFile file;  ///< empty after ParseSafetensors
  std::map<std::string, std::string> metadata;
  /// In the order of their data. The data of a tensor need not be aligned to its element.
  std::vector<TensorView> tensors;
};

/// Checks everything before use: length, syntax, depth and duplicate names of the header, types,
/// shapes against sizes, and that the tensors cover the data without overlap or hole. Errors name
/// the file and the tensor.
Result<SafetensorsFile> ReadSafetensors(const std::string& path);

/// The same for bytes in memory, which must outlive the result; `path` is for messages.
Result<SafetensorsFile> ParseSafetensors(std::span<const std::byte> bytes, const std::string& path);

struct ShardedSafetensors {
  std::vector<MappedFile> files;
  std::vector<TensorView> tensors;  ///< those that the index names
};

/// Reads `model.safetensors.index.json` and the shards beside it.
/// Errors also: a shard that is missing or is not named by a plain file name, a tensor that its
/// shard lacks.
Result<ShardedSafetensors> ReadShardedSafetensors(const std::string& index_path);

/// Tensor name -> file name of an index.
Result<std::map<std::string, std::string>> ParseSafetensorsIndex(std::string_view text,
                                                                 const std::string& path);

}  // namespace ergo::formats
