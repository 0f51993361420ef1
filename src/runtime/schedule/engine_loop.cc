#include "runtime/schedule/engine_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/speculate/lookup_proposer.h"

namespace ergo::runtime {
namespace {

constexpr const char* kWhere = "engine";
/// Memory for the logits of one step; with large vocabularies more sequences take turns.
constexpr std::size_t kLogitBytes = std::size_t{64} << 20;
constexpr std::size_t kLeastLogitRows = 16;

double Seconds(std::chrono::steady_clock::duration d) {
  return std::chrono::duration<double>(d).count();
}

ServiceOrder::Ticket TicketOf(const Live& live) {
  return {live.options.priority, live.options.name_space, live.arrival};
}

void Erase(std::vector<std::shared_ptr<Live>>& from, const Live& live) {
  const auto at = std::find_if(from.begin(), from.end(),
                               [&](const std::shared_ptr<Live>& p) { return p.get() == &live; });
  if (at != from.end()) from.erase(at);
}

/// Tokens that both begin with.
std::size_t CommonStart(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  const std::size_t most = std::min(a.size(), b.size());
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(most), b.begin()).first -
      a.begin());
}

}  // namespace

EngineLoop::EngineLoop(std::unique_ptr<Engine> engine, const LoopOptions& options)
    : engine_(std::move(engine)),
      options_(options),
      pool_(options.pool != nullptr ? options.pool : &ComputePool::Shared()),
      threads_(options.threads > 0 ? std::min(options.threads, pool_->size()) : pool_->size()) {
  const std::size_t row_bytes = engine_->model().config().vocabulary * sizeof(float);
  most_logit_rows_ =
      std::min(std::max(kLogitBytes / row_bytes, kLeastLogitRows), engine_->prompt_chunk());
}

EngineLoop::~EngineLoop() {
  StopAll();
  while (!idle_.empty()) Drop(idle_.back()->id);
}

void EngineLoop::StopAll() {
  while (!waiting_.empty()) Finish(waiting_.back(), EndReason::kStopped);
  while (!running_.empty()) Finish(running_.back(), EndReason::kStopped);
}

Status EngineLoop::Check(const Live& live) const {
  const std::size_t vocabulary = engine_->model().config().vocabulary;
  if (live.tokens.empty()) return Fail("there are no tokens to go on from", kWhere);
  for (const std::int32_t token : live.tokens) {
    if (token >= 0 && static_cast<std::size_t>(token) < vocabulary) continue;
    return Fail(fmt::format("there is no token {}", token), kWhere,
                fmt::format("token ids are 0 to {}", vocabulary - 1));
  }
  if (live.tokens.size() > engine_->context()) {
    return Fail(fmt::format("{} tokens are more than the context of {}", live.tokens.size(),
                            engine_->context()),
                kWhere, "shorten the text or choose a longer context");
  }
  const std::size_t bytes = engine_->Missing(0, live.tokens.size());
  if (bytes > engine_->capacity()) {
    return Fail(fmt::format("the keys and values of {} tokens take {} bytes, and there are {}",
                            live.tokens.size(), bytes, engine_->capacity()),
                kWhere, "shorten the text or give more memory (--kv-memory)");
  }
  if (waiting_.size() >= options_.most_waiting) {
    return Fail(fmt::format("{} sequences are waiting already", waiting_.size()), kWhere,
                "try again later");
  }
  return live.options.sampling.Validate();
}

void EngineLoop::Submit(std::shared_ptr<Live> live) {
  live->submitted = Clock::now();
  live->end.given_tokens = live->tokens.size();
  service_.Enter(live->options.name_space);
  alive_.emplace(live->id, live);
  live->arrival = arrivals_++;
  if (auto valid = Check(*live); !valid) {
    return Finish(live, EndReason::kError, std::move(valid).error());
  }
  if (live->options.max_tokens == 0 && !live->job) return Finish(live, EndReason::kLength);
  if (live->options.speculate && !live->job) {
    live->proposer = std::make_unique<LookupProposer>(&outputs_, live->options.name_space);
  }
  waiting_.push_back(std::move(live));
  look_again_ = true;
}

/// Ends a sequence that was never taken up.
void EngineLoop::Refuse(const LivePtr& live, Error error) {
  live->submitted = Clock::now();
  service_.Enter(live->options.name_space);
  Finish(live, EndReason::kError, std::move(error));
}

void EngineLoop::Fork(std::shared_ptr<Live> live, const Branch& branch) {
  const auto start = Clock::now();
  const auto found = alive_.find(branch.parent);
  if (found == alive_.end()) {
    return Refuse(live, {fmt::format("there is no sequence {} to fork", branch.parent), kWhere,
                         "fork a sequence that was not dropped (keep holds one after its end)"});
  }
  const Live& parent = *found->second;
  const std::size_t position = branch.position == kWhole ? parent.tokens.size() : branch.position;
  if (position > parent.tokens.size()) {
    return Refuse(live, {fmt::format("sequence {} has {} tokens, not {}", branch.parent,
                                     parent.tokens.size(), position),
                         kWhere, "fork within the tokens that it has"});
  }
  if (!live->options.hook && branch.copies_hook && parent.options.hook &&
      position == parent.tokens.size()) {
    live->options.hook = parent.options.hook->Fork();
  }
  live->speculation = parent.speculation;
  if (options_.draft && live->options.speculate) {
    live->draft = options_.draft->Fork(parent.draft, position);
  }
  live->tokens.reserve(position + branch.appended.size() + 16);
  live->tokens.assign(parent.tokens.begin(),
                      parent.tokens.begin() + static_cast<std::ptrdiff_t>(position));
  live->tokens.insert(live->tokens.end(), branch.appended.begin(), branch.appended.end());
  // The last token is always computed anew: its logits are wanted.
  if (parent.kv != 0 && !live->tokens.empty()) {
    const std::size_t shared = std::min({Computed(parent), position, live->tokens.size() - 1});
    if (auto kv = engine_->Fork(parent.kv, shared)) live->kv = *kv;
    // Far back the parent has no windows; if others do, they are found when it is admitted.
    if (Computed(*live) < shared) {
      live->known = shared;
      if (engine_->Match(live->options.name_space, live->tokens, shared) > Computed(*live)) {
        engine_->Release(live->kv);
        live->kv = 0;
      }
    }
  }
  live->end.cached_tokens = Computed(*live);
  ++stats_.forks;
  stats_.fork_seconds += Seconds(Clock::now() - start);
  Submit(std::move(live));
}

void EngineLoop::Score(std::uint64_t base, std::shared_ptr<ScoreJob> job) {
  const std::size_t vocabulary = engine_->model().config().vocabulary;
  const auto found = alive_.find(base);
  if (found == alive_.end()) {
    return job->Answer(Fail(fmt::format("there is no sequence {} to score on", base), kWhere,
                            "score on a sequence that was not dropped"));
  }
  const std::size_t length = found->second->tokens.size();
  job->left = job->continuations.size();
  job->name_space = found->second->options.name_space;
  for (const auto& continuation : job->continuations) {
    if (length + continuation.size() > engine_->context() + 1) {
      return job->Answer(Fail(fmt::format("{} tokens after {} are more than the context of {}",
                                          continuation.size(), length, engine_->context()),
                              kWhere, "shorten the continuations or choose a longer context"));
    }
    for (const std::int32_t token : continuation) {
      if (token >= 0 && static_cast<std::size_t>(token) < vocabulary) continue;
      return job->Answer(Fail(fmt::format("there is no token {}", token), kWhere));
    }
    job->scores.emplace_back(continuation.size());
    if (continuation.empty()) --job->left;
  }
  if (job->left == 0) return job->Answer(std::move(job->scores));
  Fork(NewJobLive(job), {base, kWhole, {}});
}

EngineLoop::LivePtr EngineLoop::NewJobLive(const std::shared_ptr<ScoreJob>& job) {
  SequenceOptions options;
  options.name_space = job->name_space;
  options.priority = job->priority;
  options.speculate = false;
  auto live = std::make_shared<Live>(job_ids_++, std::move(options));
  live->job = job;
  return live;
}

void EngineLoop::Stop(std::uint64_t id) {
  const auto found = alive_.find(id);
  if (found == alive_.end()) return;
  const LivePtr live = found->second;
  if (live->state != Live::State::kIdle) Finish(live, EndReason::kStopped);
}

void EngineLoop::Drop(std::uint64_t id) {
  const auto found = alive_.find(id);
  if (found == alive_.end()) return;
  const LivePtr live = found->second;
  live->options.keep = false;
  if (live->state == Live::State::kIdle) {
    Retire(live);
  } else {
    Finish(live, EndReason::kStopped);
  }
}

/// Keys and values go into the tree of prefixes, from where others may use them or push them out.
void EngineLoop::GiveKvBack(Live& live) {
  if (options_.draft) options_.draft->Forget(live.draft);
  if (live.kv == 0) return;
  // Continuations that were scored are many and hardly ever met again.
  if (!live.job) {
    const std::size_t computed = std::min(Computed(live), live.tokens.size());
    engine_->Remember(live.kv, live.options.name_space, std::span(live.tokens).first(computed));
  }
  engine_->Release(live.kv);
  live.kv = 0;
}

/// Where it leaves what another text has in common with it, a sequence still has the windows that
/// the next one to begin like this would lack.
void EngineLoop::RememberWhereTextsPart(Live& live) {
  if (live.known == 0 || Computed(live) < live.known) return;
  const std::size_t whole = live.known - live.known % kernels::kBlockTokens;
  engine_->Remember(live.kv, live.options.name_space, std::span(live.tokens).first(whole));
  live.known = 0;
}

void EngineLoop::Finish(const LivePtr& given, EndReason reason, std::optional<Error> error) {
  // `given` may be an element of what is changed here.
  const LivePtr live = given;  // NOLINT(performance-unnecessary-copy-initialization)
  Erase(waiting_, *live);
  Erase(running_, *live);
  look_again_ = true;
  if (live->job) {
    const bool good = reason == EndReason::kLength;
    if (!good) {
      live->job->Answer(tl::unexpected(error.value_or(
          Error{fmt::format("the scoring was ended: {}", Name(reason)), kWhere, {}})));
    }
    return Retire(live);
  }
  live->end.reason = reason;
  live->end.error = std::move(error);
  live->end.drawn_tokens = live->drawn();
  outputs_.Add(live->options.name_space, std::span(live->tokens).subspan(live->end.given_tokens));
  if (live->options.keep && reason != EndReason::kError) {
    live->state = Live::State::kIdle;
    idle_.push_back(live);
  } else {
    Retire(live);
  }
  live->stream->End(live->end);
}

void EngineLoop::Retire(const LivePtr& given) {
  const LivePtr live = given;  // NOLINT(performance-unnecessary-copy-initialization)
  Erase(idle_, *live);
  GiveKvBack(*live);
  live->state = Live::State::kGone;
  alive_.erase(live->id);
  service_.Leave(live->options.name_space);
}

void EngineLoop::ExpireDeadlines() {
  const auto now = Clock::now();
  for (std::vector<LivePtr>* list : {&waiting_, &running_}) {
    for (std::size_t i = list->size(); i-- > 0;) {
      const LivePtr live = (*list)[i];
      if (!live->options.deadline || *live->options.deadline > now) continue;
      Finish(live, EndReason::kDeadline,
             Error{fmt::format("the deadline passed after {} tokens", live->drawn()), kWhere,
                   "allow more time or ask for fewer tokens"});
    }
  }
}

EngineLoop::Clock::time_point EngineLoop::NextDeadline() const {
  auto next = Clock::time_point::max();
  for (const std::vector<LivePtr>* list : {&waiting_, &running_}) {
    for (const LivePtr& live : *list) {
      if (live->options.deadline) next = std::min(next, *live->options.deadline);
    }
  }
  return next;
}

/// Whether another prompt that is being computed begins as this one does, for longer than what is
/// cached: then it pays to wait for it.
bool EngineLoop::SharesAPromptInWork(const Live& live) const {
  for (const LivePtr& other : running_) {
    if (other->job || other->options.name_space != live.options.name_space) continue;
    if (Pending(*other) <= kernels::kBlockTokens) continue;
    const std::size_t common = CommonStart(live.tokens, other->tokens);
    if (common >= Computed(live) + 2 * kernels::kBlockTokens) return true;
  }
  return false;
}

/// False if nobody can be admitted now.
bool EngineLoop::AdmitOne(const LivePtr& live) {
  if (!live->job && live->stream->Full()) {
    paused_wait_ = true;
    return true;
  }
  if (live->kv == 0) {
    live->kv = engine_->Open(live->options.name_space, live->tokens, live->tokens.size() - 1);
    live->known = std::max(live->known, engine_->Known(live->kv));
  }
  const auto wait = [&] {
    engine_->Release(live->kv);
    live->kv = 0;
  };
  if (SharesAPromptInWork(*live)) {
    wait();
    return true;  // the next one may go first
  }
  const std::size_t missing = engine_->Missing(live->kv, live->tokens.size());
  // Each of those that run will want a block some day.
  const std::size_t spare =
      std::min(running_.size() * engine_->block_bytes(), engine_->capacity() / 8);
  while (missing + spare > engine_->room() && TakeIdleBlocks(*live)) {
  }
  if (missing + spare > engine_->room()) {
    wait();
    if (!running_.empty()) return false;
    Finish(live, EndReason::kError,
           Error{fmt::format("there is no room for the keys and values of {} tokens: {} bytes are "
                             "needed and {} are free",
                             live->tokens.size(), missing, engine_->room()),
                 kWhere, "drop sequences or give more memory (--kv-memory)"});
    return true;
  }
  live->state = Live::State::kRunning;
  if (!live->started) {
    live->started = true;
    live->admitted = Clock::now();
    live->end.cached_tokens = Computed(*live);
    live->end.queue_seconds = Seconds(live->admitted - live->submitted);
  }
  running_.push_back(live);
  Erase(waiting_, *live);
  return true;
}

void EngineLoop::Admit() {
  const bool look = look_again_ || paused_wait_;
  look_again_ = paused_wait_ = false;
  if (waiting_.empty() || !look) return;
  std::sort(waiting_.begin(), waiting_.end(), [&](const LivePtr& a, const LivePtr& b) {
    return service_.Before(TicketOf(*a), TicketOf(*b));
  });
  const std::vector<LivePtr> order = waiting_;
  for (const LivePtr& live : order) {
    if (running_.size() >= options_.most_running || !AdmitOne(live)) return;
  }
}

LoopStats EngineLoop::stats() const {
  LoopStats stats = stats_;
  stats.waiting = waiting_.size();
  stats.running = running_.size();
  stats.idle = idle_.size();
  stats.blocks = engine_->capacity() / engine_->block_bytes();
  stats.free_blocks = engine_->room() / engine_->block_bytes();
  stats.kv_bytes = engine_->kv_bytes_used();
  stats.prefixes = engine_->prefix_stats();
  return stats;
}

}  // namespace ergo::runtime
