// Reading the text of a tokenizer.json.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace ergo::tokenizer {

/// A tokenizer.json with its two long parts, the vocabulary and the merges of a BPE model, in flat
/// arrays: as Json values they would take ten times the memory and most of the loading time.
struct TokenizerJson {
  struct Text {
    std::size_t offset;
    std::size_t size;
  };
  struct VocabularyEntry {
    Text text;
    std::int64_t id;
  };
  struct MergePair {
    Text left;
    Text right;
  };

  Json rest;  ///< everything else; "model" lacks "vocab" (of strings and ids) and "merges"
  bool has_vocabulary = false;
  bool has_merges = false;
  std::vector<VocabularyEntry> vocabulary;
  std::vector<MergePair> merges;
  std::string arena;  ///< the strings of both

  std::string_view View(Text text) const {
    return std::string_view(arena).substr(text.offset, text.size);
  }
};

/// Errors name `where` and the cause: no UTF-8, bad syntax, nesting over 128 levels, a key given
/// twice, a vocabulary or merges of the wrong shape.
Result<TokenizerJson> ParseTokenizerJson(std::string_view text, const std::string& where);

}  // namespace ergo::tokenizer
