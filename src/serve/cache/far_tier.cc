#include "serve/cache/far_tier.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <utility>

namespace ergo::serve {

FarTier::FarTier(std::unique_ptr<Keeper> keeper, FarOptions options)
    : keeper_(std::move(keeper)), options_(std::move(options)), pause_(options_.first_pause) {
  thread_ = std::thread([this] { Run(); });
}

void FarTier::Close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    working_ = false;
  }
  news_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (Lookup& lookup : std::exchange(lookups_, {})) lookup.on_found(nullptr);
}

void FarTier::Find(const std::string& key, OnFound on_found) {
  {
    const std::lock_guard lock(mutex_);
    if (working_ && lookups_.size() < options_.most_waiting) {
      lookups_.push_back({key, std::move(on_found), Clock::now() + options_.patience});
      on_found = nullptr;
    }
  }
  if (on_found) {
    on_found(nullptr);
  } else {
    news_.notify_one();
  }
}

void FarTier::Put(const std::string& key, std::shared_ptr<const std::string> answer) {
  if (answer->size() > options_.most_bytes) return;
  {
    const std::lock_guard lock(mutex_);
    if (!working_ || kept_.size() >= options_.most_waiting) return;
    kept_.push_back({key, std::move(answer)});
  }
  news_.notify_one();
}

void FarTier::Flush() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return closing_ || (!busy_ && lookups_.empty() && kept_.empty()); });
}

void FarTier::Run() {
  // Client libraries write to connections whose other side may be gone: to this thread that is an
  // error like any other, whatever the program does about the signal.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  std::unique_lock lock(mutex_);
  while (!closing_) {
    if (!working_) {
      if (Clock::now() >= retry_at_) {
        TryOpen(lock);
      } else {
        news_.wait_until(lock, retry_at_, [this] { return closing_; });
      }
    } else if (!lookups_.empty()) {
      FindNext(lock);
    } else if (!kept_.empty()) {
      PutNext(lock);
    } else {
      idle_.notify_all();
      news_.wait(lock, [this] { return closing_ || !lookups_.empty() || !kept_.empty(); });
    }
  }
  idle_.notify_all();
}

void FarTier::TryOpen(std::unique_lock<std::mutex>& lock) {
  busy_ = true;
  lock.unlock();
  const Status opened = keeper_->Open(Clock::now() + options_.open_time);
  lock.lock();
  busy_ = false;
  if (!opened) return Break(lock, opened.error());
  working_ = !closing_;
  if (std::exchange(told_, false) && options_.on_change) options_.on_change("");
}

void FarTier::FindNext(std::unique_lock<std::mutex>& lock) {
  const Lookup lookup = std::move(lookups_.front());
  lookups_.pop_front();
  busy_ = true;
  lock.unlock();
  Result<std::optional<std::string>> found = std::optional<std::string>();
  // One whose time was used up by others is not the keeper's fault.
  if (Clock::now() < lookup.deadline) found = keeper_->Find(lookup.key, lookup.deadline);
  std::shared_ptr<const std::string> answer;
  if (found && *found) answer = std::make_shared<const std::string>(std::move(**found));
  lookup.on_found(std::move(answer));
  lock.lock();
  busy_ = false;
  if (!found) return Break(lock, found.error());
  pause_ = options_.first_pause;
}

void FarTier::PutNext(std::unique_lock<std::mutex>& lock) {
  const Kept kept = std::move(kept_.front());
  kept_.pop_front();
  busy_ = true;
  lock.unlock();
  const Status put = keeper_->Put(kept.key, *kept.answer, Clock::now() + options_.patience);
  lock.lock();
  busy_ = false;
  if (!put) return Break(lock, put.error());
  pause_ = options_.first_pause;
}

void FarTier::Break(std::unique_lock<std::mutex>& lock, const Error& error) {
  ++failures;
  working_ = false;
  retry_at_ = Clock::now() + pause_;
  pause_ = std::min(pause_ * 2, options_.longest_pause);
  kept_.clear();
  std::deque<Lookup> waiting = std::move(lookups_);
  lookups_.clear();
  idle_.notify_all();
  const bool tell = !std::exchange(told_, true) && options_.on_change;
  lock.unlock();
  for (Lookup& lookup : waiting) lookup.on_found(nullptr);
  if (tell) options_.on_change(error.Message());
  lock.lock();
}

}  // namespace ergo::serve
