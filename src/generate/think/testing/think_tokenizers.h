// Small tokenizers with and without tags of thoughts, for tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generate/testing/byte_tokenizer.h"
#include "generate/think/think_splitter.h"

namespace ergo::generate::testing {

inline std::optional<tokenizer::Tokenizer> LoadTokenizer(std::string tokenizer_json,
                                                         const std::string& chat_template) {
  formats::ModelFiles files;
  files.kind = formats::ModelFiles::Kind::kHuggingFace;
  files.path = "folder";
  files.config = Json::object();
  files.tokenizer_json = std::move(tokenizer_json);
  files.tokenizer_config_json = R"({"bos_token": "<s>", "eos_token": "</s>"})";
  files.chat_template = chat_template;
  auto loaded = tokenizer::Tokenizer::Load(files);
  if (!loaded) {
    ADD_FAILURE() << loaded.error().Message();
    return std::nullopt;
  }
  return std::move(*loaded);
}

/// Tokens of single bytes and those that are added.
struct AddedPiece {
  const char* piece;
  bool added = true;  ///< found in texts as a whole; else an ordinary piece that no merge makes
  bool special = false;
};

inline std::optional<tokenizer::Tokenizer> MakeTokenizer(
    const std::vector<AddedPiece>& pieces, const std::string& chat_template = kTemplate) {
  Json json = ByteTokenizer();
  Json& vocabulary = json["model"]["vocab"];
  for (const AddedPiece& piece : pieces) {
    const auto id = static_cast<TokenId>(vocabulary.size());
    vocabulary[piece.piece] = id;
    if (!piece.added) continue;
    json["added_tokens"].push_back({{"id", id},
                                    {"content", piece.piece},
                                    {"special", piece.special},
                                    {"single_word", false},
                                    {"lstrip", false},
                                    {"rstrip", false},
                                    {"normalized", false}});
  }
  return LoadTokenizer(json.dump(), chat_template);
}

/// As R1 and its like: tags are added tokens, not special.
inline tokenizer::Tokenizer TagTokenizer() { return *MakeTokenizer({{"<think>"}, {"</think>"}}); }

/// The template names tags that are no tokens; some pieces cross their borders.
inline tokenizer::Tokenizer SpelledTokenizer() {
  return *MakeTokenizer({{"</", false},
                         {".</", false},
                         {"think", false},
                         {">Ċ", false},
                         {">The", false},
                         {"<th", false},
                         {"ink>", false}},
                        std::string(kTemplate) + "<think>\n");
}

/// As gpt-oss: channels.
inline tokenizer::Tokenizer ChannelTokenizer() {
  return *MakeTokenizer({{"<|channel|>", true, true},
                         {"<|message|>", true, true},
                         {"<|start|>", true, true},
                         {"<|end|>", true, true},
                         {"<|return|>", true, true},
                         {"<|call|>", true, true}});
}

inline std::vector<TokenId> Ids(const tokenizer::Tokenizer& tokenizer, std::string_view text) {
  return tokenizer.Encode(text, {.add_special = false, .parse_special = true});
}

/// One id for each piece as it stands in the vocabulary.
inline std::vector<TokenId> Pieces(const tokenizer::Tokenizer& tokenizer,
                                   const std::vector<const char*>& pieces) {
  std::vector<TokenId> ids;
  for (const char* piece : pieces) {
    const auto id = tokenizer.Find(piece);
    EXPECT_TRUE(id) << piece;
    ids.push_back(id.value_or(0));
  }
  return ids;
}

}  // namespace ergo::generate::testing
