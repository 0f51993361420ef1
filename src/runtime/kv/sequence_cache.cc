#include "runtime/kv/sequence_cache.h"

#include <fmt/format.h>

#include <algorithm>

namespace ergo::runtime {
namespace {

using kernels::kBlockTokens;

std::size_t BlocksFor(std::size_t tokens) { return (tokens + kBlockTokens - 1) / kBlockTokens; }

/// Tokens before the next one whose windows stay, so that what was proposed, or drawn but not to be
/// used, can be cut off again.
constexpr std::size_t kSlack = kBlockTokens;

}  // namespace

Result<SequenceCache> SequenceCache::Create(std::span<const model::KvClass> classes,
                                            const Options& options) {
  SequenceCache cache;
  cache.bytes_ = options.bytes;
  cache.step_rows_ = options.step_rows;
  std::size_t of_all = 0;
  for (const model::KvClass& kv_class : classes) {
    cache.windows_.push_back(kv_class.window);
    of_all += kv_class.layout.BlockBytes();
  }
  if (options.bytes < of_all) {
    return Fail(
        fmt::format("{} bytes hold no keys and values", options.bytes), "engine",
        fmt::format("{} tokens take {} bytes; give more (--kv-memory)", kBlockTokens, of_all));
  }
  for (const model::KvClass& kv_class : classes) {
    auto arena = BlockArena::Create(kv_class.layout, options.bytes / kv_class.layout.BlockBytes());
    if (!arena) return Fail(std::move(arena));
    cache.arenas_.push_back(*std::move(arena));
  }
  const auto sees_all = std::find(cache.windows_.begin(), cache.windows_.end(), std::size_t{0});
  const auto anchor = sees_all != cache.windows_.end()
                          ? sees_all
                          : std::max_element(cache.windows_.begin(), cache.windows_.end());
  cache.anchor_ = static_cast<std::size_t>(anchor - cache.windows_.begin());
  *anchor = 0;
  return cache;
}

SequenceBlocks SequenceCache::NewSequence() const {
  SequenceBlocks sequence;
  sequence.tables.resize(arenas_.size());
  sequence.gone.resize(arenas_.size());
  return sequence;
}

std::size_t SequenceCache::FirstSeen(std::size_t kv_class, std::size_t length) const {
  const std::size_t window = windows_[kv_class];
  return window == 0 || length + 1 <= window ? 0 : (length + 1 - window) / kBlockTokens;
}

SequenceBlocks SequenceCache::Fork(const SequenceBlocks& origin, std::size_t length) {
  SequenceBlocks fork = NewSequence();
  fork.known = length;
  fork.length =
      Reach(length, [&](std::size_t c, std::size_t block) { return block >= origin.gone[c]; });
  for (std::size_t c = 0; c < arenas_.size(); ++c) {
    const auto begin = origin.tables[c].begin();
    fork.tables[c].assign(begin, begin + static_cast<std::ptrdiff_t>(BlocksFor(fork.length)));
    fork.gone[c] = std::min(origin.gone[c], fork.tables[c].size());
    for (std::size_t i = fork.gone[c]; i < fork.tables[c].size(); ++i) {
      arenas_[c].Share(fork.tables[c][i]);
    }
  }
  Slide(fork);
  return fork;
}

bool SequenceCache::MustCopyOpenBlock(const SequenceBlocks& sequence, std::size_t length,
                                      std::size_t kv_class) const {
  const std::size_t open = sequence.length % kBlockTokens;
  if (length <= sequence.length || open == 0) return false;
  const BlockArena& arena = arenas_[kv_class];
  const std::int32_t block = sequence.tables[kv_class][sequence.length / kBlockTokens];
  const std::size_t kept = arena.KeptTokens(block);
  return arena.users(block) > (kept != 0 && kept <= open ? 2 : 1);
}

/// Beside a copy of the open one.
std::size_t SequenceCache::MissingBlocks(const SequenceBlocks& sequence, std::size_t length,
                                         std::size_t kv_class) const {
  const std::size_t have = sequence.tables[kv_class].size();
  const std::size_t more = std::max(BlocksFor(length), have) - have;
  const std::size_t window = windows_[kv_class];
  // A window is at no place in more blocks than these, with the tokens of a step.
  return window == 0 ? more : std::min(more, (window + kSlack + step_rows_) / kBlockTokens + 2);
}

std::size_t SequenceCache::Missing(const SequenceBlocks& sequence, std::size_t length) const {
  std::size_t bytes = 0;
  for (std::size_t c = 0; c < arenas_.size(); ++c) {
    const std::size_t copy = MustCopyOpenBlock(sequence, length, c) ? 1 : 0;
    bytes += (MissingBlocks(sequence, length, c) + copy) * arenas_[c].block_bytes();
  }
  return bytes;
}

std::size_t SequenceCache::Missing(std::span<const Growth> growths) const {
  std::size_t bytes = 0;
  for (const Growth& growth : growths) bytes += Missing(*growth.sequence, growth.length);
  std::vector<std::pair<std::int32_t, std::size_t>> writes;  // into shared blocks, from a token on
  for (std::size_t c = 0; c < arenas_.size(); ++c) {
    writes.clear();
    for (const Growth& growth : growths) {
      const SequenceBlocks& sequence = *growth.sequence;
      if (!MustCopyOpenBlock(sequence, growth.length, c)) continue;
      writes.emplace_back(sequence.tables[c][sequence.length / kBlockTokens],
                          sequence.length % kBlockTokens);
    }
    const auto by_block = [](const auto& a, const auto& b) { return a.first < b.first; };
    std::stable_sort(writes.begin(), writes.end(), by_block);
    for (auto first = writes.begin(); first != writes.end();) {
      const auto last = std::upper_bound(first, writes.end(), *first, by_block);
      const std::size_t kept = arenas_[c].KeptTokens(first->first);
      const std::size_t others = arenas_[c].users(first->first) - (last - first);
      if (others == 0 || (others == 1 && kept != 0 && kept <= (last - 1)->second)) {
        bytes -= arenas_[c].block_bytes();
      }
      first = last;
    }
  }
  return bytes;
}

std::size_t SequenceCache::available() const {
  std::size_t used = 0;
  for (const BlockArena& arena : arenas_) used += arena.used() * arena.block_bytes();
  return bytes_ - used;
}

/// What free blocks of other classes hold of the system's memory is within the budget too.
void SequenceCache::MakePagesFor(std::size_t kv_class) {
  if (arenas_.size() == 1 || arenas_[kv_class].warm() != 0) return;
  std::size_t resident = arenas_[kv_class].block_bytes();
  for (const BlockArena& arena : arenas_) resident += arena.resident() * arena.block_bytes();
  for (BlockArena& arena : arenas_) {
    while (resident > bytes_ && arena.warm() != 0) {
      arena.Shed();
      resident -= arena.block_bytes();
    }
  }
}

std::int32_t SequenceCache::Take(std::size_t kv_class) {
  MakePagesFor(kv_class);
  return arenas_[kv_class].Take();
}

void SequenceCache::Slide(SequenceBlocks& sequence) {
  for (std::size_t c = 0; c < arenas_.size(); ++c) {
    std::vector<std::int32_t>& table = sequence.tables[c];
    const std::size_t seen = FirstSeen(c, std::max(sequence.length, kSlack) - kSlack);
    for (std::size_t& i = sequence.gone[c]; i < std::min(seen, table.size()); ++i) {
      arenas_[c].Return(table[i]);
      table[i] = kNoBlock;
    }
  }
}

void SequenceCache::Reserve(SequenceBlocks& sequence, std::size_t length) {
  for (std::size_t c = 0; c < arenas_.size(); ++c) {
    if (MustCopyOpenBlock(sequence, length, c)) {
      std::int32_t& open = sequence.tables[c][sequence.length / kBlockTokens];
      MakePagesFor(c);
      const std::int32_t own = arenas_[c].TakeCopy(open);
      arenas_[c].Return(open);
      open = own;
    }
    while (sequence.tables[c].size() < BlocksFor(length)) sequence.tables[c].push_back(Take(c));
  }
}

void SequenceCache::Trim(SequenceBlocks& sequence, std::size_t length) {
  const auto has = [&](std::size_t c, std::size_t block) { return block >= sequence.gone[c]; };
  if (length < sequence.length) length = Reach(length, has);
  for (std::size_t c = 0; c < arenas_.size(); ++c) {
    std::vector<std::int32_t>& table = sequence.tables[c];
    while (table.size() > BlocksFor(length)) {
      if (table.back() != kNoBlock) arenas_[c].Return(table.back());
      table.pop_back();
    }
    sequence.gone[c] = std::min(sequence.gone[c], table.size());
  }
  sequence.length = std::min(sequence.length, length);
}

std::size_t SequenceCache::block_bytes() const {
  std::size_t bytes = 0;
  for (const BlockArena& arena : arenas_) bytes += arena.block_bytes();
  return bytes;
}

}  // namespace ergo::runtime
