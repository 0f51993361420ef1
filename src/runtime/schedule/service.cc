#include "runtime/schedule/service.h"

#include <algorithm>
#include <limits>

namespace ergo::runtime {

void ServiceOrder::Enter(std::string_view name_space) {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (const auto& [name, account] : accounts_) least = std::min(least, account.served);
  const std::uint64_t start = accounts_.empty() ? 0 : least;
  const auto [at, added] = accounts_.try_emplace(std::string(name_space));
  if (added) at->second.served = start;
  ++at->second.alive;
}

void ServiceOrder::Leave(std::string_view name_space) {
  const auto found = accounts_.find(std::string(name_space));
  if (found != accounts_.end() && --found->second.alive == 0) accounts_.erase(found);
}

void ServiceOrder::Serve(std::string_view name_space, std::uint64_t tokens) {
  const auto found = accounts_.find(std::string(name_space));
  if (found != accounts_.end()) found->second.served += tokens;
}

std::uint64_t ServiceOrder::Served(std::string_view name_space) const {
  const auto found = accounts_.find(std::string(name_space));
  return found == accounts_.end() ? 0 : found->second.served;
}

bool ServiceOrder::Before(const Ticket& a, const Ticket& b) const {
  if (a.priority != b.priority) return a.priority > b.priority;
  if (a.name_space != b.name_space) {
    const std::uint64_t served_a = Served(a.name_space);
    const std::uint64_t served_b = Served(b.name_space);
    if (served_a != served_b) return served_a < served_b;
  }
  return a.arrival < b.arrival;
}

}  // namespace ergo::runtime
