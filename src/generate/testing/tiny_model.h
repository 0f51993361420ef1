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

#include "base/json.h"
#include "base/utf8.h"
#include "generate/language_model.h"
#include "generate/session.h"

namespace ergo::generate::testing {

inline constexpr TokenId kBos = 1;
inline constexpr TokenId kEos = 2;
inline constexpr TokenId kTurnStart = 3;
inline constexpr TokenId kTurnEnd = 4;
inline constexpr std::size_t kVocabulary = 211;

/// "<|im_start|>role\ncontent<|im_end|>\n" for every message.
inline constexpr const char* kTemplate =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

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

  static Json ByteTokenizer() {
    Json vocabulary = Json::object();
    Json added = Json::array();
    TokenId id = 0;
    for (const char* name : {"<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"}) {
      vocabulary[name] = id;
      added.push_back({{"id", id++},
                       {"content", name},
                       {"special", true},
                       {"single_word", false},
                       {"lstrip", false},
                       {"rstrip", false},
                       {"normalized", false}});
    }
    for (int byte = 0; byte < 256; ++byte) {
      const bool used = byte == '\n' || (byte >= 0x20 && byte < 0x7F) ||
                        (byte >= 0x80 && byte < 0xC0) || (byte >= 0xC2 && byte < 0xF0);
      if (used) vocabulary[AlphabetLetter(byte)] = id++;
    }
    Json bos = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
    Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
    return {
        {"version", "1.0"},
        {"added_tokens", added},
        {"normalizer", nullptr},
        {"pre_tokenizer",
         {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
        {"post_processor",
         {{"type", "TemplateProcessing"},
          {"single", {bos, text}},
          {"pair", {bos, text}},
          {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {kBos}}, {"tokens", {"<s>"}}}}}}}},
        {"decoder", {{"type", "ByteLevel"}}},
        {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", Json::array()}}}};
  }

 private:
  /// How byte-level BPE writes a byte (GPT-2's table).
  static std::string AlphabetLetter(int byte) {
    const auto printable = [](int b) {
      return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    };
    int code = byte;
    if (!printable(byte)) {
      code = 256;
      for (int b = 0; b < byte; ++b) code += printable(b) ? 0 : 1;
    }
    std::string letter;
    AppendUtf8(static_cast<std::uint32_t>(code), &letter);
    return letter;
  }

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
