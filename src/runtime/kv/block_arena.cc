#include "runtime/kv/block_arena.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace ergo::runtime {

void BlockArena::Unmap::operator()(std::byte* memory) const { ::munmap(memory, bytes); }

Result<BlockArena> BlockArena::Create(const kernels::KvLayout& layout, std::size_t blocks) {
  BlockArena arena;
  arena.block_bytes_ = layout.BlockBytes();
  arena.capacity_ = blocks;
  std::size_t bytes = 0;
  void* memory = MAP_FAILED;
  if (blocks <= INT32_MAX && !__builtin_mul_overflow(blocks, arena.block_bytes_, &bytes) &&
      bytes != 0) {
    memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  if (memory == MAP_FAILED) {
    return Fail(fmt::format("there is no room for {} blocks of {} bytes of keys and values", blocks,
                            arena.block_bytes_),
                "engine", "choose a shorter context");
  }
  arena.memory_ = {static_cast<std::byte*>(memory), Unmap{bytes}};
  return arena;
}

std::int32_t BlockArena::Take() {
  std::vector<std::int32_t>& from = free_.empty() ? bare_ : free_;
  if (from.empty()) {
    users_.push_back(1);
    marks_.emplace_back();
    return static_cast<std::int32_t>(fresh_++);
  }
  const std::int32_t block = from.back();
  from.pop_back();
  users_[Index(block)] = 1;
  return block;
}

void BlockArena::Shed() {
  const std::int32_t block = free_.back();
  free_.pop_back();
  bare_.push_back(block);
  // Pages that other blocks have a part in stay.
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t begin = (Index(block) * block_bytes_ + page - 1) / page * page;
  const std::size_t end = (Index(block) + 1) * block_bytes_ / page * page;
  if (begin < end) ::madvise(data() + begin, end - begin, MADV_DONTNEED);
}

void BlockArena::Share(std::int32_t block) {
  if (IsIdle(block)) --idle_;
  ++users_[Index(block)];
}

void BlockArena::Return(std::int32_t block) {
  if (--users_[Index(block)] == 0) {
    free_.push_back(block);
  } else if (IsIdle(block)) {
    NoteIdle(block);
  }
}

void BlockArena::NoteIdle(std::int32_t block) {
  ++idle_;
  if (!std::exchange(marks_[Index(block)].listed, true)) became_idle_.push_back(block);
}

void BlockArena::Keep(std::int32_t block, std::size_t tokens) {
  const bool was_idle = IsIdle(block);
  marks_[Index(block)].kept_tokens = static_cast<std::uint8_t>(tokens);
  if (!was_idle && IsIdle(block)) NoteIdle(block);
}

void BlockArena::Unkeep(std::int32_t block) {
  if (IsIdle(block)) --idle_;
  marks_[Index(block)].kept_tokens = 0;
}

void BlockArena::DrainIdle(std::vector<std::int32_t>& blocks) {
  blocks.clear();
  blocks.swap(became_idle_);
  for (const std::int32_t block : blocks) marks_[Index(block)].listed = false;
}

std::int32_t BlockArena::TakeCopy(std::int32_t block) {
  const std::int32_t copy = Take();
  std::memcpy(data() + Index(copy) * block_bytes_, data() + Index(block) * block_bytes_,
              block_bytes_);
  return copy;
}

}  // namespace ergo::runtime
