#include "serve/service/response_store.h"

#include <utility>

namespace ergo::serve {

void ResponseStore::Erase(Entries::iterator entry) {
  const auto bytes = bytes_.find(entry->owner);
  bytes->second -= entry->text.size();
  if (bytes->second == 0) bytes_.erase(bytes);
  total_ -= entry->text.size();
  by_id_.erase(entry->id);
  entries_.erase(entry);
}

void ResponseStore::Keep(const std::string& owner, const std::string& id,
                         const StoredResponse& response) {
  const OrderedJson json = {{"response", response.response},
                            {"input", response.input},
                            {"conversation", response.conversation}};
  std::string text = json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  const std::lock_guard lock(mutex_);
  if (text.size() > of_owner_ || text.size() > in_all_) return;
  bytes_[owner] += text.size();
  total_ += text.size();
  entries_.push_back({owner, id, std::move(text)});
  by_id_[id] = std::prev(entries_.end());
  for (auto entry = entries_.begin(); bytes_[owner] > of_owner_;) {
    const auto next = std::next(entry);
    if (entry->owner == owner) Erase(entry);
    entry = next;
  }
  while (total_ > in_all_) Erase(entries_.begin());
}

std::optional<StoredResponse> ResponseStore::Find(const std::string& owner,
                                                  std::string_view id) const {
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_id_.find(id);
    if (found == by_id_.end() || found->second->owner != owner) return std::nullopt;
    text = found->second->text;
  }
  auto json = OrderedJson::parse(text);
  return StoredResponse{std::move(json["response"]), std::move(json["input"]),
                        std::move(json["conversation"])};
}

bool ResponseStore::Remove(const std::string& owner, std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || found->second->owner != owner) return false;
  Erase(found->second);
  return true;
}

}  // namespace ergo::serve
