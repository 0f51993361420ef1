// Texts that clients go on with from many places: trees of branches whose keys and values stay
// between requests.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "generate/branch.h"
#include "serve/service/failure.h"
#include "serve/service/models.h"
#include "serve/service/worker_pool.h"

namespace ergo::serve {

struct SessionLimits {
  std::size_t of_owner = 64;    ///< sessions of one owner
  std::size_t in_all = 1024;    ///< sessions
  std::size_t branches = 4096;  ///< of one session
  /// A session that nobody has asked for so long is dropped.
  std::chrono::milliseconds idle{600'000};
  std::size_t threads = 4;         ///< that wait for the engine on behalf of sessions
  std::size_t most_waiting = 256;  ///< requests that wait for such a thread
};

/// A place in a session's text. Never changes: going on makes further ones.
struct Place {
  std::string id = {};      ///< "b0" is the session's prompt
  std::string parent = {};  ///< empty: none
  generate::Branch branch = {};
  std::vector<generate::TokenId> pending = {};  ///< behind the branch, not computed yet
  std::string text = {};                        ///< what it adds to its parent
  bool ended = false;                           ///< by a token that ends answers

  std::size_t tokens() const { return branch.tokens().size() + pending.size(); }
};

/// Any thread.
class Session {
 public:
  Session(std::string id, std::string owner, std::shared_ptr<ServedModel> model,
          std::size_t most_branches);

  const std::string& id() const { return id_; }
  const std::string& owner() const { return owner_; }
  const std::shared_ptr<ServedModel>& model() const { return model_; }
  std::int64_t created() const { return created_; }  ///< seconds since 1970

  /// Failure: there is none of this id.
  Served<Place> Find(const std::string& id, const std::string& param) const;
  /// Keeps places, whose ids it gives, in order. Failure: too many; none is kept then.
  Served<std::vector<Place>> Add(std::vector<Place> places);
  /// Failure: so many more would be too many.
  Served<void> CheckRoom(std::size_t more) const;
  /// Forgets a place; what goes on from it stays. False: there is none.
  bool Remove(const std::string& id);
  std::vector<Place> List() const;

  /// After a drop: whatever still works for it may end.
  bool dropped() const { return dropped_; }

 private:
  friend class Sessions;
  Served<void> CheckRoomLocked(std::size_t more) const;

  const std::string id_;
  const std::string owner_;
  const std::shared_ptr<ServedModel> model_;
  const std::size_t most_branches_;
  const std::int64_t created_;
  std::atomic<bool> dropped_ = false;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Place> places_;  ///< by the number in their id
  std::uint64_t next_ = 0;
  std::chrono::steady_clock::time_point used_;  ///< guarded by Sessions
};

/// All sessions. Any thread. What one owner has is not there for others.
class Sessions {
 public:
  explicit Sessions(const SessionLimits& limits = {});
  ~Sessions();
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  /// Failures: too many of this owner (kTooMany), or in all (kUnavailable).
  Served<std::shared_ptr<Session>> Create(const std::string& owner,
                                          std::shared_ptr<ServedModel> model);
  /// Whoever holds what this gives keeps it from being dropped as idle.
  Served<std::shared_ptr<Session>> Find(const std::string& owner, std::string_view id);
  Served<void> Drop(const std::string& owner, std::string_view id);
  std::vector<std::shared_ptr<Session>> List(const std::string& owner) const;

  /// For what waits for the engine.
  WorkerPool& workers() { return workers_; }
  bool closing() const { return closing_; }
  const SessionLimits& limits() const { return limits_; }

 private:
  void DropIdle();

  const SessionLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable news_;
  std::map<std::string, std::shared_ptr<Session>, std::less<>> sessions_;
  std::atomic<bool> closing_ = false;
  WorkerPool workers_;
  std::thread janitor_;
};

}  // namespace ergo::serve
