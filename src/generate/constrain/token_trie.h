// Byte strings with ids, as a tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace ergo::generate::constrain {

using tokenizer::TokenId;

/// Byte strings with ids, laid out in depth-first order.
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

}  // namespace ergo::generate::constrain
