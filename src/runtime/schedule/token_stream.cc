#include "runtime/schedule/token_stream.h"

#include <utility>

namespace ergo::runtime {

std::string_view Name(EndReason reason) {
  switch (reason) {
    case EndReason::kStopToken:
      return "stop token";
    case EndReason::kComplete:
      return "complete";
    case EndReason::kLength:
      return "length";
    case EndReason::kContext:
      return "context";
    case EndReason::kStopped:
      return "stopped";
    case EndReason::kDeadline:
      return "deadline";
    case EndReason::kError:
      break;
  }
  return "error";
}

TokenStream::Wait TokenStream::Next(DrawnToken* token, Clock::time_point until) {
  bool has_room_again = false;
  {
    std::unique_lock lock(mutex_);
    const auto news = [&] { return ended_ || !unread_.empty(); };
    if (until == Clock::time_point::max()) {
      news_.wait(lock, news);
    } else if (!news_.wait_until(lock, until, news)) {
      return Wait::kTimeout;
    }
    if (unread_.empty()) return Wait::kEnd;
    *token = std::move(unread_.front());
    unread_.pop_front();
    has_room_again = unread_.size() + 1 == capacity_;
  }
  if (has_room_again) ring_();
  return Wait::kToken;
}

void TokenStream::Push(std::vector<DrawnToken> tokens) {
  if (tokens.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    for (DrawnToken& token : tokens) unread_.push_back(std::move(token));
  }
  news_.notify_one();
  if (on_news_) on_news_();
}

void TokenStream::End(SequenceEnd end) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    end_ = std::move(end);
    ended_ = true;
  }
  news_.notify_all();
  if (on_news_) on_news_();
}

bool TokenStream::Full() const {
  const std::lock_guard lock(mutex_);
  return unread_.size() >= capacity_;
}

}  // namespace ergo::runtime
