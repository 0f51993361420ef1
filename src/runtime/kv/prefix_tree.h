// Token sequences cut into blocks of 64, whose common beginnings are held once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/attention/attention.h"

namespace ergo::runtime {

/// A radix tree with one block of tokens to a node, one tree for each name space. It knows token
/// ids alone; what is kept for a node is with whoever uses the tree, by the node's number.
///
/// Of two children of one node neither begins with all of the other's tokens. So the child that a
/// text has most in common with is a neighbour of the place where the text would stand among them.
class PrefixTree {
 public:
  using Id = std::uint32_t;
  static constexpr Id kNone = UINT32_MAX;

  struct Node {
    std::array<std::int32_t, kernels::kBlockTokens> tokens = {};
    std::uint32_t count = 0;   ///< of the tokens; fewer than 64 in leaves only; 0 for a root
    std::uint32_t depth = 0;   ///< blocks before this one
    Id parent = kNone;         ///< kNone for a root
    std::vector<Id> children;  ///< ordered by their tokens
    const std::string* name_space = nullptr;  ///< of a root

    std::span<const std::int32_t> text() const { return {tokens.data(), count}; }
  };
  /// A child and how many tokens it has in common with a text.
  struct Match {
    Id node = kNone;
    std::size_t tokens = 0;
  };

  /// kNone when there is nothing in that name space.
  Id Root(std::string_view name_space) const;
  /// The root, which is made if need be. A root goes when its last child goes.
  Id AddRoot(std::string_view name_space);
  /// The child of `parent` that has most of `tokens` in common with them, counted from their
  /// beginning; nothing when none has any. Only the first 64 tokens count.
  Match Closest(Id parent, std::span<const std::int32_t> tokens) const;

  /// A new child with 1 to 64 tokens, of a root or a node of 64 tokens. No child may begin with
  /// them all or be their beginning.
  Id Add(Id parent, std::span<const std::int32_t> tokens);
  /// Gives a node of fewer than 64 tokens a longer text that begins with its own.
  void Extend(Id id, std::span<const std::int32_t> tokens);
  /// Takes away a node without children. Its number is used again.
  void Remove(Id leaf);

  const Node& node(Id id) const { return nodes_[id]; }
  /// False for a root.
  bool IsBlock(Id id) const { return nodes_[id].count != 0; }
  /// The name space and all tokens from the root to the end of this node.
  std::string_view NameSpace(Id id) const;
  std::vector<std::int32_t> Text(Id id) const;
  /// The nodes below one, each after its parent.
  std::vector<Id> Below(Id id) const;

  /// All numbers are below this; those in between that are not in use have no tokens.
  std::size_t slots() const { return nodes_.size(); }
  /// Nodes without the roots.
  std::size_t size() const { return size_; }

 private:
  using Children = std::vector<Id>;

  Id NewNode();
  static void SetText(Node& node, std::span<const std::int32_t> tokens);
  /// Where among the children of `parent` a text stands or would stand.
  Children::const_iterator Place(Id parent, std::span<const std::int32_t> tokens) const;

  std::vector<Node> nodes_;
  std::vector<Id> free_;
  std::map<std::string, Id, std::less<>> roots_;
  std::size_t size_ = 0;
};

}  // namespace ergo::runtime
