// Which blocks hold the keys and values of each sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "model/blocks/pass.h"
#include "runtime/kv/block_arena.h"

namespace ergo::runtime {

/// Block tables of one sequence: tables[c][p / 64] holds position p in class c.
struct SequenceBlocks {
  std::vector<std::vector<std::int32_t>> tables;
  std::size_t length = 0;  ///< tokens stored
};

/// A sequence that shall hold `length` tokens.
struct Growth {
  const SequenceBlocks* sequence = nullptr;
  std::size_t length = 0;
};

/// One arena for each class of layers. Sequences share blocks: a fork has those of its origin, and
/// whoever writes into a shared block first gets a copy of it, except where the only other user is
/// a cache that needs no more than what the sequence leaves as it is. Which blocks a new sequence
/// finds ready is for PrefixCache to say.
///
/// The classes' tables are taken, shared and returned together, so that a sequence has as many
/// blocks in each class, shared in the same way: one class stands for all.
class SequenceCache {
 public:
  /// Room for `blocks` blocks in every class. Error: no address space.
  static Result<SequenceCache> Create(std::span<const model::KvClass> classes, std::size_t blocks);

  SequenceBlocks NewSequence() const;
  /// A sequence of the first `length` tokens of another one, whose blocks it shares. No block is
  /// taken and nothing is copied.
  SequenceBlocks Fork(const SequenceBlocks& origin, std::size_t length);

  /// Blocks that `sequence` lacks to grow to `length` tokens, in each class: new ones, and a copy
  /// of its open block if that is shared. Added up over several sequences this may be too many: of
  /// those that share an open block with nobody else, the last to write keeps it.
  std::size_t Missing(const SequenceBlocks& sequence, std::size_t length) const;
  /// Blocks in each class that are taken when all of these grow, in this order; no sequence may be
  /// there twice.
  std::size_t Missing(std::span<const Growth> growths) const;
  /// Blocks that are free in every class.
  std::size_t available() const;
  /// Blocks of every class, free or not.
  std::size_t capacity() const;

  /// Gives `sequence` the blocks in which it grows to `length` tokens; they must be available.
  void Reserve(SequenceBlocks& sequence, std::size_t length);
  /// Returns the blocks that `length` tokens don't need.
  void Trim(SequenceBlocks& sequence, std::size_t length);

  std::byte* arena(std::size_t kv_class) const { return arenas_[kv_class].data(); }
  std::size_t classes() const { return arenas_.size(); }
  /// For a cache, which keeps blocks beside the sequences.
  BlockArena& blocks(std::size_t kv_class) { return arenas_[kv_class]; }
  const BlockArena& blocks(std::size_t kv_class) const { return arenas_[kv_class]; }
  /// Bytes of one block in all classes.
  std::size_t block_bytes() const;

 private:
  bool MustCopyOpenBlock(const SequenceBlocks& sequence, std::size_t length) const;

  std::vector<BlockArena> arenas_;
};

}  // namespace ergo::runtime
