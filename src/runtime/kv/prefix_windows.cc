// PrefixCache's windows: blocks of window classes that nodes lose before they go themselves.
#include <algorithm>

#include "runtime/kv/prefix_cache.h"

namespace ergo::runtime {

ClassSet PrefixCache::Classes(Id id) const {
  ClassSet classes = 0;
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    if (Has(id, c)) classes |= ClassSet{1} << c;
  }
  return classes;
}

/// Nodes up to an end, itself among them, that a sequence sees which begins there or up to 64
/// tokens before: a text that is found again may lack its last few tokens.
std::size_t PrefixCache::NodesBeforeAnEnd() const {
  std::size_t widest = 0;
  for (std::size_t c = 0; c < cache_.classes(); ++c) widest = std::max(widest, cache_.window(c));
  return widest == 0 ? 0 : widest / kernels::kBlockTokens + 3;
}

/// Whether a sequence that begins where a text ends, or where texts part, sees the node's tokens.
bool PrefixCache::StandsBeforeAnEnd(Id id) const {
  const std::size_t nodes = NodesBeforeAnEnd();
  for (std::size_t i = 0; i < nodes; ++i) {
    const auto& children = tree_.node(id).children;
    if (children.size() != 1) return true;
    id = children.front();
  }
  return false;
}

bool PrefixCache::HasIdleWindows(Id id) const {
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    if (cache_.window(c) != 0 && Has(id, c) && cache_.blocks(c).IsIdle(block(id, c))) return true;
  }
  return false;
}

void PrefixCache::PutInWindowQueue(Id id, WindowQueue queue) {
  Entry& entry = entries_[id];
  if (entry.window_queue == queue) return;
  const Leaf leaf = {entry.rank, id};
  if (entry.window_queue == WindowQueue::kAny) windows_.erase(leaf);
  if (entry.window_queue == WindowQueue::kEnds) ends_.erase(leaf);
  if (queue == WindowQueue::kAny) windows_.insert(leaf);
  if (queue == WindowQueue::kEnds) ends_.insert(leaf);
  entry.window_queue = queue;
}

/// The children of a node have changed: an end before which others stand may have gone.
void PrefixCache::LookAgainAbove(Id id) {
  const std::size_t nodes = NodesBeforeAnEnd();
  for (std::size_t i = 0; i < nodes && tree_.IsBlock(id); ++i) {
    if (entries_[id].window_queue == WindowQueue::kEnds) PutInWindowQueue(id, WindowQueue::kAny);
    id = tree_.node(id).parent;
  }
}

/// Those that nobody uses.
void PrefixCache::DropWindows(Id id) {
  for (std::size_t c = 0; c < cache_.classes(); ++c) {
    if (cache_.window(c) == 0 || !Has(id, c) || !cache_.blocks(c).IsIdle(block(id, c))) continue;
    LetGo(id, c);
    ++counts_.window_evictions;
  }
}

bool PrefixCache::DropWindowsOfNoEnd() {
  while (!windows_.empty()) {
    const Id id = windows_.begin()->id;
    if (!HasIdleWindows(id)) {  // it is queued again when they become idle
      PutInWindowQueue(id, WindowQueue::kNone);
    } else if (StandsBeforeAnEnd(id)) {
      PutInWindowQueue(id, WindowQueue::kEnds);
    } else {
      PutInWindowQueue(id, WindowQueue::kNone);
      DropWindows(id);
      return true;
    }
  }
  return false;
}

/// When nothing else is left: those of texts that are in use.
bool PrefixCache::DropWindowsOfAnEnd() {
  while (!ends_.empty()) {
    const Id id = ends_.begin()->id;
    PutInWindowQueue(id, WindowQueue::kNone);
    if (!HasIdleWindows(id)) continue;
    Spill(id);
    DropWindows(id);
    return true;
  }
  return false;
}

}  // namespace ergo::runtime
