// What turns a word into ids: the seam for further kinds of tokenizer (Unigram, WordPiece).
#pragma once

#include <string_view>
#include <vector>

#include "tokenizer/bpe_merge.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/word_cache.h"

namespace ergo::tokenizer {

/// One thread's working memory for one call of Encode.
struct EncodeState {
  std::vector<TokenId>* ids = nullptr;  ///< ids are appended here
  WordCache* cache = nullptr;           ///< nullptr: none (short texts don't repay it)
  MergeScratch scratch;
};

/// Immutable; safe from many threads with a state each.
class Model {
 public:
  virtual ~Model() = default;

  /// Appends the ids of `word`: valid UTF-8, or any bytes for a model over bytes; not empty.
  virtual void Encode(std::string_view word, EncodeState* state) const = 0;
};

}  // namespace ergo::tokenizer
