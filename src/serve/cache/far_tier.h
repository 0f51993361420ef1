// Answers beyond this process, at no more than a few milliseconds for those who ask: a keeper on a
// thread of its own, behind a circuit breaker.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "serve/cache/keeper.h"

namespace ergo::serve {

struct FarOptions {
  std::chrono::milliseconds patience{20};  ///< most that a look-up takes, waiting included
  std::chrono::milliseconds open_time{500};
  std::chrono::milliseconds first_pause{100};  ///< after a failure; doubles with each
  std::chrono::milliseconds longest_pause{10'000};
  std::size_t most_waiting = 1024;   ///< look-ups, and answers to be kept
  std::size_t most_bytes = 1 << 20;  ///< of one answer; larger ones are not kept
  /// Told when the keeper fails after it worked, and when it works again (an empty text); on the
  /// tier's thread.
  std::function<void(const std::string&)> on_change = {};
};

/// A call that fails or takes too long closes the keeper and opens the breaker: until the pause is
/// over nothing is asked, and nobody waits. Opening again happens while nobody waits either. Any
/// thread.
class FarTier {
 public:
  /// nullptr: there is none.
  using OnFound = std::function<void(std::shared_ptr<const std::string>)>;

  FarTier(std::unique_ptr<Keeper> keeper, FarOptions options);
  ~FarTier() { Close(); }
  FarTier(const FarTier&) = delete;
  FarTier& operator=(const FarTier&) = delete;

  /// `on_found` is called once: at once if nothing can be asked, else on the tier's thread within
  /// the patience. Be brief there.
  void Find(const std::string& key, OnFound on_found);
  /// Is dropped if too much waits, or the keeper is closed.
  void Put(const std::string& key, std::shared_ptr<const std::string> answer);
  /// Look-ups that wait and those to come find nothing.
  void Close();
  /// Whether it would be asked now.
  bool working() const { return working_; }
  /// Waits until what was to be kept has been, or given up. For tests and the program's end.
  void Flush();

  std::atomic<std::uint64_t> failures{0};

 private:
  using Clock = Keeper::Clock;
  struct Lookup {
    std::string key;
    OnFound on_found;
    Clock::time_point deadline;
  };
  struct Kept {
    std::string key;
    std::shared_ptr<const std::string> answer;
  };
  void Run();
  void TryOpen(std::unique_lock<std::mutex>& lock);
  void FindNext(std::unique_lock<std::mutex>& lock);
  void PutNext(std::unique_lock<std::mutex>& lock);
  void Break(std::unique_lock<std::mutex>& lock, const Error& error);

  const std::unique_ptr<Keeper> keeper_;
  const FarOptions options_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::condition_variable idle_;
  std::deque<Lookup> lookups_;
  std::deque<Kept> kept_;
  bool busy_ = false;
  bool closing_ = false;
  bool told_ = false;  ///< on_change has told of a failure
  std::atomic<bool> working_ = false;
  Clock::time_point retry_at_ = {};
  std::chrono::milliseconds pause_;
  std::thread thread_;
};

}  // namespace ergo::serve
