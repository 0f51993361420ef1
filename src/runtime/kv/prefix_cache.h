// Keys and values of prompts and answers that are over, kept for sequences that begin alike.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/kv/prefix_tree.h"
#include "runtime/kv/sequence_cache.h"

namespace ergo::runtime {

struct PrefixStats {
  std::uint64_t lookups = 0;
  std::uint64_t hit_tokens = 0;     ///< tokens looked up that were there
  std::uint64_t missed_tokens = 0;  ///< tokens looked up that were not
  std::uint64_t evictions = 0;      ///< nodes that Evict took away
  std::size_t nodes = 0;            ///< blocks of tokens that are remembered
  std::size_t bytes = 0;            ///< of their keys and values
  std::size_t idle_bytes = 0;       ///< of those that no sequence uses
};

/// A radix tree over token ids for each name space, whose nodes hold one block of every class with
/// the keys and values of up to 64 tokens. It is one of the users of those blocks; sequences that
/// share them are others. Belongs to one thread, as the SequenceCache does.
///
/// What to give up first is decided by cost against age, as GreedyDual does (N. Young, "The
/// k-server dual and loose competitiveness for paging", 1994): a node that is used gets the value
/// of the clock plus its cost; the leaf with the least value goes first and sets the clock to its
/// own. So a node that costs twice as much to compute again waits twice as long for its next use.
/// The cost of a block is that of 64 tokens of products and of attention to what stands before
/// them.
class PrefixCache {
 public:
  /// `cache` must outlive this object and not move.
  explicit PrefixCache(SequenceCache& cache);
  ~PrefixCache();
  PrefixCache(const PrefixCache&) = delete;
  PrefixCache& operator=(const PrefixCache&) = delete;

  /// A sequence of the longest beginning of `tokens`, at most `most` of them, that is remembered in
  /// `name_space`: it may be empty and may end within a block. It shares the blocks; none is taken.
  /// What was found counts as used now.
  SequenceBlocks Find(std::string_view name_space, std::span<const std::int32_t> tokens,
                      std::size_t most);
  /// Tokens that Find would find.
  std::size_t Match(std::string_view name_space, std::span<const std::int32_t> tokens,
                    std::size_t most) const;

  /// Remembers the blocks of a sequence whose tokens these are, also the last one if it isn't full.
  /// What is there already isn't kept twice: `sequence` gets those full blocks in place of its own,
  /// which have the same contents.
  /// A block that another name space remembers, and what follows it, is not remembered.
  void Insert(std::string_view name_space, std::span<const std::int32_t> tokens,
              SequenceBlocks& sequence);

  /// Gives blocks back until `blocks` are available in every class or sequences use all the others;
  /// returns how many it gave back. Blocks that sequences use stay as they are, but the tree may
  /// forget those that stand in the way of others.
  std::size_t Evict(std::size_t blocks);
  /// Blocks that Evict could give back now, in every class.
  std::size_t evictable() const { return cache_.blocks(0).idle(); }

  /// Forgets the block within which a sequence ends, so that the sequence needs no copy of it to go
  /// on if it is the only other user. False if the tree doesn't have that block.
  bool Yield(const SequenceBlocks& sequence);

  /// Forgets a name space, or everything.
  void Drop(std::string_view name_space);
  void Clear();

  PrefixStats stats() const;

 private:
  using Id = PrefixTree::Id;

  /// What a node is worth; the lesser goes first.
  struct Rank {
    double value = 0.0;
    std::uint64_t tick = 0;  ///< of the last use: among equals the older goes first
    auto operator<=>(const Rank&) const = default;
  };
  struct Entry {
    Rank rank;
    bool queued = false;  ///< in leaves_
  };
  struct Leaf {
    Rank rank;
    Id id;
    auto operator<=>(const Leaf&) const = default;
  };

  std::int32_t& block(Id id, std::size_t kv_class) {
    return blocks_[id * cache_.classes() + kv_class];
  }
  bool IsIdle(Id id) { return cache_.blocks(0).IsIdle(block(id, 0)); }
  bool IsLeaf(Id id) const { return tree_.IsBlock(id) && tree_.node(id).children.empty(); }

  void Touch(Id id);
  void Queue(Id id);
  void Unqueue(Id id);
  void QueueWhatBecameIdle();
  Id Add(Id parent, std::span<const std::int32_t> tokens);
  void Take(Id id, const SequenceBlocks& sequence, std::size_t index);
  void GiveUp(Id id);
  void Adopt(Id id, SequenceBlocks& sequence, std::size_t index);
  void Forget(Id leaf);
  bool EvictOne();
  bool ForgetWhatStandsInTheWay();
  void ForgetFrom(Id id);

  SequenceCache& cache_;
  PrefixTree tree_;
  std::vector<Entry> entries_;        ///< of each node
  std::vector<std::int32_t> blocks_;  ///< of each node and class
  std::vector<Id> owners_;            ///< of each block of class 0
  std::set<Leaf> leaves_;             ///< those that may be idle, see QueueWhatBecameIdle
  std::vector<std::int32_t> became_idle_;
  double clock_ = 0.0;
  std::uint64_t tick_ = 0;
  PrefixStats counts_;
};

}  // namespace ergo::runtime
