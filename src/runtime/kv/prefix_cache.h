// Keys and values of prompts and answers that are over, kept for sequences that begin alike.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/kv/prefix_store.h"
#include "runtime/kv/prefix_tree.h"
#include "runtime/kv/sequence_cache.h"

namespace ergo::runtime {

struct PrefixStats {
  std::uint64_t lookups = 0;
  std::uint64_t hit_tokens = 0;        ///< tokens looked up that were there
  std::uint64_t missed_tokens = 0;     ///< tokens looked up that were not
  std::uint64_t evictions = 0;         ///< blocks that Evict took from memory
  std::uint64_t window_evictions = 0;  ///< blocks whose windows alone were given up
  std::uint64_t spills = 0;            ///< blocks that were written to the store then
  std::uint64_t loads = 0;             ///< blocks read from the store
  std::size_t nodes = 0;               ///< blocks in memory
  std::size_t bytes = 0;               ///< of their keys and values
  std::size_t idle_bytes = 0;          ///< of those that no sequence uses
  std::size_t stored_nodes = 0;        ///< blocks in the store
  std::size_t stored_bytes = 0;
};

/// A radix tree over token ids for each name space, whose nodes hold one block of every class with
/// the keys and values of up to 64 tokens. It is one of the users of those blocks; sequences that
/// share them are others. Belongs to one thread, as the SequenceCache does.
///
/// A node need not have blocks of window classes: sequences give them back as they grow, so that
/// those are remembered that stand before the end of what is remembered, and of what two texts have
/// in common. A sequence can begin where the windows before it are there; the rest of what is found
/// is computed again. (That can't be less: what stands in the last window of one layer depends on
/// the windows before it in the layers below.)
///
/// What to give up first is decided by cost against age, as GreedyDual does (N. Young, "The
/// k-server dual and loose competitiveness for paging", 1994): a node that is used gets the value
/// of the clock plus its cost; the leaf with the least value goes first and sets the clock to its
/// own. So a node that costs twice as much to compute again waits twice as long for its next use.
/// The cost of a block is that of 64 tokens of products and of attention to what stands before
/// them. Before all of these go windows that stand before no end.
class PrefixCache {
 public:
  /// `cache` must outlive this object and not move.
  explicit PrefixCache(SequenceCache& cache);
  ~PrefixCache();
  PrefixCache(const PrefixCache&) = delete;
  PrefixCache& operator=(const PrefixCache&) = delete;

  /// A sequence of the longest beginning of `tokens`, at most `most` of them, that is remembered in
  /// `name_space` with its last window: it may be empty and may end within a block. It shares the
  /// blocks; none is taken but for those read from the store, and no more than are available or
  /// evictable. What was found counts as used now. Its `known` tells how far it is remembered at
  /// all: a sequence that has computed so many tokens should be remembered with their windows.
  SequenceBlocks Find(std::string_view name_space, std::span<const std::int32_t> tokens,
                      std::size_t most);
  /// Tokens that Find would find, in memory or in the store.
  std::size_t Match(std::string_view name_space, std::span<const std::int32_t> tokens,
                    std::size_t most) const;

  /// Remembers the blocks of a sequence whose tokens these are, also the last one if it isn't full.
  /// What is there already isn't kept twice: `sequence` gets those full blocks in place of its own,
  /// which have the same contents.
  /// A block that another name space remembers, and what follows it, is not remembered.
  void Insert(std::string_view name_space, std::span<const std::int32_t> tokens,
              SequenceBlocks& sequence);

  /// Gives blocks back until `bytes` are available or sequences use all the others; returns how
  /// many bytes it gave back. Blocks that sequences use stay as they are, but the tree may forget
  /// those that stand in the way of others.
  std::size_t Evict(std::size_t bytes);
  /// Bytes that Evict could give back now.
  std::size_t evictable() const;

  /// Forgets the blocks within which a sequence ends, so that the sequence needs no copy of it to
  /// go on if it is the only other user. False if the tree has none of them.
  bool Yield(const SequenceBlocks& sequence);

  /// Takes a store over: what is in it can be found from now on, and what Evict takes from memory
  /// goes there. Once.
  void Attach(std::unique_ptr<PrefixStore> store);
  /// Writes what is not in the store yet, the most valuable first, up to the store's budget. On
  /// return it is safe from power cuts. Errors: those of the store; the rest goes on as if there
  /// were less room on disk. Without a store there is nothing to do.
  Status Save();

  /// Forgets a name space, or everything, in memory and in the store.
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
  /// Where a node with windows waits to lose them.
  enum class WindowQueue : std::uint8_t {
    kNone,  ///< they are in use, or it has none
    kAny,   ///< in windows_
    kEnds,  ///< in ends_
  };
  /// What is known of a node besides its tokens. It is in memory or in the store.
  struct Entry {
    Rank rank;
    bool in_memory = false;  ///< with the anchor's block at least
    bool stored = false;
    ClassSet stored_classes = 0;
    WindowQueue window_queue = WindowQueue::kNone;
    bool queued = false;        ///< in leaves_
    bool store_queued = false;  ///< in stored_leaves_
    bool pinned = false;        ///< the store must keep it for now
    std::uint32_t children_in_memory = 0;
    std::uint32_t children_stored = 0;
  };
  struct Leaf {
    Rank rank;
    Id id;
    auto operator<=>(const Leaf&) const = default;
  };

  /// Nodes from the root down, and how many tokens of a text they have in common with it.
  struct Path {
    std::vector<Id> nodes;
    std::size_t tokens = 0;
  };

  std::int32_t& block(Id id, std::size_t kv_class) {
    return blocks_[id * cache_.classes() + kv_class];
  }
  std::int32_t block(Id id, std::size_t kv_class) const {
    return blocks_[id * cache_.classes() + kv_class];
  }
  std::int32_t anchor(Id id) const { return block(id, cache_.anchor()); }
  bool Has(Id id, std::size_t kv_class) const { return block(id, kv_class) != kNoBlock; }
  ClassSet Classes(Id id) const;
  /// Whether it can be given back; of the anchor's block.
  bool IsIdle(Id id) const { return cache_.blocks(cache_.anchor()).IsIdle(anchor(id)); }
  /// Whether it is in memory and nothing below it is.
  bool IsLeaf(Id id) const {
    return tree_.IsBlock(id) && entries_[id].in_memory && entries_[id].children_in_memory == 0;
  }

  void Touch(Id id);
  void Queue(Id id);
  void Unqueue(Id id);
  void QueueWhatBecameIdle();
  Id Add(Id parent, std::span<const std::int32_t> tokens);
  void Extend(Id id, std::span<const std::int32_t> tokens);
  Path Walk(std::string_view name_space, std::span<const std::int32_t> wanted) const;
  std::size_t Reach(const Path& path, std::size_t length) const;
  void Lend(const Path& path, SequenceBlocks& found);
  void Take(Id id, const SequenceBlocks& sequence, std::size_t index);
  void TakeWindows(Id id, const SequenceBlocks& sequence, std::size_t index);
  void Grow(Id id, std::span<const std::int32_t> tokens, const SequenceBlocks& sequence,
            std::size_t index);
  void Adopt(Id id, SequenceBlocks& sequence, std::size_t index);
  void Hold(Id id, std::size_t kv_class, std::int32_t block);
  void LetGo(Id id, std::size_t kv_class);
  void EnterMemory(Id id);
  void LeaveMemory(Id id);
  void GiveUp(Id id);
  void ForgetFrom(Id id);
  void DropFromMemory(Id leaf);
  bool EvictOne();
  bool ForgetWhatStandsInTheWay();

  // Windows alone, in prefix_windows.cc:
  std::size_t NodesBeforeAnEnd() const;
  bool StandsBeforeAnEnd(Id id) const;
  bool HasIdleWindows(Id id) const;
  void PutInWindowQueue(Id id, WindowQueue queue);
  void LookAgainAbove(Id id);
  void DropWindows(Id id);
  bool DropWindowsOfNoEnd();
  bool DropWindowsOfAnEnd();

  // With a store, in prefix_spill.cc:
  void EnterStore(Id id);
  void LeaveStore(Id id);
  void QueueStored(Id id);
  void UnqueueStored(Id id);
  bool AddStored(const PrefixStore::Stored& stored, Id& id);
  bool MakeRoomInStore(std::size_t bytes, const Rank& below);
  void Spill(Id id);
  bool IsStoredAsItIs(Id id) const;
  bool MakeRoomFor(Id id, const Rank& below);
  bool Load(Id id);
  bool LoadFor(const Path& path, std::size_t* length, SequenceBlocks& found);
  void FindLost(Id id);
  Result<bool> SavePath(std::span<const Id> path, std::vector<Id>& batch);
  Status CommitBatch(std::vector<Id>& batch);
  std::vector<std::span<std::byte>> Bytes(Id id);
  std::span<std::byte> BytesOf(std::int32_t of, std::size_t kv_class);

  SequenceCache& cache_;
  PrefixTree tree_;
  std::vector<Entry> entries_;           ///< of each node
  std::vector<std::int32_t> blocks_;     ///< of each node and class, or kNoBlock
  std::vector<std::vector<Id>> owners_;  ///< of each class and block
  std::set<Leaf> leaves_;                ///< those that may be idle, see QueueWhatBecameIdle
  std::set<Leaf> windows_;               ///< nodes whose windows may be idle
  std::set<Leaf> ends_;                  ///< the same, of those that stand before an end
  std::vector<std::int32_t> became_idle_;
  std::unique_ptr<PrefixStore> store_;
  std::set<Leaf> stored_leaves_;  ///< stored, with nothing stored below
  std::size_t stored_ = 0;        ///< nodes in the store
  std::size_t in_memory_ = 0;     ///< nodes in memory
  std::size_t bytes_ = 0;         ///< of their blocks
  std::size_t spill_pause_ = 0;   ///< evictions to go before the store is tried again
  std::uint64_t attached_ = 0;    ///< tick_ at Attach
  double clock_ = 0.0;
  std::uint64_t tick_ = 0;
  PrefixStats counts_;
};

}  // namespace ergo::runtime
