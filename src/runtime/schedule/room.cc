// Who gives blocks up when they run short.
#include <algorithm>

#include "runtime/schedule/engine_loop.h"

namespace ergo::runtime {

/// Makes `bytes` bytes of blocks free, or such as the tree of prefixes gives up when they are
/// needed.
bool EngineLoop::MakeRoom(const Live& for_whom, std::size_t bytes) {
  while (bytes > engine_->room()) {
    if (!TakeIdleBlocks(for_whom) && !PreemptForGoodReason(for_whom)) return false;
  }
  return true;
}

/// From one that is kept, the one that ended first, or from a fork that waits.
bool EngineLoop::TakeIdleBlocks(const Live& for_whom) {
  for (const std::vector<LivePtr>* list : {&idle_, &waiting_}) {
    for (const LivePtr& live : *list) {
      if (live->kv == 0 || live.get() == &for_whom) continue;
      GiveKvBack(*live);
      return true;
    }
  }
  return false;
}

/// From one whose reader doesn't read, or the youngest of least priority that runs; but not from
/// one that has a part in this step already or comes before `for_whom`.
bool EngineLoop::PreemptForGoodReason(const Live& for_whom) {
  const auto key = [](const Live& live) {
    return std::pair(-static_cast<std::int64_t>(live.options.priority), live.arrival);
  };
  LivePtr victim;
  for (const LivePtr& live : running_) {
    const bool planned = std::any_of(parts_.begin(), parts_.end(),
                                     [&](const Part& part) { return part.live == live; });
    if (planned || live.get() == &for_whom) continue;
    if (!live->job && live->stream->Full()) {
      victim = live;
      break;
    }
    if (key(*live) <= key(for_whom)) continue;
    if (victim == nullptr || key(*live) > key(*victim)) victim = live;
  }
  if (victim == nullptr) return false;
  GiveKvBack(*victim);
  victim->state = Live::State::kWaiting;
  running_.erase(std::find(running_.begin(), running_.end(), victim));
  waiting_.push_back(victim);
  look_again_ = true;
  ++victim->end.preemptions;
  ++stats_.preemptions;
  return true;
}

}  // namespace ergo::runtime
