// A vocabulary as bytes: what a constraint needs to know of a tokenizer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tokenizer/tokenizer.h"

namespace ergo::generate::constrain {

using tokenizer::TokenId;

/// Byte strings with ids, as a tree laid out in depth-first order.
class TokenTrie {
 public:
  struct Node {
    std::uint32_t end = 0;          ///< index behind the last node below
    std::uint32_t first_token = 0;  ///< of those that end here, in tokens()
    std::uint16_t depth = 0;        ///< of the root's children: 0
    std::uint8_t byte = 0;
  };
  using Entry = std::pair<std::string_view, TokenId>;

  TokenTrie() = default;
  /// Strings are neither empty nor longer than 65535 bytes. Their order is changed; they are not
  /// needed afterwards.
  explicit TokenTrie(std::vector<Entry>* entries);

  /// A last node that has only first_token stands behind the others.
  std::span<const Node> nodes() const { return std::span(nodes_).first(size()); }
  std::size_t size() const { return nodes_.empty() ? 0 : nodes_.size() - 1; }
  bool empty() const { return size() == 0; }
  std::size_t max_depth() const { return max_depth_; }

  /// Ids that end at a node.
  std::span<const TokenId> tokens(std::size_t node) const {
    return std::span(tokens_).subspan(nodes_[node].first_token,
                                      nodes_[node + 1].first_token - nodes_[node].first_token);
  }

 private:
  std::vector<Node> nodes_;
  std::vector<TokenId> tokens_;
  std::size_t max_depth_ = 0;
};

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
};

}  // namespace ergo::generate::constrain
