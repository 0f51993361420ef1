// What a sequence says while it runs: its tokens, one by one, and how it ended.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/sample/sampler.h"

namespace ergo::runtime {

struct DrawnToken {
  std::int32_t token = -1;
  bool forced = false;   ///< by a hook; its log-probability is not known
  float logprob = 0.0f;  ///< of the model, if SamplingParams asks for it
  std::vector<TokenLogprob> top;
};

enum class EndReason {
  kStopToken,  ///< one that ends answers; it is the last token of the stream
  kComplete,   ///< a hook said that nothing may follow
  kLength,     ///< max_tokens
  kContext,    ///< the context is full
  kStopped,    ///< by Stop or Drop, or nobody listened any more
  kDeadline,
  kError,
};
std::string_view Name(EndReason reason);

struct SequenceEnd {
  EndReason reason = EndReason::kStopped;
  std::optional<Error> error = {};  ///< with kError and kDeadline: why
  std::size_t given_tokens = 0;     ///< the prompt, or all that a fork began with
  std::size_t cached_tokens = 0;    ///< of these, whose keys and values were there already
  std::size_t drawn_tokens = 0;
  std::size_t proposed_tokens = 0;  ///< by speculation
  std::size_t accepted_tokens = 0;  ///< of these
  std::size_t preemptions = 0;
  double queue_seconds = 0.0;   ///< from Submit to the first step
  double prompt_seconds = 0.0;  ///< from there to the first token
};

/// One writer, the engine's thread, and one reader.
class TokenStream {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Wait {
    kToken,
    kEnd,
    kTimeout,
  };

  /// Unread tokens beyond `capacity` make the writer pause; `ring` tells it that there is room
  /// again. `on_news`, which may be empty, tells readers that do not wait (see SequenceOptions).
  TokenStream(std::uint64_t id, std::size_t capacity, std::function<void()> ring,
              std::function<void()> on_news = {})
      : id_(id), capacity_(capacity), ring_(std::move(ring)), on_news_(std::move(on_news)) {}

  std::uint64_t id() const { return id_; }

  /// Waits for the next token, at most until `until`.
  Wait Next(DrawnToken* token, Clock::time_point until = Clock::time_point::max());
  /// How it ended; after Next returned kEnd.
  const SequenceEnd& end() const { return end_; }

  // For the writer:
  void Push(std::vector<DrawnToken> tokens);
  void End(SequenceEnd end);
  bool Full() const;

 private:
  const std::uint64_t id_;
  const std::size_t capacity_;
  const std::function<void()> ring_;
  const std::function<void()> on_news_;
  mutable std::mutex mutex_;
  std::condition_variable news_;
  std::deque<DrawnToken> unread_;
  bool ended_ = false;
  SequenceEnd end_;
};

}  // namespace ergo::runtime
