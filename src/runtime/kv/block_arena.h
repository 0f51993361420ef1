// Memory for the keys and values of one class of layers, in blocks of 64 tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "kernels/attention/attention.h"

namespace ergo::runtime {

/// A range of address space, cut into blocks that are handed out by number. Pages are taken from
/// the system when they are first written. Not for several threads.
class BlockArena {
 public:
  /// Error: the address space is not to be had.
  static Result<BlockArena> Create(const kernels::KvLayout& layout, std::size_t blocks);

  std::byte* data() const { return memory_.get(); }
  std::size_t capacity() const { return capacity_; }
  std::size_t available() const { return free_.size() + (capacity_ - fresh_); }
  std::size_t block_bytes() const { return block_bytes_; }

  /// A block that nobody uses; its contents are undefined. There must be one available.
  std::int32_t Take();
  void Return(std::int32_t block);

 private:
  struct Unmap {
    std::size_t bytes;
    void operator()(std::byte* memory) const;
  };

  std::unique_ptr<std::byte[], Unmap> memory_;
  std::size_t block_bytes_ = 0;
  std::size_t capacity_ = 0;
  std::size_t fresh_ = 0;           ///< blocks from here on were never used
  std::vector<std::int32_t> free_;  ///< returned ones, used again first
};

}  // namespace ergo::runtime
