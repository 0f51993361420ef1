#include "runtime/kv/prefix_cache.h"

#include <algorithm>
#include <utility>

namespace ergo::runtime {
namespace {

using kernels::kBlockTokens;

/// Attention to so many tokens takes about the time of a token's products in small models; larger
/// ones have more of both.
constexpr double kTokensOfDoubleCost = 4096.0;

double CostOf(std::uint32_t depth) {
  return 1.0 + static_cast<double>(depth) * static_cast<double>(kBlockTokens) / kTokensOfDoubleCost;
}

std::span<const std::int32_t> BlockOf(std::span<const std::int32_t> tokens, std::size_t index) {
  const auto rest = tokens.subspan(index * kBlockTokens);
  return rest.first(std::min(rest.size(), kBlockTokens));
}

}  // namespace

PrefixCache::PrefixCache(SequenceCache& cache)
    : cache_(cache), owners_(cache.capacity(), PrefixTree::kNone) {}

PrefixCache::~PrefixCache() {
  for (Id id = 0; id < tree_.slots(); ++id) {
    if (tree_.IsBlock(id) && entries_[id].in_memory) GiveUp(id);
  }
}

SequenceBlocks PrefixCache::Find(std::string_view name_space, std::span<const std::int32_t> tokens,
                                 std::size_t most) {
  ++tick_;
  SequenceBlocks found = cache_.NewSequence();
  const auto wanted = tokens.first(std::min(tokens.size(), most));
  std::vector<Id> stored;  // the path's nodes that are not in memory
  std::vector<std::size_t> stored_tokens;
  Id parent = tree_.Root(name_space);
  for (std::size_t length = 0; parent != PrefixTree::kNone && length < wanted.size();) {
    const auto match = tree_.Closest(parent, wanted.subspan(length));
    if (match.tokens == 0) break;
    length += match.tokens;
    // Texts that have but a few tokens in common with a node shall not keep it alive.
    if (2 * match.tokens >= tree_.node(match.node).count) Touch(match.node);
    if (entries_[match.node].in_memory) {
      Lend(match.node, match.tokens, found);
    } else {
      stored.push_back(match.node);
      stored_tokens.push_back(match.tokens);
    }
    parent = match.tokens == kBlockTokens ? match.node : PrefixTree::kNone;
  }
  if (!stored.empty()) LoadPath(stored, stored_tokens, found);
  ++counts_.lookups;
  counts_.hit_tokens += found.length;
  counts_.missed_tokens += tokens.size() - found.length;
  return found;
}

/// The sequence goes on with the first tokens of a node in memory.
void PrefixCache::Lend(Id id, std::size_t tokens, SequenceBlocks& sequence) {
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    cache_.blocks(c).Share(block(id, c));
    sequence.tables[c].push_back(block(id, c));
  }
  sequence.length += tokens;
}

std::size_t PrefixCache::Match(std::string_view name_space, std::span<const std::int32_t> tokens,
                               std::size_t most) const {
  const auto wanted = tokens.first(std::min(tokens.size(), most));
  std::size_t length = 0;
  Id parent = tree_.Root(name_space);
  while (parent != PrefixTree::kNone && length < wanted.size()) {
    const auto match = tree_.Closest(parent, wanted.subspan(length));
    length += match.tokens;
    parent = match.tokens == kBlockTokens ? match.node : PrefixTree::kNone;
  }
  return length;
}

void PrefixCache::Insert(std::string_view name_space, std::span<const std::int32_t> tokens,
                         SequenceBlocks& sequence) {
  ++tick_;
  tokens = tokens.first(std::min(tokens.size(), sequence.length));
  Id parent = tree_.Root(name_space);
  for (std::size_t i = 0; i * kBlockTokens < tokens.size(); ++i) {
    const auto text = BlockOf(tokens, i);
    const auto match =
        parent == PrefixTree::kNone ? PrefixTree::Match() : tree_.Closest(parent, text);
    Id id = match.node;
    const std::int32_t own = sequence.tables[0][i];
    const bool kept = cache_.blocks(0).IsKept(own);
    const bool whole = match.tokens != 0 && match.tokens == tree_.node(id).count;
    if (match.tokens == text.size()) {
      if (entries_[id].in_memory) {
        if (text.size() == kBlockTokens) Adopt(id, sequence, i);
      } else if (whole) {
        if (kept) return;
        Take(id, sequence, i);
      }
    } else if (kept) {
      // It has grown since, or a fork was remembered with the first tokens of the same block.
      if (!whole || owners_[static_cast<std::size_t>(own)] != id) return;
      Extend(id, text);
      cache_.blocks(0).Keep(own, text.size());
    } else if (whole) {
      Extend(id, text);
      Take(id, sequence, i);
    } else {
      id = Add(parent == PrefixTree::kNone ? tree_.AddRoot(name_space) : parent, text);
      Take(id, sequence, i);
    }
    Touch(id);
    parent = id;
  }
}

PrefixTree::Id PrefixCache::Add(Id parent, std::span<const std::int32_t> tokens) {
  const Id id = tree_.Add(parent, tokens);
  if (entries_.size() < tree_.slots()) {
    entries_.resize(tree_.slots());
    blocks_.resize(tree_.slots() * cache_.classes());
  }
  entries_[id] = {};
  return id;
}

/// A node that isn't full gets more tokens; what the store has of it is of no more use.
void PrefixCache::Extend(Id id, std::span<const std::int32_t> tokens) {
  if (entries_[id].stored) LeaveStore(id);
  tree_.Extend(id, tokens);
}

/// The node gets the sequence's blocks for those that it may have.
void PrefixCache::Take(Id id, const SequenceBlocks& sequence, std::size_t index) {
  if (entries_[id].in_memory) GiveUp(id);
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    block(id, c) = sequence.tables[c][index];
    cache_.blocks(c).Share(block(id, c));
  }
  EnterMemory(id);
}

/// Its blocks are there.
void PrefixCache::EnterMemory(Id id) {
  cache_.blocks(0).Keep(block(id, 0), tree_.node(id).count);
  owners_[static_cast<std::size_t>(block(id, 0))] = id;
  if (std::exchange(entries_[id].in_memory, true)) return;
  ++in_memory_;
  const Id parent = tree_.node(id).parent;
  ++entries_[parent].children_in_memory;
  Unqueue(parent);
}

void PrefixCache::LeaveMemory(Id id) {
  Unqueue(id);
  GiveUp(id);
  entries_[id].in_memory = false;
  --in_memory_;
  const Id parent = tree_.node(id).parent;
  --entries_[parent].children_in_memory;
  if (IsLeaf(parent) && IsIdle(parent)) Queue(parent);
}

void PrefixCache::GiveUp(Id id) {
  owners_[static_cast<std::size_t>(block(id, 0))] = PrefixTree::kNone;
  cache_.blocks(0).Unkeep(block(id, 0));
  for (std::size_t c = 0; c < cache_.classes(); ++c) cache_.blocks(c).Return(block(id, c));
}

/// The sequence gets the node's blocks for its own, which have the same contents.
void PrefixCache::Adopt(Id id, SequenceBlocks& sequence, std::size_t index) {
  if (sequence.tables[0][index] == block(id, 0)) return;
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    cache_.blocks(c).Share(block(id, c));
    cache_.blocks(c).Return(sequence.tables[c][index]);
    sequence.tables[c][index] = block(id, c);
  }
}

void PrefixCache::Touch(Id id) {
  const bool queued = entries_[id].queued;
  const bool store_queued = entries_[id].store_queued;
  Unqueue(id);
  UnqueueStored(id);
  entries_[id].rank = {clock_ + CostOf(tree_.node(id).depth), tick_};
  if (queued) Queue(id);
  if (store_queued) QueueStored(id);
}

void PrefixCache::Queue(Id id) {
  if (entries_[id].queued) return;
  leaves_.insert({entries_[id].rank, id});
  entries_[id].queued = true;
}

void PrefixCache::Unqueue(Id id) {
  if (!entries_[id].queued) return;
  leaves_.erase({entries_[id].rank, id});
  entries_[id].queued = false;
}

void PrefixCache::QueueWhatBecameIdle() {
  cache_.blocks(0).DrainIdle(became_idle_);
  for (const std::int32_t idle : became_idle_) {
    const Id id = owners_[static_cast<std::size_t>(idle)];
    if (id != PrefixTree::kNone && IsLeaf(id) && IsIdle(id)) Queue(id);
  }
}

/// Takes a node away, and all below it.
void PrefixCache::ForgetFrom(Id id) {
  std::vector<Id> nodes = tree_.Below(id);
  if (tree_.IsBlock(id)) nodes.insert(nodes.begin(), id);
  for (auto it = nodes.rbegin(); it != nodes.rend(); ++it) {
    if (entries_[*it].stored) LeaveStore(*it);
    if (entries_[*it].in_memory) LeaveMemory(*it);
    tree_.Remove(*it);
  }
}

std::size_t PrefixCache::Evict(std::size_t blocks) {
  QueueWhatBecameIdle();
  std::size_t given = 0;
  while (cache_.available() < blocks) {
    if (EvictOne()) {
      ++given;
    } else if (!ForgetWhatStandsInTheWay()) {
      break;
    }
  }
  return given;
}

bool PrefixCache::EvictOne() {
  while (!leaves_.empty()) {
    const Leaf leaf = *leaves_.begin();
    Unqueue(leaf.id);
    if (!IsIdle(leaf.id)) continue;  // it is queued again when it becomes idle
    clock_ = std::max(clock_, leaf.rank.value);
    Spill(leaf.id);
    DropFromMemory(leaf.id);
    return true;
  }
  return false;
}

/// A leaf that is not in the store goes, with all that the store has below it.
void PrefixCache::DropFromMemory(Id leaf) {
  ++counts_.evictions;
  if (entries_[leaf].stored) {
    LeaveMemory(leaf);
  } else {
    ForgetFrom(leaf);
  }
}

/// A sequence may use a block of the tree and yet have copies of its own of those before it, if the
/// tree had them from another sequence. Forgets the cheapest such branch; false if there is none.
bool PrefixCache::ForgetWhatStandsInTheWay() {
  if (evictable() == 0) return false;
  Leaf least = {{}, PrefixTree::kNone};
  for (Id id = 0; id < tree_.slots(); ++id) {
    if (!IsLeaf(id) || (least.id != PrefixTree::kNone && least.rank < entries_[id].rank)) continue;
    Id up = id;
    while (tree_.IsBlock(up) && !IsIdle(up)) up = tree_.node(up).parent;
    if (tree_.IsBlock(up)) least = {entries_[id].rank, id};
  }
  for (Id id = least.id; id != PrefixTree::kNone && IsLeaf(id) && !IsIdle(id);) {
    const Id parent = tree_.node(id).parent;
    DropFromMemory(id);
    id = parent;
  }
  return least.id != PrefixTree::kNone;
}

bool PrefixCache::Yield(const SequenceBlocks& sequence) {
  if (sequence.length % kBlockTokens == 0) return false;
  const std::int32_t open = sequence.tables[0][sequence.length / kBlockTokens];
  if (!cache_.blocks(0).IsKept(open)) return false;
  const Id id = owners_[static_cast<std::size_t>(open)];
  if (IsLeaf(id)) {
    DropFromMemory(id);
  } else {
    ForgetFrom(id);
  }
  return true;
}

void PrefixCache::Drop(std::string_view name_space) {
  const Id root = tree_.Root(name_space);
  if (root != PrefixTree::kNone) ForgetFrom(root);
}

void PrefixCache::Clear() {
  for (Id id = 0; id < tree_.slots(); ++id) {
    if (tree_.IsBlock(id)) ForgetFrom(id);
  }
}

PrefixStats PrefixCache::stats() const {
  PrefixStats stats = counts_;
  stats.nodes = in_memory_;
  stats.bytes = stats.nodes * cache_.block_bytes();
  stats.idle_bytes = evictable() * cache_.block_bytes();
  stats.stored_nodes = stored_;
  stats.stored_bytes = store_ == nullptr ? 0 : store_->bytes();
  return stats;
}

}  // namespace ergo::runtime
