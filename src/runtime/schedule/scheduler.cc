#include "runtime/schedule/scheduler.h"

#include <algorithm>
#include <utility>

namespace ergo::runtime {

Scheduler::Scheduler(std::unique_ptr<Engine> engine, const LoopOptions& options)
    : loop_(std::make_unique<EngineLoop>(std::move(engine), options)),
      model_(loop_->engine().model()),
      context_(loop_->engine().context()),
      mailbox_(std::make_shared<Mailbox>()),
      thread_([this] { Run(); }) {}

Scheduler::~Scheduler() {
  mailbox_->Close();
  thread_.join();
}

void Scheduler::Run() {
  bool busy = false;
  while (true) {
    const auto actions = busy ? mailbox_->Take() : mailbox_->Wait(loop_->NextDeadline());
    if (!busy) loop_->LookAgain();
    for (const Mailbox::Action& action : actions) action();
    if (mailbox_->closed()) break;
    busy = loop_->Step();
  }
  for (const Mailbox::Action& action : mailbox_->Take()) action();
  loop_.reset();
}

std::shared_ptr<Live> Scheduler::NewLive(SequenceOptions options) {
  auto live = std::make_shared<Live>(next_id_++, std::move(options));
  live->stream = std::make_shared<TokenStream>(
      live->id, std::max<std::size_t>(live->options.unread, 1),
      [mailbox = mailbox_] { mailbox->Ring(); }, std::move(live->options.on_news));
  return live;
}

Stream Scheduler::Handle(const std::shared_ptr<Live>& live) {
  // Once the loop is gone the mailbox is closed, and the action is never done.
  return {live->stream.get(),
          [this, mailbox = mailbox_, keep = live->stream, id = live->id](TokenStream*) {
            mailbox->Post([this, id] { loop_->Drop(id); });
          }};
}

Stream Scheduler::Submit(std::vector<std::int32_t> tokens, SequenceOptions options) {
  auto live = NewLive(std::move(options));
  live->tokens = std::move(tokens);
  Stream handle = Handle(live);
  mailbox_->Post([this, live] { loop_->Submit(live); });
  return handle;
}

Stream Scheduler::Fork(EngineLoop::Branch branch, SequenceOptions options) {
  auto live = NewLive(std::move(options));
  Stream handle = Handle(live);
  mailbox_->Post([this, live, branch = std::move(branch)] { loop_->Fork(live, branch); });
  return handle;
}

std::future<Result<Scores>> Scheduler::Score(std::uint64_t base,
                                             std::vector<std::vector<std::int32_t>> continuations,
                                             int priority) {
  auto job = std::make_shared<ScoreJob>();
  job->continuations = std::move(continuations);
  job->priority = priority;
  std::future<Result<Scores>> scores = job->promise.get_future();
  mailbox_->Post([this, base, job] { loop_->Score(base, job); });
  return scores;
}

void Scheduler::Stop(std::uint64_t id) {
  mailbox_->Post([this, id] { loop_->Stop(id); });
}

void Scheduler::Drop(std::uint64_t id) {
  mailbox_->Post([this, id] { loop_->Drop(id); });
}

void Scheduler::Between(const std::function<void(EngineLoop&)>& action) {
  std::promise<void> done;
  mailbox_->Post([&] {
    action(*loop_);
    done.set_value();
  });
  done.get_future().wait();
}

LoopStats Scheduler::stats() {
  LoopStats stats;
  Between([&](EngineLoop& loop) { stats = loop.stats(); });
  return stats;
}

std::uint64_t DeriveSeed(std::uint64_t seed, std::uint64_t number) {
  if (number == 0) return seed;
  // splitmix64 (Steele, Lea and Flood 2014).
  std::uint64_t x = seed + number * 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

}  // namespace ergo::runtime
