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

PrefixCache::PrefixCache(SequenceCache& cache) : cache_(cache), owners_(cache.classes()) {
  for (std::size_t c = 0; c < owners_.size(); ++c) {
    owners_[c].resize(cache.blocks(c).capacity(), PrefixTree::kNone);
  }
}

PrefixCache::~PrefixCache() {
  for (Id id = 0; id < tree_.slots(); ++id) {
    if (tree_.IsBlock(id) && entries_[id].in_memory) GiveUp(id);
  }
}

/// The nodes that have most in common with a text.
PrefixCache::Path PrefixCache::Walk(std::string_view name_space,
                                    std::span<const std::int32_t> wanted) const {
  Path path;
  Id parent = tree_.Root(name_space);
  while (parent != PrefixTree::kNone && path.tokens < wanted.size()) {
    const auto match = tree_.Closest(parent, wanted.subspan(path.tokens));
    if (match.tokens == 0) break;
    path.nodes.push_back(match.node);
    path.tokens += match.tokens;
    parent = match.tokens == kBlockTokens ? match.node : PrefixTree::kNone;
  }
  return path;
}

/// How far a sequence of at most `length` tokens of a path can have its windows.
std::size_t PrefixCache::Reach(const Path& path, std::size_t length) const {
  return cache_.Reach(length, [&](std::size_t c, std::size_t i) {
    const Id id = path.nodes[i];
    return Has(id, c) || (entries_[id].stored_classes >> c & 1) != 0;
  });
}

SequenceBlocks PrefixCache::Find(std::string_view name_space, std::span<const std::int32_t> tokens,
                                 std::size_t most) {
  ++tick_;
  const Path path = Walk(name_space, tokens.first(std::min(tokens.size(), most)));
  for (std::size_t i = 0; i < path.nodes.size(); ++i) {
    // Texts that have but a few tokens in common with a node shall not keep it alive.
    const std::size_t common = std::min(path.tokens - i * kBlockTokens, kBlockTokens);
    if (2 * common >= tree_.node(path.nodes[i]).count) Touch(path.nodes[i]);
  }
  SequenceBlocks found = cache_.NewSequence();
  Lend(path, found);
  found.known = path.tokens;
  ++counts_.lookups;
  counts_.hit_tokens += found.length;
  counts_.missed_tokens += tokens.size() - found.length;
  return found;
}

/// A new sequence gets as many tokens of a path as there are in memory, or can be read.
void PrefixCache::Lend(const Path& path, SequenceBlocks& found) {
  for (const Id id : path.nodes) entries_[id].pinned = true;
  for (std::size_t length = Reach(path, path.tokens); length != 0; length = Reach(path, length)) {
    const std::size_t count = (length + kBlockTokens - 1) / kBlockTokens;
    for (std::size_t c = 0; c < cache_.classes(); ++c) {
      std::size_t& gone = found.gone[c];
      gone = cache_.FirstSeen(c, length);
      // What the last tokens see, should they be cut off, if it costs nothing.
      const std::size_t wish = cache_.FirstSeen(c, std::max(length, kBlockTokens) - kBlockTokens);
      while (gone > wish && Has(path.nodes[gone - 1], c)) --gone;
      found.tables[c].assign(count, kNoBlock);
    }
    // What is in memory comes first, so that nothing that is read pushes it out.
    bool whole = true;
    for (std::size_t c = 0; c < cache_.classes(); ++c) {
      for (std::size_t i = found.gone[c]; i < count; ++i) {
        std::int32_t& place = found.tables[c][i];
        place = block(path.nodes[i], c);
        if (place == kNoBlock) {
          whole = false;
        } else {
          cache_.blocks(c).Share(place);
        }
      }
    }
    if (whole || LoadFor(path, &length, found)) {
      found.length = length;
      break;
    }
    for (std::size_t c = 0; c < cache_.classes(); ++c) {
      for (const std::int32_t lent : found.tables[c]) {
        if (lent != kNoBlock) cache_.blocks(c).Return(lent);
      }
      found.tables[c].clear();
      found.gone[c] = 0;
    }
  }
  for (const Id id : path.nodes) entries_[id].pinned = false;
}

std::size_t PrefixCache::Match(std::string_view name_space, std::span<const std::int32_t> tokens,
                               std::size_t most) const {
  const Path path = Walk(name_space, tokens.first(std::min(tokens.size(), most)));
  return Reach(path, path.tokens);
}

void PrefixCache::Insert(std::string_view name_space, std::span<const std::int32_t> tokens,
                         SequenceBlocks& sequence) {
  ++tick_;
  tokens = tokens.first(std::min(tokens.size(), sequence.length));
  const BlockArena& arena = cache_.blocks(cache_.anchor());
  Id parent = tree_.Root(name_space);
  for (std::size_t i = 0; i * kBlockTokens < tokens.size(); ++i) {
    const auto text = BlockOf(tokens, i);
    const auto match =
        parent == PrefixTree::kNone ? PrefixTree::Match() : tree_.Closest(parent, text);
    Id id = match.node;
    const std::int32_t own = sequence.tables[cache_.anchor()][i];
    const bool kept = arena.IsKept(own);
    const bool whole = match.tokens != 0 && match.tokens == tree_.node(id).count;
    if (match.tokens == text.size()) {
      if (entries_[id].in_memory) {
        if (text.size() == kBlockTokens) Adopt(id, sequence, i);
        if (whole) TakeWindows(id, sequence, i);
      } else if (whole) {
        if (kept) return;
        Take(id, sequence, i);
      }
    } else if (kept) {
      // It has grown since, or a fork was remembered with the first tokens of the same block.
      if (!whole || anchor(id) != own) return;
      Grow(id, text, sequence, i);
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
  // A text that goes on needs the windows of its last two ends, say a prompt and its answer. Those
  // of the turns before are hardly ever met again.
  std::size_t left = 2 * NodesBeforeAnEnd();
  for (Id id = left == 0 ? PrefixTree::kNone : parent; id != PrefixTree::kNone && tree_.IsBlock(id);
       id = tree_.node(id).parent) {
    if (Classes(id) == ClassSet{1} << cache_.anchor()) continue;
    if (left != 0) {
      --left;
    } else if (HasIdleWindows(id) && !StandsBeforeAnEnd(id)) {
      DropWindows(id);
    }
  }
}

PrefixTree::Id PrefixCache::Add(Id parent, std::span<const std::int32_t> tokens) {
  const Id id = tree_.Add(parent, tokens);
  if (entries_.size() < tree_.slots()) {
    entries_.resize(tree_.slots());
    blocks_.resize(tree_.slots() * cache_.classes(), kNoBlock);
  }
  entries_[id] = {};
  LookAgainAbove(parent);
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
  const std::int32_t own = sequence.tables[cache_.anchor()][index];
  cache_.blocks(cache_.anchor()).Share(own);
  Hold(id, cache_.anchor(), own);
  TakeWindows(id, sequence, index);
  EnterMemory(id);
}

/// The node gets the sequence's blocks of classes of which it has none. The sequence has all of the
/// node's tokens.
void PrefixCache::TakeWindows(Id id, const SequenceBlocks& sequence, std::size_t index) {
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    const std::int32_t own = sequence.tables[c][index];
    if (own == kNoBlock || Has(id, c) || cache_.blocks(c).IsKept(own)) continue;
    cache_.blocks(c).Share(own);
    Hold(id, c, own);
  }
}

/// A node gets more tokens, which the sequence that it has its anchor's block from has written.
void PrefixCache::Grow(Id id, std::span<const std::int32_t> tokens, const SequenceBlocks& sequence,
                       std::size_t index) {
  Extend(id, tokens);
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    if (!Has(id, c)) continue;
    if (block(id, c) == sequence.tables[c][index]) {
      cache_.blocks(c).Keep(block(id, c), tokens.size());
    } else {
      LetGo(id, c);
    }
  }
  TakeWindows(id, sequence, index);
}

void PrefixCache::Hold(Id id, std::size_t kv_class, std::int32_t held) {
  block(id, kv_class) = held;
  BlockArena& arena = cache_.blocks(kv_class);
  arena.Keep(held, tree_.node(id).count);
  owners_[kv_class][static_cast<std::size_t>(held)] = id;
  bytes_ += arena.block_bytes();
}

void PrefixCache::LetGo(Id id, std::size_t kv_class) {
  const std::int32_t held = std::exchange(block(id, kv_class), kNoBlock);
  BlockArena& arena = cache_.blocks(kv_class);
  owners_[kv_class][static_cast<std::size_t>(held)] = PrefixTree::kNone;
  arena.Unkeep(held);
  arena.Return(held);
  bytes_ -= arena.block_bytes();
}

/// Its anchor's block is there.
void PrefixCache::EnterMemory(Id id) {
  if (std::exchange(entries_[id].in_memory, true)) return;
  ++in_memory_;
  const Id parent = tree_.node(id).parent;
  ++entries_[parent].children_in_memory;
  Unqueue(parent);
}

void PrefixCache::LeaveMemory(Id id) {
  Unqueue(id);
  PutInWindowQueue(id, WindowQueue::kNone);
  GiveUp(id);
  entries_[id].in_memory = false;
  --in_memory_;
  const Id parent = tree_.node(id).parent;
  --entries_[parent].children_in_memory;
  if (IsLeaf(parent) && IsIdle(parent)) Queue(parent);
}

void PrefixCache::GiveUp(Id id) {
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    if (Has(id, c)) LetGo(id, c);
  }
}

/// The sequence gets the node's blocks for its own, which have the same contents.
void PrefixCache::Adopt(Id id, SequenceBlocks& sequence, std::size_t index) {
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    std::int32_t& own = sequence.tables[c][index];
    if (own == kNoBlock || !Has(id, c) || own == block(id, c)) continue;
    cache_.blocks(c).Share(block(id, c));
    cache_.blocks(c).Return(own);
    own = block(id, c);
  }
}

void PrefixCache::Touch(Id id) {
  const bool queued = entries_[id].queued;
  const bool store_queued = entries_[id].store_queued;
  const WindowQueue window_queue = entries_[id].window_queue;
  Unqueue(id);
  UnqueueStored(id);
  PutInWindowQueue(id, WindowQueue::kNone);
  entries_[id].rank = {clock_ + CostOf(tree_.node(id).depth), tick_};
  if (queued) Queue(id);
  if (store_queued) QueueStored(id);
  PutInWindowQueue(id, window_queue);
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
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    cache_.blocks(c).DrainIdle(became_idle_);
    for (const std::int32_t idle : became_idle_) {
      const Id id = owners_[c][static_cast<std::size_t>(idle)];
      if (id == PrefixTree::kNone) continue;
      if (cache_.window(c) != 0) {
        PutInWindowQueue(id, WindowQueue::kAny);
      } else if (IsLeaf(id) && IsIdle(id)) {
        Queue(id);
      }
    }
  }
}

/// Takes a node away, and all below it.
void PrefixCache::ForgetFrom(Id id) {
  std::vector<Id> nodes = tree_.Below(id);
  if (tree_.IsBlock(id)) nodes.insert(nodes.begin(), id);
  for (auto it = nodes.rbegin(); it != nodes.rend(); ++it) {
    if (entries_[*it].stored) LeaveStore(*it);
    if (entries_[*it].in_memory) LeaveMemory(*it);
    const Id parent = tree_.node(*it).parent;
    tree_.Remove(*it);
    LookAgainAbove(parent);
  }
}

std::size_t PrefixCache::Evict(std::size_t bytes) {
  QueueWhatBecameIdle();
  const std::size_t before = cache_.available();
  while (cache_.available() < bytes) {
    if (!DropWindowsOfNoEnd() && !EvictOne() && !ForgetWhatStandsInTheWay() &&
        !DropWindowsOfAnEnd()) {
      break;
    }
  }
  return cache_.available() - before;
}

std::size_t PrefixCache::evictable() const {
  std::size_t bytes = 0;
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    bytes += cache_.blocks(c).idle() * cache_.blocks(c).block_bytes();
  }
  return bytes;
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
  if (cache_.blocks(cache_.anchor()).idle() == 0) return false;
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
  bool any = false;
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    const std::int32_t open = sequence.tables[c][sequence.length / kBlockTokens];
    if (!cache_.blocks(c).IsKept(open)) continue;
    const Id id = owners_[c][static_cast<std::size_t>(open)];
    if (IsLeaf(id)) {
      DropFromMemory(id);
    } else {
      ForgetFrom(id);
    }
    any = true;
  }
  return any;
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
  stats.bytes = bytes_;
  stats.idle_bytes = evictable();
  stats.stored_nodes = stored_;
  stats.stored_bytes = store_ == nullptr ? 0 : store_->bytes();
  return stats;
}

}  // namespace ergo::runtime
