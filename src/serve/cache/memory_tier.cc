#include "serve/cache/memory_tier.h"

#include <utility>

namespace ergo::serve {

std::shared_ptr<const std::string> MemoryTier::Find(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->answer;
}

void MemoryTier::Put(std::string_view key, std::shared_ptr<const std::string> answer) {
  Entry entry{std::string(key), std::move(answer)};
  const std::size_t size = entry.bytes();
  if (size > most_bytes_ / 8) return;
  const std::lock_guard lock(mutex_);
  if (const auto old = by_key_.find(key); old != by_key_.end()) Remove(old->second);
  while (bytes_ + size > most_bytes_) Remove(std::prev(entries_.end()));
  entries_.push_front(std::move(entry));
  by_key_.emplace(entries_.front().key, entries_.begin());
  bytes_ += size;
}

void MemoryTier::Remove(Entries::iterator entry) {
  bytes_ -= entry->bytes();
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

std::size_t MemoryTier::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::size_t MemoryTier::count() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace ergo::serve
