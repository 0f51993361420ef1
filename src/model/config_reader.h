// Typed, checked reading of configuration keys, the same for GGUF and config.json.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "formats/model_files.h"

namespace ergo::model {

/// One setting's two names. An empty name: the setting does not exist there.
struct ConfigKey {
  std::string_view gguf;  ///< without the architecture's prefix: "block_count"
  std::string_view hf;    ///< "num_hidden_layers"
  std::string_view hf_file = "config.json";
};

/// Reads keys and remembers the first thing that is wrong; after that, values are defaults. So a
/// caller reads everything and looks at status() once.
class ConfigReader {
 public:
  explicit ConfigReader(const formats::ModelFiles& files);

  bool is_gguf() const { return files_.kind == formats::ModelFiles::Kind::kGguf; }
  const formats::ModelFiles& files() const { return files_; }

  /// A whole number in [1, most]; 0 when it is absent.
  std::size_t Size(const ConfigKey& key, std::size_t most);
  /// The same; absence is an error.
  std::size_t RequiredSize(const ConfigKey& key, std::size_t most);
  /// A finite number; nullopt when it is absent or null.
  std::optional<double> Number(const ConfigKey& key);
  std::optional<bool> Flag(const ConfigKey& key);
  std::optional<std::string> Text(const ConfigKey& key);

  /// The object of config.json that describes the text model; an empty one for GGUF.
  const Json& json() const { return *json_; }
  /// The value of a GGUF key with the architecture's prefix, or nullptr.
  const formats::GgufValue* Gguf(std::string_view key) const;

  /// Records an error about `key`, if it is the first.
  void Refuse(std::string_view what, const ConfigKey& key, std::string_view remedy = {});
  const Status& status() const { return status_; }

 private:
  std::optional<std::int64_t> Integer(const ConfigKey& key);
  const Json* Member(std::string_view key) const;
  /// The key's full name, for messages.
  std::string NameOf(const ConfigKey& key) const;

  const formats::ModelFiles& files_;
  std::string prefix_;
  const Json* json_;
  Status status_;
};

}  // namespace ergo::model
