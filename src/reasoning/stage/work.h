// What a strategy works with: the question, a metered model, the trace, and named stages.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reasoning/model/text_model.h"
#include "reasoning/stage/budget.h"
#include "reasoning/strategies/strategy.h"
#include "reasoning/trace/recorder.h"

namespace ergo::reasoning {

/// One answer in the making. Not for several threads at a time.
class Work {
 public:
  Work(TextModel& model, const Question& question, const SolveSettings& settings, Recorder& trace,
       Budget& budget)
      : model_(model), question_(question), settings_(settings), trace_(trace), budget_(&budget) {}
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  TextModel& model() const { return model_; }
  const Question& question() const { return question_; }
  const SolveSettings& settings() const { return settings_; }
  Recorder& trace() { return trace_; }
  Budget& budget() { return *budget_; }

  /// Errors: those of the model.
  Result<BranchPtr> Begin(const Prompt& prompt);
  /// Draws within the budget: `continuations` share what is left of it, first come, first served;
  /// those that get no token end with kLength and no text. Results in order.
  std::vector<Result<Drawn>> Continue(std::vector<Continuation> continuations);
  Result<Drawn> Continue(Continuation continuation);
  /// The same, heard of one by one, while the others go on. One that goes on draws from what its
  /// first draw left of what was set aside for it; without any the rest is not asked for.
  void ContinueEach(std::vector<Continuation> continuations, const HearDrawn& hear);
  /// A seed that differs with every call and depends on the settings' seed alone.
  std::uint64_t NextSeed();

  /// Runs a stage under a part of the budget and records its time, tokens and outcome. A stage that
  /// cannot begin (nothing left, cancelled) is skipped; its status is returned, never thrown away:
  /// a caller goes on without what the stage would have given.
  Status Stage(std::string_view name, const Limits& limits, const std::function<Status()>& body);

  std::size_t tokens_reused() const { return tokens_reused_; }

 private:
  TextModel& model_;
  const Question& question_;
  const SolveSettings& settings_;
  Recorder& trace_;
  Budget* budget_;
  std::uint64_t draws_ = 0;
  std::size_t tokens_reused_ = 0;
};

}  // namespace ergo::reasoning
