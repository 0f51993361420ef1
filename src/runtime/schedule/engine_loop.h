// Forms steps from everything that is alive, and hands out what comes of them.
//
// Everything here belongs to one thread: scheduler.h stands in front of it for all others.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/compute_pool.h"
#include "runtime/engine.h"
#include "runtime/schedule/sequence.h"
#include "runtime/schedule/service.h"
#include "runtime/speculate/draft_model.h"
#include "runtime/speculate/output_index.h"
#include "runtime/speculate/speculation_control.h"

namespace ergo::runtime {

struct LoopOptions {
  /// Most time that a step with other sequences' prompts in it may take, for those who wait for
  /// their next token.
  double stall_seconds = 0.1;
  std::size_t most_running = 4096;              ///< sequences at a time; others wait
  std::size_t most_waiting = 1 << 20;           ///< more are refused
  ComputePool* pool = nullptr;                  ///< nullptr: the process's
  int threads = 0;                              ///< 0: all of the pool
  std::shared_ptr<DraftModel> draft = nullptr;  ///< of this loop alone; nullptr: none
};

struct LoopStats {
  std::size_t waiting = 0;
  std::size_t running = 0;
  std::size_t idle = 0;  ///< ended and kept
  std::uint64_t steps = 0;
  std::uint64_t computed_tokens = 0;
  std::uint64_t drawn_tokens = 0;
  std::uint64_t preemptions = 0;
  std::uint64_t forks = 0;
  double fork_seconds = 0.0;    ///< of the loop's work for all forks
  std::size_t blocks = 0;       ///< of all layers, in all
  std::size_t free_blocks = 0;  ///< or given up when needed
  std::size_t kv_bytes = 0;     ///< of blocks in use or remembered
  PrefixStats prefixes;
};

class EngineLoop {
 public:
  EngineLoop(std::unique_ptr<Engine> engine, const LoopOptions& options);
  /// Ends everything that is alive with kStopped.
  ~EngineLoop();
  EngineLoop(const EngineLoop&) = delete;
  EngineLoop& operator=(const EngineLoop&) = delete;

  /// Takes a sequence up; its stream says what comes of it, errors too.
  void Submit(std::shared_ptr<Live> live);

  /// A sequence that begins with the first `position` tokens of `parent` (all of them: kWhole) and
  /// goes on with `appended`.
  struct Branch {
    std::uint64_t parent = 0;
    std::size_t position = kWhole;
    std::vector<std::int32_t> appended = {};
    bool copies_hook = true;  ///< of a parent that ends at `position`, where none is given
  };
  static constexpr std::size_t kWhole = static_cast<std::size_t>(-1);
  void Fork(std::shared_ptr<Live> live, const Branch& branch);

  /// Log-probabilities of the job's continuations of `base`.
  void Score(std::uint64_t base, std::shared_ptr<ScoreJob> job);

  /// Ends a sequence; one that is kept stays.
  void Stop(std::uint64_t id);
  /// Ends it and forgets it.
  void Drop(std::uint64_t id);
  void StopAll();

  /// Computes one step. False if there was nothing to compute.
  bool Step();
  /// Whether some sequence waits for nothing but its reader or its turn; if not, only a new call
  /// can make Step do something.
  std::size_t alive() const { return waiting_.size() + running_.size(); }
  /// Something outside has changed: a reader has read.
  void LookAgain() { look_again_ = true; }
  /// The next deadline of those alive, or time_point::max().
  std::chrono::steady_clock::time_point NextDeadline() const;

  LoopStats stats() const;
  Engine& engine() { return *engine_; }

 private:
  using LivePtr = std::shared_ptr<Live>;
  using Clock = std::chrono::steady_clock;

  /// A sequence's part in a step.
  struct Part {
    LivePtr live;
    std::span<const std::int32_t> tokens;
    std::size_t proposed = 0;  ///< of `tokens`, at their end
    LogitRows logits = LogitRows::kNone;
    std::size_t first_row = 0;  ///< of its logits
    std::size_t rows = 0;
    std::vector<DrawnToken> drawn;
    std::size_t accepted = 0;  ///< of the proposed tokens
    std::optional<EndReason> ended;
    std::optional<Error> error;
  };

  std::size_t Computed(const Live& live) const { return engine_->Length(live.kv); }
  std::size_t Pending(const Live& live) const { return live.tokens.size() - Computed(live); }

  Status Check(const Live& live) const;
  void Refuse(const LivePtr& live, Error error);
  void Admit();
  bool AdmitOne(const LivePtr& live);
  bool SharesAPromptInWork(const Live& live) const;
  LivePtr NewJobLive(const std::shared_ptr<ScoreJob>& job);

  // Room (room.cc)
  bool MakeRoom(const Live& for_whom, std::size_t bytes);
  bool TakeIdleBlocks(const Live& for_whom);
  bool PreemptForGoodReason(const Live& for_whom);

  // A step (step.cc)
  void Plan();
  bool Take(const LivePtr& live, std::size_t count);
  void Speculate();
  std::size_t MostProposed(const Live& live) const;
  void ProposeFor();
  std::size_t PromptRows() const;
  void Compute();
  void Draw(Part& part, const Logits& logits);
  void AppendForced(Part& part);
  bool Append(Part& part, DrawnToken token);
  void ScoreRows(Part& part, const Logits& logits);
  void Settle(Part& part);
  void SettleScores(Part& part);

  void Finish(const LivePtr& live, EndReason reason, std::optional<Error> error = {});
  void Retire(const LivePtr& live);
  void GiveKvBack(Live& live);
  void RememberWhereTextsPart(Live& live);
  void ExpireDeadlines();

  std::unique_ptr<Engine> engine_;
  LoopOptions options_;
  std::unordered_map<std::uint64_t, LivePtr> alive_;  ///< by id, idle ones too
  std::vector<LivePtr> waiting_;
  std::vector<LivePtr> running_;
  std::vector<LivePtr> idle_;
  ServiceOrder service_;
  std::uint64_t arrivals_ = 0;
  std::uint64_t job_ids_ = std::uint64_t{1} << 63;  ///< of sequences that nobody else knows
  bool look_again_ = false;   ///< somebody may be admitted who could not be before
  bool paused_wait_ = false;  ///< somebody waits whose reader has to read first
  std::size_t most_logit_rows_ = 0;
  SpeculationControl speculation_;
  OutputIndex outputs_;
  double row_seconds_ = 0.0;  ///< of a prompt, measured
  LoopStats stats_;
  ComputePool* pool_;
  int threads_;

  // Of the present step:
  std::vector<Part> parts_;
  std::size_t rows_ = 0;
  std::size_t logit_rows_ = 0;
  std::size_t missing_ = 0;  ///< bytes of the blocks that the parts take
};

}  // namespace ergo::runtime
