// A small random model with a tokenizer of single bytes, for tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "base/json.h"
#include "generate/language_model.h"
#include "generate/session.h"
#include "generate/testing/byte_tokenizer.h"

namespace ergo::generate::testing {

/// The files of one of tests/golden/models and, beside them, those of a tokenizer: ids 0 to 4
/// are special, the others bytes: newline, 0x20 to 0x7E, 0x80 to 0xBF, 0xC2 to 0xEF.
class TinyFolder {
 public:
  explicit TinyFolder(const char* model = "llama-tiny") {
    namespace fs = std::filesystem;
    std::string shape = (fs::temp_directory_path() / "ergo-generate-XXXXXX").string();
    if (::mkdtemp(shape.data()) == nullptr) return;
    path_ = shape;
    const fs::path golden = fs::path(ERGO_SOURCE_DIR) / "tests/golden/models" / model;
    for (const char* name : {"config.json", "model.safetensors"}) {
      fs::copy_file(golden / name, fs::path(path_) / name);
    }
    Write("chat_template.jinja", kTemplate);
    Write("tokenizer_config.json", R"({"bos_token": "<s>", "eos_token": "</s>"})");
    WriteTokenizer(ByteTokenizer());
  }
  ~TinyFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TinyFolder(const TinyFolder&) = delete;
  TinyFolder& operator=(const TinyFolder&) = delete;

  const std::string& path() const { return path_; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << text;
  }
  void Remove(const std::string& name) const { std::filesystem::remove(path_ + "/" + name); }
  void WriteTokenizer(const Json& json) const { Write("tokenizer.json", json.dump()); }

  static Json ByteTokenizer() { return testing::ByteTokenizer(); }

  /// Two bytes that no text needs give their ids to tags of thoughts.
  void MarkThoughts() const {
    Json json = ByteTokenizer();
    Json& vocabulary = json["model"]["vocab"];
    const std::pair<int, const char*> tags[] = {{0xEE, "<think>"}, {0xEF, "</think>"}};
    for (const auto& [byte, tag] : tags) {
      const Json id = vocabulary[AlphabetLetter(byte)];
      vocabulary.erase(AlphabetLetter(byte));
      vocabulary[tag] = id;
      json["added_tokens"].push_back({{"id", id},
                                      {"content", tag},
                                      {"special", false},
                                      {"single_word", false},
                                      {"lstrip", false},
                                      {"rstrip", false},
                                      {"normalized", false}});
    }
    WriteTokenizer(json);
  }

 private:
  std::string path_;
};

/// nullptr, and a failure of the test, if it does not load.
inline std::shared_ptr<LanguageModel> LoadTiny(const TinyFolder& folder,
                                               std::size_t context = 256) {
  LanguageModelOptions options;
  options.context = context;
  options.pack = kernels::PackAs::kF32;
  auto loaded = LanguageModel::Load(folder.path(), options);
  if (!loaded) {
    ADD_FAILURE() << loaded.error().Message();
    return nullptr;
  }
  return *loaded;
}

/// Forbids every token but those of the bytes in `bytes`.
inline void AllowOnly(const LanguageModel& model, std::string_view bytes,
                      runtime::SamplingParams* params) {
  params->logit_bias.clear();
  for (std::size_t id = 0; id < kVocabulary; ++id) {
    const auto token = static_cast<TokenId>(id);
    const std::string own = model.tokenizer().PieceBytes(token);
    const bool allowed = own.size() == 1 && bytes.find(own) != std::string_view::npos;
    if (!allowed) {
      params->logit_bias.emplace_back(token, -std::numeric_limits<float>::infinity());
    }
  }
}

}  // namespace ergo::generate::testing
