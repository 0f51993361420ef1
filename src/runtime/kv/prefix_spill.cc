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
    const std::size_t bytes = cache_.blocks(c).block_bytes();
    parts.emplace_back(cache_.arena(c) + static_cast<std::size_t>(block(id, c)) * bytes, bytes);
  }
  return parts;
}

/// Writes a block that will leave memory, if there is a store with room for it.
void PrefixCache::Spill(Id id) {
  if (store_ == nullptr || entries_[id].stored) return;
  if (spill_pause_ != 0) {
    --spill_pause_;
    return;
  }
  const std::vector<std::int32_t> text = tree_.Text(id);
  const PrefixName name = {tree_.NameSpace(id), text};
  if (!MakeRoomInStore(store_->FileBytes(name), entries_[id].rank)) return;
  const auto parts = Bytes(id);
  const std::vector<std::span<const std::byte>> bytes(parts.begin(), parts.end());
  if (auto written = store_->Write(name, bytes); !written) {
    store_->Warn(written.error());
    spill_pause_ = kPause;
    return;
  }
  ++counts_.spills;
  EnterStore(id);
}

/// Goes on from what is in memory with what must be read, as long as there is room.
void PrefixCache::LoadPath(std::span<const Id> path, std::span<const std::size_t> tokens,
                           SequenceBlocks& found) {
  QueueWhatBecameIdle();
  for (const Id id : path) entries_[id].pinned = true;
  std::size_t loaded = 0;
  for (; loaded < path.size(); ++loaded) {
    while (cache_.available() == 0 && EvictOne()) continue;
    if (cache_.available() == 0 || !Load(path[loaded])) break;
    Lend(path[loaded], tokens[loaded], found);
  }
  for (const Id id : path) entries_[id].pinned = false;
  if (loaded == path.size()) return;
  const Id lost = path[loaded];
  const std::vector<std::int32_t> text = tree_.Text(lost);
  if (!store_->Has({tree_.NameSpace(lost), text})) ForgetFrom(lost);
}

bool PrefixCache::Load(Id id) {
  for (std::size_t c = 0; c < cache_.classes(); ++c) block(id, c) = cache_.blocks(c).Take();
  const std::vector<std::int32_t> text = tree_.Text(id);
  if (!store_->Read({tree_.NameSpace(id), text}, Bytes(id))) {
    for (std::size_t c = 0; c < cache_.classes(); ++c) cache_.blocks(c).Return(block(id, c));
    return false;
  }
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
    if (entries_[id].stored) {
      if (entries_[id].rank.tick > attached_) store_->Touch(name);
      continue;
    }
    if (!MakeRoomInStore(store_->FileBytes(name), entries_[path.back()].rank)) return false;
    const auto parts = Bytes(id);
    const std::vector<std::span<const std::byte>> bytes(parts.begin(), parts.end());
    if (auto prepared = store_->Prepare(name, bytes); !prepared) {
      return Fail(std::move(prepared));
    }
    EnterStore(id);
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
