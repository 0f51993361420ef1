// Memory for the keys and values of one class of layers, in blocks of 64 tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "kernels/attention/attention.h"

namespace ergo::runtime {

/// A range of address space, cut into blocks that are handed out by number and counted by their
/// users. Pages are taken from the system when they are first written, and stay with free blocks
/// until Shed. Not for several threads.
///
/// A user may be a cache, which would give its block up if there were need: it marks the block as
/// kept. A kept block with no other user is idle.
class BlockArena {
 public:
  /// Error: the address space is not to be had.
  static Result<BlockArena> Create(const kernels::KvLayout& layout, std::size_t blocks);

  std::byte* data() const { return memory_.get(); }
  std::size_t capacity() const { return capacity_; }
  std::size_t available() const { return free_.size() + bare_.size() + (capacity_ - fresh_); }
  std::size_t used() const { return capacity_ - available(); }
  std::size_t block_bytes() const { return block_bytes_; }
  /// Free blocks that have pages, which Take hands out first.
  std::size_t warm() const { return free_.size(); }
  /// Blocks that have pages, used or free.
  std::size_t resident() const { return fresh_ - bare_.size(); }
  /// Gives the pages of a warm free block back to the system; there must be one.
  void Shed();

  /// A block that nobody uses, and now one does; its contents are undefined. There must be one
  /// available.
  std::int32_t Take();
  /// One user more of a block in use.
  void Share(std::int32_t block);
  /// One user less; the last one's block is free again.
  void Return(std::int32_t block);
  bool IsShared(std::int32_t block) const { return users_[Index(block)] > 1; }
  std::size_t users(std::int32_t block) const { return users_[Index(block)]; }
  /// Takes a block with the contents of another one.
  std::int32_t TakeCopy(std::int32_t block);

  /// Marks a block in use, whose users now include a cache that needs its first `tokens` tokens; at
  /// most one cache keeps it, and may change the number.
  void Keep(std::int32_t block, std::size_t tokens);
  /// Takes the mark away, before the cache returns the block.
  void Unkeep(std::int32_t block);
  bool IsKept(std::int32_t block) const { return KeptTokens(block) != 0; }
  std::size_t KeptTokens(std::int32_t block) const { return marks_[Index(block)].kept_tokens; }
  bool IsIdle(std::int32_t block) const { return IsKept(block) && users_[Index(block)] == 1; }
  std::size_t idle() const { return idle_; }
  /// Moves into `blocks` those that became idle since the last call, each at most once; some may
  /// be in use again or free.
  void DrainIdle(std::vector<std::int32_t>& blocks);

 private:
  struct Marks {
    std::uint8_t kept_tokens = 0;  ///< 0: not kept
    bool listed = false;           ///< in became_idle_
  };
  struct Unmap {
    std::size_t bytes;
    void operator()(std::byte* memory) const;
  };

  void NoteIdle(std::int32_t block);
  static std::size_t Index(std::int32_t block) { return static_cast<std::size_t>(block); }

  std::unique_ptr<std::byte[], Unmap> memory_;
  std::size_t block_bytes_ = 0;
  std::size_t capacity_ = 0;
  std::size_t fresh_ = 0;             ///< blocks from here on were never used
  std::vector<std::int32_t> free_;    ///< returned ones, used again first
  std::vector<std::int32_t> bare_;    ///< returned ones without pages, used again next
  std::vector<std::uint32_t> users_;  ///< of each block that was ever used
  std::vector<Marks> marks_;          ///< of each block that was ever used
  std::size_t idle_ = 0;
  std::vector<std::int32_t> became_idle_;
};

}  // namespace ergo::runtime
