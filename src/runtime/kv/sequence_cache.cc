#include "runtime/kv/sequence_cache.h"

#include <algorithm>

namespace ergo::runtime {
namespace {

std::size_t BlocksFor(std::size_t tokens) {
  return (tokens + kernels::kBlockTokens - 1) / kernels::kBlockTokens;
}

}  // namespace

Result<SequenceCache> SequenceCache::Create(std::span<const model::KvClass> classes,
                                            std::size_t blocks) {
  SequenceCache cache;
  for (const model::KvClass& kv_class : classes) {
    auto arena = BlockArena::Create(kv_class.layout, blocks);
    if (!arena) return Fail(std::move(arena));
    cache.arenas_.push_back(*std::move(arena));
  }
  return cache;
}

SequenceBlocks SequenceCache::NewSequence() const {
  SequenceBlocks sequence;
  sequence.tables.resize(arenas_.size());
  return sequence;
}

SequenceBlocks SequenceCache::Fork(const SequenceBlocks& origin, std::size_t length) {
  SequenceBlocks fork = NewSequence();
  fork.length = length;
  for (std::size_t c = 0; c < arenas_.size(); ++c) {
    const auto begin = origin.tables[c].begin();
    fork.tables[c].assign(begin, begin + static_cast<std::ptrdiff_t>(BlocksFor(length)));
    for (const std::int32_t block : fork.tables[c]) arenas_[c].Share(block);
  }
  return fork;
}

bool SequenceCache::MustCopyOpenBlock(const SequenceBlocks& sequence, std::size_t length) const {
  const std::size_t open = sequence.length % kernels::kBlockTokens;
  if (length <= sequence.length || open == 0) return false;
  const BlockArena& arena = arenas_.front();
  const std::int32_t block = sequence.tables.front()[sequence.length / kernels::kBlockTokens];
  const std::size_t kept = arena.KeptTokens(block);
  return arena.users(block) > (kept != 0 && kept <= open ? 2 : 1);
}

std::size_t SequenceCache::Missing(const SequenceBlocks& sequence, std::size_t length) const {
  const std::size_t have = sequence.tables.front().size();
  return std::max(BlocksFor(length), have) - have + (MustCopyOpenBlock(sequence, length) ? 1 : 0);
}

std::size_t SequenceCache::Missing(std::span<const Growth> growths) const {
  std::size_t missing = 0;
  std::vector<std::pair<std::int32_t, std::size_t>> writes;  // into shared blocks, from a token on
  for (const Growth& growth : growths) {
    const SequenceBlocks& sequence = *growth.sequence;
    missing += Missing(sequence, growth.length);
    if (!MustCopyOpenBlock(sequence, growth.length)) continue;
    writes.emplace_back(sequence.tables.front()[sequence.length / kernels::kBlockTokens],
                        sequence.length % kernels::kBlockTokens);
  }
  const auto by_block = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::stable_sort(writes.begin(), writes.end(), by_block);
  for (auto first = writes.begin(); first != writes.end();) {
    const auto last = std::upper_bound(first, writes.end(), *first, by_block);
    const std::size_t kept = arenas_.front().KeptTokens(first->first);
    const std::size_t others = arenas_.front().users(first->first) - (last - first);
    if (others == 0 || (others == 1 && kept != 0 && kept <= (last - 1)->second)) --missing;
    first = last;
  }
  return missing;
}

std::size_t SequenceCache::available() const {
  std::size_t least = arenas_.front().available();
  for (const BlockArena& arena : arenas_) least = std::min(least, arena.available());
  return least;
}

std::size_t SequenceCache::capacity() const { return arenas_.front().capacity(); }

void SequenceCache::Reserve(SequenceBlocks& sequence, std::size_t length) {
  const bool copy = MustCopyOpenBlock(sequence, length);
  for (std::size_t c = 0; c < arenas_.size(); ++c) {
    if (copy) {
      std::int32_t& open = sequence.tables[c][sequence.length / kernels::kBlockTokens];
      const std::int32_t own = arenas_[c].TakeCopy(open);
      arenas_[c].Return(open);
      open = own;
    }
    while (sequence.tables[c].size() < BlocksFor(length)) {
      sequence.tables[c].push_back(arenas_[c].Take());
    }
  }
}

void SequenceCache::Trim(SequenceBlocks& sequence, std::size_t length) {
  for (std::size_t c = 0; c < arenas_.size(); ++c) {
    while (sequence.tables[c].size() > BlocksFor(length)) {
      arenas_[c].Return(sequence.tables[c].back());
      sequence.tables[c].pop_back();
    }
  }
  sequence.length = std::min(sequence.length, length);
}

std::size_t SequenceCache::block_bytes() const {
  std::size_t bytes = 0;
  for (const BlockArena& arena : arenas_) bytes += arena.block_bytes();
  return bytes;
}

}  // namespace ergo::runtime
