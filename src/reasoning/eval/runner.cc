#include "reasoning/eval/runner.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

#include "reasoning/eval/random.h"

namespace ergo::reasoning::eval {

namespace {

using Clock = std::chrono::steady_clock;

double SecondsBetween(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

class Runner {
 public:
  Runner(const Plan& plan, const SolveOne& solve, Journal* journal)
      : plan_(plan), solve_(solve), journal_(journal) {}

  Result<std::vector<Record>> Run() {
    for (const Task& task : plan_.tasks) total_ += task.items.size() * plan_.strategies.size();
    CountKnown();
    start_ = Clock::now();
    std::vector<Record> records;
    for (const Task& task : plan_.tasks) {
      for (const std::string& strategy : plan_.strategies) {
        for (std::optional<Record>& record : RunTask(task, strategy)) {
          if (record) records.push_back(std::move(*record));
        }
        if (error_) return tl::unexpected(*error_);
      }
    }
    return records;
  }

 private:
  bool Cancelled() const { return plan_.cancelled && plan_.cancelled(); }

  void CountKnown() {
    if (!journal_) return;
    for (const Task& task : plan_.tasks) {
      for (const std::string& strategy : plan_.strategies) {
        for (const Item& item : task.items) {
          known_ += journal_->Find(task.family, strategy, item) != nullptr ? 1 : 0;
        }
      }
    }
  }

  std::vector<std::optional<Record>> RunTask(const Task& task, const std::string& strategy) {
    std::vector<std::optional<Record>> records(task.items.size());
    std::vector<std::size_t> open;
    right_ = 0;
    answered_ = 0;
    for (std::size_t i = 0; i < task.items.size(); ++i) {
      const Record* const known =
          journal_ ? journal_->Find(task.family, strategy, task.items[i]) : nullptr;
      if (known) {
        records[i] = *known;
        ++answered_;
        right_ += known->judgement == Judgement::kRight ? 1 : 0;
      } else {
        open.push_back(i);
      }
    }
    last_end_ = Clock::now();
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      while (!Cancelled() && !failed_) {
        const std::size_t at = next++;
        if (at >= open.size()) break;
        AnswerOne(task, strategy, task.items[open[at]], &records[open[at]]);
      }
    };
    std::vector<std::thread> threads;
    const std::size_t count = std::min(std::max<std::size_t>(plan_.parallel, 1), open.size());
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back(work);
    for (std::thread& thread : threads) thread.join();
    return records;
  }

  /// Answers one question and judges it; leaves `record` empty if it was cancelled.
  void AnswerOne(const Task& task, const std::string& strategy, const Item& item,
                 std::optional<Record>* record) {
    const auto begin = Clock::now();
    SolveSettings settings;
    settings.limits = plan_.limits;
    settings.temperature = plan_.temperature;
    settings.seed = Random(plan_.seed, item.id, 0).Next();
    settings.cancelled = plan_.cancelled;
    const Result<Answer> answer = solve_(strategy, item.question, settings);
    if (Cancelled()) return;
    Record made;
    made.family = task.family;
    made.strategy = strategy;
    made.id = item.id;
    made.question = HashOf(item.question);
    if (answer) {
      const Result<Judgement> judged = item.judge(*answer);
      if (!judged) return Stop(judged.error());
      made.judgement = *judged;
      made.value = answer->value;
      if (answer->confidence) made.confidence = std::clamp(*answer->confidence, 0.0, 1.0);
      made.verified = answer->verified;
      made.features = FeaturesOf(*answer);
      made.tokens = answer->trace.budget.tokens;
      made.calls = answer->trace.budget.calls;
    } else {
      made.error = answer.error().Message();
    }
    Finish(begin, std::move(made), record);
  }

  void Finish(Clock::time_point begin, Record made, std::optional<Record>* record) {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    made.seconds = SecondsBetween(begin, now);
    made.wall = SecondsBetween(last_end_, now);
    last_end_ = now;
    if (journal_) {
      if (Status written = journal_->Write(made); !written) {
        failed_ = true;
        if (!error_) error_ = written.error();
        return;
      }
    }
    ++done_;
    ++answered_;
    right_ += made.judgement == Judgement::kRight ? 1 : 0;
    *record = std::move(made);
    if (!plan_.on_progress) return;
    Progress progress;
    progress.family = (*record)->family;
    progress.strategy = (*record)->strategy;
    progress.done = known_ + done_;
    progress.of = total_;
    progress.right = right_;
    progress.answered = answered_;
    progress.seconds_left = SecondsBetween(start_, now) / static_cast<double>(done_) *
                            static_cast<double>(total_ - known_ - done_);
    plan_.on_progress(progress);
  }

  void Stop(const Error& error) {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    if (!error_) error_ = error;
  }

  const Plan& plan_;
  const SolveOne& solve_;
  Journal* const journal_;
  std::size_t total_ = 0;
  std::size_t known_ = 0;  ///< from the journal
  Clock::time_point start_;
  std::atomic<bool> failed_ = false;

  std::mutex mutex_;  ///< of all that follows
  std::optional<Error> error_;
  Clock::time_point last_end_;
  std::size_t done_ = 0;  ///< in this run
  std::size_t right_ = 0;
  std::size_t answered_ = 0;
};

}  // namespace

Result<std::vector<Record>> RunPlan(const Plan& plan, const SolveOne& solve, Journal* journal) {
  return Runner(plan, solve, journal).Run();
}

}  // namespace ergo::reasoning::eval
