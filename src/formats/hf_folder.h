// The text files of a Hugging Face model folder.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "formats/model_files.h"

namespace ergo::formats {

/// Parses config.json or generation_config.json, which must be an object. `where` is for messages.
Result<Json> ParseConfigObject(std::string_view text, const std::string& where);

/// Reads the configuration, tokenizer and template files of `folder` into `files`. config.json must
/// be there if `need_config`.
Status ReadFolderTexts(const std::string& folder, bool need_config, ModelFiles* files);

/// Reads the weights of `folder`: model.safetensors.index.json with its shards, else
/// model.safetensors, else the only *.safetensors file.
Status ReadFolderWeights(const std::string& folder, ModelFiles* files);

/// Reads one .safetensors file into `files`.
Status ReadWeightsFile(const std::string& path, ModelFiles* files);

}  // namespace ergo::formats
