// What a tokenizer consists of once it is loaded.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/added_tokens.h"
#include "tokenizer/decoder.h"
#include "tokenizer/model.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/post_processor.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocabulary.h"

namespace ergo::tokenizer {

struct Parts {
  std::shared_ptr<const Vocabulary> vocabulary;
  std::unique_ptr<const Model> model;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  PostProcessor post_processor;
  Decoder decoder;
  AddedTokenFinder added;                     ///< looked for in the text as given
  AddedTokenFinder normalized_added;          ///< looked for behind the normalizer
  std::vector<std::uint8_t> special;          ///< by id
  std::map<TokenId, std::string> decoded_as;  ///< pieces to decode in place of the vocabulary's
  std::optional<TokenId> bos;
  std::optional<TokenId> eos;
  std::vector<TokenId> end_of_generation;  ///< sorted, unique
  std::string chat_template;

  /// What the decoder gets for an id; empty out of range.
  std::string_view PieceToDecode(TokenId id) const {
    const auto other = decoded_as.find(id);
    return other == decoded_as.end() ? vocabulary->Piece(id) : other->second;
  }
};

struct Tokenizer::Impl {
  Parts parts;
};

/// From the keys tokenizer.* of a GGUF file.
Result<Parts> LoadGgufParts(const formats::ModelFiles& files);

/// From tokenizer.json, with what tokenizer_config.json and the configs add.
Result<Parts> LoadJsonParts(const formats::ModelFiles& files);

/// Adds the special tokens whose names say that they end a turn or a text, and eos; sorts.
void CompleteEndOfGeneration(Parts* parts);

}  // namespace ergo::tokenizer
