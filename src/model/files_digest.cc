#include "model/files_digest.h"

#include "base/content_hash.h"

namespace ergo::model {

std::string FilesDigest(const formats::ModelFiles& files) {
  ContentHash hash;
  for (const MappedFile& file : files.mappings) {
    const auto bytes = file.bytes();
    hash.AddSized({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  hash.AddSized(files.config.dump());
  hash.AddSized(files.tokenizer_json.value_or(""));
  hash.AddSized(files.tokenizer_config_json.value_or(""));
  return hash.Hex();
}

}  // namespace ergo::model
