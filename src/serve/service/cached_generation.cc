#include "serve/service/cached_generation.h"

#include <mutex>
#include <optional>
#include <utility>

namespace ergo::serve {
namespace {

GenerationEvent WholeChoice(std::size_t index, const GenerationChoice& choice) {
  GenerationEvent event;
  event.choice = index;
  event.thought = choice.thought;
  event.text = choice.text;
  event.logprobs = choice.logprobs;
  event.calls = choice.calls;
  event.finish_reason = choice.finish_reason;
  return event;
}

class CachedGeneration final : public Generation,
                               public std::enable_shared_from_this<CachedGeneration> {
 public:
  CachedGeneration(CachedStart start, std::function<void()> on_news)
      : start_(std::move(start)), on_news_(std::move(on_news)) {
    prompt_tokens = start_.prompt_tokens;
  }

  News Take(GenerationEvent* event) override;
  void Cancel() override;
  Served<GenerationOutcome> Outcome() override;

  /// Looks beyond this process, then goes on.
  void Look();
  /// Before anybody else knows of this.
  std::optional<Failure> BeginFresh();
  void Replay(GenerationOutcome outcome) { found_ = std::move(outcome); }

 private:
  void OnLooked(std::optional<GenerationOutcome> outcome);
  void BeginLater();
  void Conclude(std::shared_ptr<Generation> fresh, std::optional<Failure> failure);

  const CachedStart start_;
  const std::function<void()> on_news_;
  std::mutex mutex_;
  // One of these is set when it is known what comes.
  std::optional<GenerationOutcome> found_;
  std::shared_ptr<Generation> fresh_;
  std::optional<Failure> failure_;
  std::size_t taken_ = 0;  ///< choices of found_
  bool cancelled_ = false;
};

Generation::News CachedGeneration::Take(GenerationEvent* event) {
  std::shared_ptr<Generation> fresh;
  {
    const std::lock_guard lock(mutex_);
    if (failure_) return News::kEnd;
    if (found_) {
      if (taken_ == found_->choices.size()) return News::kEnd;
      *event = WholeChoice(taken_, found_->choices[taken_]);
      ++taken_;
      return News::kEvent;
    }
    if (fresh_ == nullptr) return News::kNothing;
    fresh = fresh_;
  }
  return fresh->Take(event);
}

void CachedGeneration::Cancel() {
  std::shared_ptr<Generation> fresh;
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    fresh = fresh_;
    if (fresh == nullptr && !found_ && !failure_) {
      failure_ = Failure{FailureKind::kUnavailable, "the request was cancelled", "cancelled"};
    }
  }
  if (fresh != nullptr) {
    fresh->Cancel();
  } else {
    on_news_();
  }
}

Served<GenerationOutcome> CachedGeneration::Outcome() {
  std::shared_ptr<Generation> fresh;
  bool cancelled = false;
  {
    const std::lock_guard lock(mutex_);
    if (failure_) return tl::unexpected(*failure_);
    if (found_) return *std::move(found_);
    fresh = fresh_;
    cancelled = cancelled_;
  }
  Served<GenerationOutcome> outcome = fresh->Outcome();
  if (outcome && !cancelled) start_.cache.Put(start_.key, *outcome);
  return outcome;
}

std::optional<Failure> CachedGeneration::BeginFresh() {
  Served<std::shared_ptr<Generation>> fresh = start_.fresh(on_news_);
  if (!fresh) return fresh.error();
  fresh_ = *std::move(fresh);
  return std::nullopt;
}

void CachedGeneration::Look() {
  start_.cache.FindFar(start_.key,
                       [self = weak_from_this()](std::optional<GenerationOutcome> outcome) {
                         if (const auto generation = self.lock())
                           generation->OnLooked(std::move(outcome));
                       });
}

void CachedGeneration::OnLooked(std::optional<GenerationOutcome> outcome) {
  if (start_.on_looked) start_.on_looked(outcome ? &*outcome : nullptr);
  if (!outcome) return BeginLater();
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) found_ = std::move(outcome);
  }
  on_news_();
}

void CachedGeneration::BeginLater() {
  const bool posted = start_.workers.Post([self = weak_from_this()] {
    const auto generation = self.lock();
    if (generation == nullptr) return;
    Served<std::shared_ptr<Generation>> fresh = generation->start_.fresh(generation->on_news_);
    if (fresh) {
      generation->Conclude(*std::move(fresh), std::nullopt);
    } else {
      generation->Conclude(nullptr, fresh.error());
    }
  });
  if (!posted) {
    Conclude(nullptr,
             Failure{FailureKind::kTooMany, "too many requests are waiting", "queue_full", "", 1});
  }
}

void CachedGeneration::Conclude(std::shared_ptr<Generation> fresh, std::optional<Failure> failure) {
  bool cancel = false;
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    fresh_ = fresh;
    cancel = cancelled_;
  }
  if (fresh != nullptr && cancel) fresh->Cancel();
  on_news_();
}

}  // namespace

Served<std::shared_ptr<Generation>> StartCached(CachedStart start, std::function<void()> on_news) {
  AnswerCache& cache = start.cache;
  const std::string key = start.key;
  const auto on_looked = start.on_looked;
  auto generation = std::make_shared<CachedGeneration>(std::move(start), on_news);
  if (std::optional<GenerationOutcome> found = cache.Find(key)) {
    if (on_looked) on_looked(&*found);
    generation->Replay(*std::move(found));
    on_news();
    return generation;
  }
  if (cache.has_far()) {
    generation->Look();
    return generation;
  }
  if (on_looked) on_looked(nullptr);
  if (std::optional<Failure> failure = generation->BeginFresh()) {
    return tl::unexpected(*std::move(failure));
  }
  return generation;
}

}  // namespace ergo::serve
