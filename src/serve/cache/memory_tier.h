// Answers in memory: the ones that were used last, up to a number of bytes.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace ergo::serve {

/// Any thread.
class MemoryTier {
 public:
  explicit MemoryTier(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  /// nullptr if there is none.
  std::shared_ptr<const std::string> Find(std::string_view key);
  /// What is larger than an eighth of all is not kept.
  void Put(std::string_view key, std::shared_ptr<const std::string> answer);
  std::size_t bytes() const;
  std::size_t count() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const std::string> answer;
    std::size_t bytes() const { return key.size() + answer->size() + kOverhead; }
  };
  static constexpr std::size_t kOverhead = 200;  ///< of nodes and counts, about
  using Entries = std::list<Entry>;              ///< used last first
  void Remove(Entries::iterator entry);

  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_key_;  ///< keys are the entries' own
  std::size_t bytes_ = 0;
};

}  // namespace ergo::serve
