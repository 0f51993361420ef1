// PrefixCache with a store: what is given up goes to disk and comes back.
#include <algorithm>

#include "runtime/kv/prefix_cache.h"

namespace ergo::runtime {
namespace {

/// After a failure to write, so many blocks are given up before the next attempt.
constexpr std::size_t kPause = 256;
/// Files that are made safe together: more of them cost no more waiting for the disk.
constexpr std::size_t kBatchFiles = 256;
/// A stored block whose predecessors are missing may be another process's that is still running.
constexpr std::int64_t kOrphanAge = 24 * 3600 * std::int64_t{1000000000};

}  // namespace

void PrefixCache::Attach(std::unique_ptr<PrefixStore> store) {
  store_ = std::move(store);
  std::vector<std::pair<std::int64_t, Id>> added;
  const std::vector<PrefixStore::Stored> list = store_->List();
  std::int64_t newest = 0;
  for (const PrefixStore::Stored& stored : list) newest = std::max(newest, stored.used);
  for (const PrefixStore::Stored& stored : list) {
    Id id = PrefixTree::kNone;
    const PrefixName name = {stored.name_space, stored.tokens};
    if (AddStored(stored, id)) {
      added.emplace_back(stored.used, id);
    } else if (newest - stored.used > kOrphanAge) {
      store_->Remove(name);
    } else {
      store_->Disown(name);
    }
  }
  std::sort(added.begin(), added.end());
  for (const auto& [used, id] : added) {
    if (!entries_[id].stored) continue;  // a longer one took its place
    ++tick_;
    Touch(id);
  }
  attached_ = tick_;
  MakeRoomInStore(0, {});
}

/// Gives the node of a stored prefix; false if it has no place in the tree.
bool PrefixCache::AddStored(const PrefixStore::Stored& stored, Id& id) {
  if ((stored.classes >> cache_.anchor() & 1) == 0) return false;
  std::span<const std::int32_t> rest = stored.tokens;
  Id parent = tree_.Root(stored.name_space);
  while (rest.size() > kernels::kBlockTokens) {
    if (parent == PrefixTree::kNone) return false;
    const auto match = tree_.Closest(parent, rest);
    if (match.tokens != kernels::kBlockTokens) return false;
    parent = match.node;
    rest = rest.subspan(kernels::kBlockTokens);
  }
  if (parent == PrefixTree::kNone) parent = tree_.AddRoot(stored.name_space);
  const auto match = tree_.Closest(parent, rest);
  if (match.tokens == rest.size()) {
    if (tree_.node(match.node).count != rest.size()) return false;  // there is a longer one
    id = match.node;
  } else if (match.tokens != 0 && match.tokens == tree_.node(match.node).count) {
    if (entries_[match.node].in_memory) return false;
    id = match.node;
    Extend(id, rest);
  } else {
    id = Add(parent, rest);
  }
  if (!entries_[id].stored) EnterStore(id);
  entries_[id].stored_classes = stored.classes;
  return true;
}

void PrefixCache::EnterStore(Id id) {
  entries_[id].stored = true;
  ++stored_;
  const Id parent = tree_.node(id).parent;
  ++entries_[parent].children_stored;
  UnqueueStored(parent);
  if (entries_[id].children_stored == 0) QueueStored(id);
}

/// Removes the file.
void PrefixCache::LeaveStore(Id id) {
  const std::vector<std::int32_t> text = tree_.Text(id);
  store_->Remove({tree_.NameSpace(id), text});
  UnqueueStored(id);
  entries_[id].stored = false;
  entries_[id].stored_classes = 0;
  --stored_;
  const Id parent = tree_.node(id).parent;
  if (--entries_[parent].children_stored == 0 && entries_[parent].stored) QueueStored(parent);
}

void PrefixCache::QueueStored(Id id) {
  if (entries_[id].store_queued) return;
  stored_leaves_.insert({entries_[id].rank, id});
  entries_[id].store_queued = true;
}

void PrefixCache::UnqueueStored(Id id) {
  if (!entries_[id].store_queued) return;
  stored_leaves_.erase({entries_[id].rank, id});
  entries_[id].store_queued = false;
}

/// Removes files that are worth less than `below` (all, if that has no tick) until there is room
/// for `bytes` more; false if there can't be.
bool PrefixCache::MakeRoomInStore(std::size_t bytes, const Rank& below) {
  if (bytes > store_->budget()) return false;
  while (store_->bytes() > store_->budget() - bytes) {
    auto leaf = stored_leaves_.begin();
    while (leaf != stored_leaves_.end() && entries_[leaf->id].pinned) ++leaf;
    if (leaf == stored_leaves_.end() || (below.tick != 0 && below < leaf->rank)) return false;
    const Id id = leaf->id;
    clock_ = std::max(clock_, leaf->rank.value);
    if (entries_[id].in_memory) {
      LeaveStore(id);
    } else {
      ForgetFrom(id);
    }
  }
  return true;
}

std::vector<std::span<std::byte>> PrefixCache::Bytes(Id id) {
  std::vector<std::span<std::byte>> parts;
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    parts.push_back(Has(id, c) ? BytesOf(block(id, c), c) : std::span<std::byte>());
  }
  return parts;
}

std::span<std::byte> PrefixCache::BytesOf(std::int32_t of, std::size_t kv_class) {
  const std::size_t bytes = cache_.blocks(kv_class).block_bytes();
  return {cache_.arena(kv_class) + static_cast<std::size_t>(of) * bytes, bytes};
}

/// Whether the store has all that memory has of it.
bool PrefixCache::IsStoredAsItIs(Id id) const {
  return entries_[id].stored && (Classes(id) & ~entries_[id].stored_classes) == 0;
}

/// Makes room in the store for a node as it is in memory.
bool PrefixCache::MakeRoomFor(Id id, const Rank& below) {
  const std::vector<std::int32_t> text = tree_.Text(id);
  const bool pinned = std::exchange(entries_[id].pinned, true);
  const bool room =
      MakeRoomInStore(store_->FileBytes({tree_.NameSpace(id), text}, Classes(id)), below);
  entries_[id].pinned = pinned;
  return room;
}

/// Writes a block that will leave memory, if there is a store with room for it.
void PrefixCache::Spill(Id id) {
  if (store_ == nullptr || IsStoredAsItIs(id)) return;
  if (spill_pause_ != 0) {
    --spill_pause_;
    return;
  }
  if (!MakeRoomFor(id, entries_[id].rank)) return;
  const std::vector<std::int32_t> text = tree_.Text(id);
  const PrefixName name = {tree_.NameSpace(id), text};
  const auto parts = Bytes(id);
  const std::vector<std::span<const std::byte>> bytes(parts.begin(), parts.end());
  if (auto written = store_->Write(name, bytes); !written) {
    store_->Warn(written.error());
    spill_pause_ = kPause;
    return;
  }
  ++counts_.spills;
  if (!entries_[id].stored) EnterStore(id);
  entries_[id].stored_classes = Classes(id);
}

/// Reads what a sequence of `length` tokens of a path lacks, as long as there is room. If it can't
/// be that long, false, and how long it can be at most.
bool PrefixCache::LoadFor(const Path& path, std::size_t* length, SequenceBlocks& found) {
  QueueWhatBecameIdle();
  for (std::size_t i = 0; i < found.tables.front().size(); ++i) {
    const Id id = path.nodes[i];
    const auto lacks = [&](std::size_t c) {
      return i >= found.gone[c] && found.tables[c][i] == kNoBlock;
    };
    bool whole = true;
    std::size_t bytes = 0;
    for (std::size_t c = 0; c < cache_.classes(); ++c) {
      whole = whole && !lacks(c);
      if ((entries_[id].stored_classes >> c & 1) != 0) bytes += cache_.blocks(c).block_bytes();
    }
    if (whole) continue;
    while (cache_.available() < bytes && (DropWindowsOfNoEnd() || EvictOne())) continue;
    if (cache_.available() < bytes || !Load(id)) {
      *length = i * kernels::kBlockTokens;
      FindLost(id);
      return false;
    }
    for (std::size_t c = 0; c < cache_.classes(); ++c) {
      if (!lacks(c)) continue;
      found.tables[c][i] = block(id, c);
      cache_.blocks(c).Share(block(id, c));
    }
  }
  return true;
}

/// A node that could not be read may be there no more.
void PrefixCache::FindLost(Id id) {
  const std::vector<std::int32_t> text = tree_.Text(id);
  if (store_->Has({tree_.NameSpace(id), text})) return;
  if (entries_[id].in_memory) {
    entries_[id].stored_classes = 0;
  } else {
    ForgetFrom(id);
  }
}

/// All that the store has of a node that memory has not.
bool PrefixCache::Load(Id id) {
  std::vector<std::int32_t> taken(cache_.classes(), kNoBlock);
  std::vector<std::span<std::byte>> parts(cache_.classes());
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    if ((entries_[id].stored_classes >> c & 1) == 0) continue;
    taken[c] = cache_.Take(c);
    parts[c] = BytesOf(taken[c], c);
  }
  const std::vector<std::int32_t> text = tree_.Text(id);
  const bool read = store_->Read({tree_.NameSpace(id), text}, parts).has_value();
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    if (taken[c] == kNoBlock) continue;
    if (read && !Has(id, c)) {
      Hold(id, c, taken[c]);
    } else {
      cache_.blocks(c).Return(taken[c]);
    }
  }
  if (!read) return false;
  EnterMemory(id);
  ++counts_.loads;
  return true;
}

Status PrefixCache::Save() {
  if (store_ == nullptr) return {};
  std::vector<Leaf> leaves;
  for (Id id = 0; id < tree_.slots(); ++id) {
    if (IsLeaf(id)) leaves.push_back({entries_[id].rank, id});
  }
  std::sort(leaves.begin(), leaves.end(), std::greater<>());
  std::vector<Id> batch;
  for (const Leaf& leaf : leaves) {
    std::vector<Id> path;
    for (Id id = leaf.id; tree_.IsBlock(id); id = tree_.node(id).parent) path.push_back(id);
    std::reverse(path.begin(), path.end());
    for (const Id id : path) entries_[id].pinned = true;
    auto saved = SavePath(path, batch);
    for (const Id id : path) entries_[id].pinned = false;
    if (!saved) {
      (void)CommitBatch(batch);  // what is prepared may still fit
      return Fail(std::move(saved));
    }
    if (!*saved) break;
  }
  return CommitBatch(batch);
}

/// Stores what is not yet of a path, from the root down; false when there is no more room.
Result<bool> PrefixCache::SavePath(std::span<const Id> path, std::vector<Id>& batch) {
  for (const Id id : path) {
    const std::vector<std::int32_t> text = tree_.Text(id);
    const PrefixName name = {tree_.NameSpace(id), text};
    if (IsStoredAsItIs(id)) {
      if (entries_[id].rank.tick > attached_) store_->Touch(name);
      continue;
    }
    if (!MakeRoomFor(id, entries_[path.back()].rank)) return false;
    const auto parts = Bytes(id);
    const std::vector<std::span<const std::byte>> bytes(parts.begin(), parts.end());
    if (auto prepared = store_->Prepare(name, bytes); !prepared) {
      return Fail(std::move(prepared));
    }
    if (!entries_[id].stored) EnterStore(id);
    entries_[id].stored_classes = Classes(id);
    batch.push_back(id);
    if (batch.size() < kBatchFiles) continue;
    if (auto committed = CommitBatch(batch); !committed) return Fail(std::move(committed));
  }
  return true;
}

Status PrefixCache::CommitBatch(std::vector<Id>& batch) {
  auto committed = store_->Commit();
  if (!committed) {
    for (auto id = batch.rbegin(); id != batch.rend(); ++id) {
      if (entries_[*id].stored) LeaveStore(*id);
    }
  }
  batch.clear();
  return committed;
}

}  // namespace ergo::runtime
