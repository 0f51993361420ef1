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

/// One arena for each class of layers. Sequences share blocks: a fork has those of its origin, and
/// whoever writes into a shared block first gets a copy of it. Finding the sequence that a new one
/// has a prefix in common with is not done here.
class SequenceCache {
 public:
  /// Room for `blocks` blocks in every class. Error: no address space.
  static Result<SequenceCache> Create(std::span<const model::KvClass> classes, std::size_t blocks);

  SequenceBlocks NewSequence() const;
  /// A sequence of the first `length` tokens of another one, whose blocks it shares. No block is
  /// taken and nothing is copied.
  SequenceBlocks Fork(const SequenceBlocks& origin, std::size_t length);

  /// Blocks that `sequence` lacks to grow to `length` tokens, in each class: new ones, and a copy
  /// of its open block if that is shared.
  std::size_t Missing(const SequenceBlocks& sequence, std::size_t length) const;
  /// Blocks that are free in every class.
  std::size_t available() const;
  std::size_t capacity() const;

  /// Gives `sequence` the blocks in which it grows to `length` tokens; they must be available.
  void Reserve(SequenceBlocks& sequence, std::size_t length);
  /// Returns the blocks that `length` tokens don't need.
  void Trim(SequenceBlocks& sequence, std::size_t length);

  std::byte* arena(std::size_t kv_class) const { return arenas_[kv_class].data(); }
  std::size_t classes() const { return arenas_.size(); }
  /// Bytes of one block in all classes.
  std::size_t block_bytes() const;

 private:
  bool OpenBlockIsShared(const SequenceBlocks& sequence, std::size_t length) const;

  std::vector<BlockArena> arenas_;
};

}  // namespace ergo::runtime
