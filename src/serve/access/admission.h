// Who may begin another request now.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "serve/access/principal.h"
#include "serve/service/failure.h"

namespace ergo::serve {

/// Limits the requests alive at a time, in all and for each key, and the requests and tokens of
/// each key in a minute (token buckets that hold a minute's worth). Any thread.
class Admission {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Admission(std::size_t most_alive) : most_alive_(most_alive) {}

  /// A request that is alive: its end gives its place back.
  class Ticket {
   public:
    Ticket(Admission* admission, std::string key) : admission_(admission), key_(std::move(key)) {}
    ~Ticket() { admission_->Leave(key_); }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

    /// Takes tokens from the key's budget, which may go below zero: then later ones wait.
    void Spend(std::uint64_t tokens) { admission_->Spend(key_, tokens); }

   private:
    Admission* admission_;
    std::string key_;
  };

  /// Failure: kTooMany with retry_after.
  Served<std::unique_ptr<Ticket>> Enter(const Principal& principal, Clock::time_point now);
  std::size_t alive() const;

 private:
  struct Account {
    std::size_t alive = 0;
    KeyLimits limits = {};
    double requests = 0.0;
    double tokens = 0.0;
    Clock::time_point filled = {};
  };
  void Fill(Account& account, const KeyLimits& limits, Clock::time_point now);
  void Leave(const std::string& key);
  void Spend(const std::string& key, std::uint64_t tokens);

  const std::size_t most_alive_;
  mutable std::mutex mutex_;
  std::size_t alive_ = 0;
  std::unordered_map<std::string, Account> accounts_;  ///< by key id; only of keys with limits
};

}  // namespace ergo::serve
