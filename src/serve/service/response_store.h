// Responses that clients come back to by their id.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace ergo::serve {

struct StoredResponse {
  OrderedJson response = nullptr;      ///< as it was sent
  OrderedJson input = nullptr;         ///< items of its request
  OrderedJson conversation = nullptr;  ///< messages up to it, its own included
};

/// Keeps the newest responses in memory, so many bytes of each owner: one owner's never push out
/// another's. Any thread.
class ResponseStore {
 public:
  /// `of_owner`: bytes for one owner. `in_all`: bytes; beyond it the oldest of whomever go.
  explicit ResponseStore(std::size_t of_owner = std::size_t{16} << 20,
                         std::size_t in_all = std::size_t{256} << 20)
      : of_owner_(of_owner), in_all_(in_all) {}

  void Keep(const std::string& owner, const std::string& id, const StoredResponse& response);
  std::optional<StoredResponse> Find(const std::string& owner, std::string_view id) const;
  bool Remove(const std::string& owner, std::string_view id);

 private:
  struct Entry {
    std::string owner;
    std::string id;
    std::string text;  ///< of the response as JSON: smaller than the parsed one
  };
  using Entries = std::list<Entry>;  ///< oldest first
  void Erase(Entries::iterator entry);

  const std::size_t of_owner_;
  const std::size_t in_all_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::map<std::string, Entries::iterator, std::less<>> by_id_;
  std::map<std::string, std::size_t, std::less<>> bytes_;  ///< by owner
  std::size_t total_ = 0;
};

}  // namespace ergo::serve
