// Sets of tokens, and what they do to logits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace ergo::generate::constrain {

using tokenizer::TokenId;

/// A set of tokens: a list when they are few, else a bit for each token of the vocabulary.
struct TokenSet {
  std::vector<std::uint64_t> bits = {};  ///< empty: see ids
  std::vector<TokenId> ids = {};         ///< sorted

  bool Contains(TokenId id) const;
  /// Sets the logits of all other tokens to -inf.
  void Apply(std::span<float> logits) const;

 private:
  void ApplyList(std::span<float> logits) const;
};

/// One bit for each token. What has not been touched costs nothing to clear and to take.
class TokenBits {
 public:
  explicit TokenBits(std::size_t size)
      : words_((size + 63) / 64, 0), touched_((words_.size() + 63) / 64, 0) {}
  void Clear();
  void Set(TokenId id) {
    const auto i = static_cast<std::size_t>(id);
    words_[i / 64] |= std::uint64_t{1} << (i % 64);
    touched_[i / 4096] |= std::uint64_t{1} << (i / 64 % 64);
  }
  void Add(std::span<const TokenId> ids) {
    for (const TokenId id : ids) Set(id);
  }
  void Add(const TokenSet& set);
  TokenSet Take() const;

 private:
  std::vector<std::uint64_t> words_;
  std::vector<std::uint64_t> touched_;  ///< a bit for each word
};

}  // namespace ergo::generate::constrain
