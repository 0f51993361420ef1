// A model on disk, whatever its container: named tensors, configuration, tokenizer files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/mapped_file.h"
#include "base/result.h"
#include "formats/gguf.h"
#include "tensor/tensor_view.h"

namespace ergo::formats {

/// Everything that the rest of the program may know about a model's files. Values are as the files
/// give them; what they mean is for the layers above (model: ModelConfig; tokenizer: Tokenizer).
struct ModelFiles {
  enum class Kind { kGguf, kHuggingFace };

  Kind kind = Kind::kGguf;
  std::string path;                 ///< the file or folder, for messages
  std::vector<TensorView> tensors;  ///< sorted by name, names unique, data inside `mappings`
  std::vector<MappedFile> mappings;

  GgufMetadata gguf;  ///< kGguf: all keys of the (first) file

  Json config;  ///< kHuggingFace: config.json, an object
  std::optional<Json> generation_config;
  std::optional<std::string> tokenizer_json;  ///< text of the file, for the tokenizer
  std::optional<std::string> tokenizer_config_json;
  std::optional<std::string> chat_template;  ///< chat_template.jinja

  /// nullptr when there is none of that name.
  const TensorView* Find(std::string_view name) const;
};

/// Opens a `.gguf` file (any part of a split one), a Hugging Face folder, a `.safetensors` file
/// with its config beside it, or the id `org/name` of a model in the hub cache. A folder may lack
/// weights (tokenizer only) when `need_weights` is false; a GGUF may hold a vocabulary alone.
struct OpenOptions {
  bool need_weights = true;
  bool weights_if_there = false;  ///< where none are needed: read those that are there all the same
};
Result<ModelFiles> Open(const std::string& model, const OpenOptions& options = {});

}  // namespace ergo::formats
