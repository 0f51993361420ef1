#include "serve/service/sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "reasoning/trace/recorder.h"

namespace ergo::serve {
namespace {

using Clock = std::chrono::steady_clock;

std::int64_t SecondsNow() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

/// The number in "b12".
std::optional<std::uint64_t> NumberOf(std::string_view id) {
  if (!id.starts_with('b')) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = id.data() + id.size();
  const auto [read, error] = std::from_chars(id.data() + 1, end, number);
  if (error != std::errc() || read != end || id != fmt::format("b{}", number)) return std::nullopt;
  return number;
}

}  // namespace

Session::Session(std::string id, std::string owner, std::shared_ptr<ServedModel> model,
                 std::size_t most_branches)
    : id_(std::move(id)),
      owner_(std::move(owner)),
      model_(std::move(model)),
      most_branches_(most_branches),
      created_(SecondsNow()),
      used_(Clock::now()) {}

Served<Place> Session::Find(const std::string& id, const std::string& param) const {
  const auto number = NumberOf(id);
  const std::lock_guard lock(mutex_);
  const auto found = number ? places_.find(*number) : places_.end();
  if (found != places_.end()) return found->second;
  return Refuse(FailureKind::kNotFound,
                fmt::format("{}: this session has no branch \"{}\"", param, id.substr(0, 40)),
                "branch_not_found", param);
}

Served<void> Session::CheckRoomLocked(std::size_t more) const {
  if (places_.size() + more <= most_branches_) return {};
  return Refuse(FailureKind::kInvalid,
                fmt::format("a session has {} branches at most, and this one has {}; drop some",
                            most_branches_, places_.size()),
                "too_many_branches");
}

Served<void> Session::CheckRoom(std::size_t more) const {
  const std::lock_guard lock(mutex_);
  return CheckRoomLocked(more);
}

Served<std::vector<Place>> Session::Add(std::vector<Place> places) {
  const std::lock_guard lock(mutex_);
  if (auto room = CheckRoomLocked(places.size()); !room) return tl::unexpected(room.error());
  for (Place& place : places) {
    place.id = fmt::format("b{}", next_);
    places_.emplace(next_++, place);
  }
  return places;
}

bool Session::Remove(const std::string& id) {
  const auto number = NumberOf(id);
  const std::lock_guard lock(mutex_);
  return number && places_.erase(*number) > 0;
}

std::vector<Place> Session::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<Place> places;
  places.reserve(places_.size());
  for (const auto& [number, place] : places_) places.push_back(place);
  return places;
}

Sessions::Sessions(const SessionLimits& limits)
    : limits_(limits), workers_(limits.threads, limits.most_waiting) {
  janitor_ = std::thread([this] { DropIdle(); });
}

Sessions::~Sessions() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  news_.notify_all();
  janitor_.join();
}

Served<std::shared_ptr<Session>> Sessions::Create(const std::string& owner,
                                                  std::shared_ptr<ServedModel> model) {
  const std::lock_guard lock(mutex_);
  const auto own = std::count_if(sessions_.begin(), sessions_.end(),
                                 [&](const auto& entry) { return entry.second->owner() == owner; });
  if (static_cast<std::size_t>(own) >= limits_.of_owner) {
    Failure failure = {FailureKind::kTooMany,
                       fmt::format("there are {} sessions of this key already; drop one", own),
                       "too_many_sessions",
                       {},
                       {}};
    failure.retry_after = 1;
    return tl::unexpected(std::move(failure));
  }
  if (sessions_.size() >= limits_.in_all) {
    return Refuse(FailureKind::kUnavailable, "there are too many sessions; try again later",
                  "too_many_sessions");
  }
  auto session = std::make_shared<Session>("ses_" + reasoning::NewTraceId(), owner,
                                           std::move(model), limits_.branches);
  sessions_.emplace(session->id(), session);
  news_.notify_all();
  return session;
}

Served<std::shared_ptr<Session>> Sessions::Find(const std::string& owner, std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second->owner() != owner) {
    return Refuse(FailureKind::kNotFound, "there is no such session (any more)",
                  "session_not_found", "id");
  }
  found->second->used_ = Clock::now();
  return found->second;
}

Served<void> Sessions::Drop(const std::string& owner, std::string_view id) {
  auto session = Find(owner, id);
  if (!session) return tl::unexpected(session.error());
  (*session)->dropped_ = true;
  const std::lock_guard lock(mutex_);
  sessions_.erase((*session)->id());
  return {};
}

std::vector<std::shared_ptr<Session>> Sessions::List(const std::string& owner) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Session>> own;
  for (const auto& [id, session] : sessions_) {
    if (session->owner() == owner) own.push_back(session);
  }
  return own;
}

void Sessions::DropIdle() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    const auto now = Clock::now();
    auto next = Clock::time_point::max();
    // Given back without the lock: that waits for the engine.
    std::vector<std::shared_ptr<Session>> idle;
    for (auto it = sessions_.begin(); it != sessions_.end();) {
      Session& session = *it->second;
      // Whoever works for it holds it.
      if (it->second.use_count() > 1) session.used_ = now;
      const auto end = session.used_ + limits_.idle;
      if (end <= now) {
        session.dropped_ = true;
        idle.push_back(std::move(it->second));
        it = sessions_.erase(it);
        continue;
      }
      next = std::min(next, end);
      ++it;
    }
    if (!idle.empty()) {
      lock.unlock();
      idle.clear();
      lock.lock();
      continue;
    }
    if (next == Clock::time_point::max()) {
      news_.wait(lock);
    } else {
      news_.wait_until(lock, next);
    }
  }
}

}  // namespace ergo::serve
