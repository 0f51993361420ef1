// A vocabulary as bytes: what a constraint needs to know of a tokenizer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "generate/constrain/token_slice.h"
#include "generate/constrain/token_trie.h"
#include "tokenizer/tokenizer.h"

namespace ergo::generate::constrain {

/// Immutable; takes some tens of milliseconds to make for 150,000 tokens, so it is made once for a
/// model and shared by all its constraints.
class TokenTable {
 public:
  /// `ends`: ids that end an answer. Errors: an id out of range, a vocabulary without text.
  static Result<std::shared_ptr<const TokenTable>> Create(const tokenizer::Tokenizer& tokenizer,
                                                          std::span<const TokenId> ends);
  /// From each id's bytes (empty for special tokens) and a function that gives the tokens of a
  /// text.
  using Encode = std::function<std::vector<TokenId>(std::string_view)>;
  static Result<std::shared_ptr<const TokenTable>> Create(std::span<const std::string> pieces,
                                                          std::span<const TokenId> ends,
                                                          Encode encode);

  /// The bytes that a token adds to an answer; empty for special tokens, for those that end an
  /// answer, and out of range.
  std::string_view bytes(TokenId id) const;
  bool IsEnd(TokenId id) const;
  /// Sorted.
  const std::vector<TokenId>& ends() const { return ends_; }
  /// All tokens with bytes.
  const TokenTrie& trie() const { return trie_; }
  /// The larger ones first.
  std::span<const TokenSlice> slices() const { return slices_; }
  std::size_t size() const { return offsets_.size() - 1; }

  /// The tokens of `text` in the midst of an answer, as the tokenizer would have them; none if the
  /// tokenizer can't say it in tokens that add exactly these bytes.
  std::vector<TokenId> Tokenize(std::string_view text) const;

 private:
  explicit TokenTable(Encode encode) : encode_(std::move(encode)) {}
  /// Whether the tokens add `text` and nothing else.
  bool Adds(std::span<const TokenId> ids, std::string_view text) const;

  Encode encode_;
  std::string bytes_;
  std::vector<std::size_t> offsets_;
  std::vector<TokenId> ends_;
  TokenTrie trie_;
  std::vector<TokenSlice> slices_;
};

}  // namespace ergo::generate::constrain
