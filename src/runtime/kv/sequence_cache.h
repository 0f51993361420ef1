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

/// In a table: the block was given back, or never there.
inline constexpr std::int32_t kNoBlock = -1;

/// Block tables of one sequence: tables[c][p / 64] holds position p in class c. Tables of window
/// classes begin with as many kNoBlock as blocks were given back.
struct SequenceBlocks {
  std::vector<std::vector<std::int32_t>> tables;
  std::vector<std::size_t> gone;  ///< of each class: blocks that were given back
  std::size_t length = 0;         ///< tokens stored
  /// Tokens that it has in common with what it began from, if those are more than it could have:
  /// where the first of its own windows were gone it begins before that.
  std::size_t known = 0;
};

/// A sequence that shall hold `length` tokens.
struct Growth {
  const SequenceBlocks* sequence = nullptr;
  std::size_t length = 0;
};

/// One arena for each class of layers, and a budget of bytes for all of them. Sequences share
/// blocks: a fork has those of its origin, and whoever writes into a shared block first gets a copy
/// of it, except where the only other user is a cache that needs no more than what the sequence
/// leaves as it is. Which blocks a new sequence finds ready is for PrefixCache to say.
///
/// Layers with a window read no block that lies wholly before it, so a sequence gives those back as
/// it grows. One class, the anchor, keeps all its blocks: that of the layers that see everything,
/// or, if there is none, that of the widest window.
class SequenceCache {
 public:
  struct Options {
    std::size_t bytes = 0;       ///< for the blocks of all classes
    std::size_t step_rows = 64;  ///< most tokens that a sequence grows by between two Slides
  };
  /// Error: no address space, or bytes for less than a block of each class.
  static Result<SequenceCache> Create(std::span<const model::KvClass> classes,
                                      const Options& options);

  SequenceBlocks NewSequence() const;
  /// A sequence of the first `length` tokens of another one, whose blocks it shares, or of fewer:
  /// as many as it has the windows of. No block is taken and nothing is copied.
  SequenceBlocks Fork(const SequenceBlocks& origin, std::size_t length);

  /// Bytes of the blocks that `sequence` lacks to grow to `length` tokens in steps: new ones, and a
  /// copy of its open block if that is shared. Added up over several sequences this may be too
  /// much: of those that share an open block with nobody else, the last to write keeps it.
  std::size_t Missing(const SequenceBlocks& sequence, std::size_t length) const;
  /// Bytes that are taken when all of these grow, in this order; no sequence may be there twice.
  std::size_t Missing(std::span<const Growth> growths) const;
  /// Bytes of no block in use.
  std::size_t available() const;
  /// Bytes in all.
  std::size_t capacity() const { return bytes_; }

  /// Gives back the blocks before the window of the next token, but for those that the 64 tokens
  /// before it see: so far the sequence can be cut off and lose nothing.
  void Slide(SequenceBlocks& sequence);
  /// Gives `sequence` the blocks in which it grows to `length` tokens; they must be available.
  void Reserve(SequenceBlocks& sequence, std::size_t length);
  /// Returns the blocks that `length` tokens don't need. If their windows are gone, so are tokens
  /// before them: the sequence has as many as can be gone on from.
  void Trim(SequenceBlocks& sequence, std::size_t length);

  std::byte* arena(std::size_t kv_class) const { return arenas_[kv_class].data(); }
  std::size_t classes() const { return arenas_.size(); }
  /// The class whose blocks a sequence never gives back.
  std::size_t anchor() const { return anchor_; }
  /// For a class that gives blocks back, how many tokens a token sees; else 0.
  std::size_t window(std::size_t kv_class) const { return windows_[kv_class]; }
  /// The first block of a class that tokens from position `length` on see.
  std::size_t FirstSeen(std::size_t kv_class, std::size_t length) const;
  /// The most tokens, at most `length`, that a sequence can hold and go on from, where has(class,
  /// block) tells what there is.
  template <typename Has>
  std::size_t Reach(std::size_t length, const Has& has) const;

  /// A block for a cache; there must be bytes available.
  std::int32_t Take(std::size_t kv_class);
  /// For a cache, which keeps blocks beside the sequences.
  BlockArena& blocks(std::size_t kv_class) { return arenas_[kv_class]; }
  const BlockArena& blocks(std::size_t kv_class) const { return arenas_[kv_class]; }
  /// Bytes of one block in all classes.
  std::size_t block_bytes() const;

 private:
  bool MustCopyOpenBlock(const SequenceBlocks& sequence, std::size_t length,
                         std::size_t kv_class) const;
  std::size_t MissingBlocks(const SequenceBlocks& sequence, std::size_t length,
                            std::size_t kv_class) const;
  void MakePagesFor(std::size_t kv_class);

  std::vector<BlockArena> arenas_;
  std::vector<std::size_t> windows_;  ///< of each class; 0: keeps all its blocks
  std::size_t anchor_ = 0;
  std::size_t bytes_ = 0;
  std::size_t step_rows_ = 0;
};

template <typename Has>
std::size_t SequenceCache::Reach(std::size_t length, const Has& has) const {
  for (std::size_t c = 0; c < classes();) {
    std::size_t block = (length + kernels::kBlockTokens - 1) / kernels::kBlockTokens;
    const std::size_t first = FirstSeen(c, length);
    while (block > first && has(c, block - 1)) --block;
    if (block <= first) {
      ++c;
    } else {  // less far, where no token needs the one that is missing
      length = (block - 1) * kernels::kBlockTokens;
      c = 0;
    }
  }
  return length;
}

}  // namespace ergo::runtime
