#include "serve/endpoints/answer.h"

#include <atomic>
#include <chrono>
#include <utility>

namespace ergo::serve {
namespace {

/// Without a word for so long, streams say that they are alive.
constexpr std::chrono::milliseconds kPing(10'000);

/// Moves what a generation says to its follower, on the exchange's thread. It keeps itself alive
/// until the generation has ended: the exchange's callbacks hold it.
class Following : public std::enable_shared_from_this<Following> {
 public:
  Following(CallPtr call, std::unique_ptr<Follower> follower)
      : call_(std::move(call)), follower_(std::move(follower)) {}

  /// Any thread, engines' too: holds nothing whose end waits for them.
  void OnNews() {
    if (pending_.exchange(true)) return;
    call_->exchange->Post([self = shared_from_this()] { self->Pump(); });
  }
  void Start(std::shared_ptr<Generation> generation) {
    auto self = shared_from_this();
    call_->exchange->Post([self, generation = std::move(generation)]() mutable {
      self->generation_ = std::move(generation);
      self->call_->exchange->OnGone([self] {
        if (self->generation_) self->generation_->Cancel();
      });
      self->AskToPing();
      self->Pump();
    });
  }

 private:
  void Pump();
  void Begin();
  void AskToPing();

  CallPtr call_;
  std::unique_ptr<Follower> follower_;
  std::shared_ptr<Generation> generation_;
  std::shared_ptr<ReplyStream> stream_;
  std::atomic<bool> pending_ = false;
  bool begun_ = false;
  bool ended_ = false;
  bool spoke_ = false;  ///< since the last look
};

void Following::Begin() {
  if (begun_) return;
  begun_ = true;
  stream_ = follower_->Begin();
  if (!stream_) return;
  stream_->OnRoom([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Pump();
  });
}

void Following::AskToPing() {
  call_->exchange->PostAfter(kPing, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->ended_) return;
    if (!self->spoke_) {
      self->Begin();
      if (self->stream_ && !self->stream_->Full()) self->follower_->Ping();
    }
    self->spoke_ = false;
    self->AskToPing();
  });
}

void Following::Pump() {
  using News = Generation::News;
  pending_ = false;
  if (!generation_ || ended_) return;
  const auto self = shared_from_this();
  GenerationEvent event;
  while (!(stream_ && stream_->Full())) {
    const News news = generation_->Take(&event);
    if (news == News::kNothing) return;
    if (news == News::kEnd) {
      ended_ = true;
      auto outcome = generation_->Outcome();
      if (!outcome && !begun_) {
        call_->Fail(outcome.error());
      } else {
        Begin();
        follower_->End(std::move(outcome));
      }
      generation_ = nullptr;
      follower_ = nullptr;
      stream_ = nullptr;
      return;
    }
    if (event.finish_reason == "error" && !begun_) continue;
    const bool speaks = !event.text.empty() || !event.thought.empty() || !event.calls.empty() ||
                        !event.logprobs.empty() || !event.finish_reason.empty();
    if (!speaks) continue;
    spoke_ = true;
    Begin();
    follower_->Take(std::move(event));
  }
}

}  // namespace

void Answer(const CallPtr& call, const std::shared_ptr<ServedModel>& model,
            GenerationRequest request, std::unique_ptr<Follower> follower) {
  const auto following = std::make_shared<Following>(call, std::move(follower));
  auto started = StartGeneration(call->service, *call->principal, model, std::move(request),
                                 [weak = std::weak_ptr(following)] {
                                   if (const auto self = weak.lock()) self->OnNews();
                                 });
  if (!started) return call->Fail(started.error());
  following->Start(*std::move(started));
}

}  // namespace ergo::serve
