// Byte-pair encoding: over bytes or characters, with a list of merges or SentencePiece's rule.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "tokenizer/adjacent_pairs.h"
#include "tokenizer/merge_table.h"
#include "tokenizer/model.h"
#include "tokenizer/vocabulary.h"

namespace ergo::tokenizer {

struct BpeOptions {
  bool bytes = false;             ///< words are bytes, the vocabulary is in the byte alphabet
  bool byte_fallback = false;     ///< characters without a token become "<0xNN>" tokens
  bool fuse_unknown = false;      ///< unknown characters in a row become one unknown token
  bool ignore_merges = false;     ///< a word that is a token becomes it, whatever the merges say
  TokenId unknown = -1;           ///< for characters without a token; below zero: they are dropped
  std::string continuing_prefix;  ///< before every character of a word but the first
  std::string end_suffix;         ///< after the last character of a word
};

/// The two parts of a merge.
struct MergeRule {
  std::string_view left;
  std::string_view right;
};

/// The merges of a list; ranks are the places in it. Errors: a part, or both together, that is not
/// in the vocabulary. `prefix` is what the right part loses when joined.
Result<MergeTable> BuildMergeTable(const Vocabulary& vocabulary,
                                   const std::vector<MergeRule>& rules, std::string_view prefix,
                                   const std::string& where);

class BpeModel final : public Model {
 public:
  using Merges = std::variant<MergeTable, VocabularyMerges>;

  /// VocabularyMerges needs neither `bytes` nor affixes.
  BpeModel(std::shared_ptr<const Vocabulary> vocabulary, Merges merges, BpeOptions options);

  void Encode(std::string_view word, EncodeState* state) const override;

 private:
  void EncodePart(std::string_view part, EncodeState* state) const;
  void EncodeUncached(std::string_view part, EncodeState* state) const;
  bool EncodeWhole(std::string_view part, EncodeState* state) const;
  void PutBytes(std::string_view part, std::vector<Symbol>* symbols) const;
  void PutChars(std::string_view part, std::vector<Symbol>* symbols) const;
  bool PutByteTokens(std::string_view text, std::size_t begin, std::vector<Symbol>* symbols) const;
  void PutUnknown(std::size_t begin, std::vector<Symbol>* symbols) const;

  std::shared_ptr<const Vocabulary> vocabulary_;
  Merges merges_;
  BpeOptions options_;
  std::array<TokenId, 256> byte_ids_{};      ///< of a byte's character in the byte alphabet
  std::array<TokenId, 256> fallback_ids_{};  ///< of "<0xNN>"
  std::array<TokenId, 128> ascii_ids_{};     ///< of a character alone
  AdjacentPairs pairs_;                      ///< empty where texts can't be cut
  std::uint32_t number_;                     ///< tells models apart in a WordCache
};

}  // namespace ergo::tokenizer
