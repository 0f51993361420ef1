// Puts the questions of several families to several strategies, side by side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reasoning/eval/family.h"
#include "reasoning/eval/record.h"

namespace ergo::reasoning::eval {

struct Progress {
  std::string_view family;
  std::string_view strategy;
  std::size_t done = 0;  ///< of all, those of an earlier run included
  std::size_t of = 0;
  std::size_t right = 0;     ///< of this family by this strategy
  std::size_t answered = 0;  ///< of this family by this strategy
  double seconds_left = 0.0;
};

struct Task {
  std::string family;  ///< options included
  std::vector<Item> items;
};

struct Plan {
  std::vector<Task> tasks;
  std::vector<std::string> strategies;
  Limits limits = {};  ///< of one question
  float temperature = 0.7f;
  std::uint64_t seed = 0;
  std::size_t parallel = 8;
  std::function<bool()> cancelled = {};
  /// Told after each question, by one thread at a time.
  std::function<void(const Progress&)> on_progress = {};
};

/// Answers one question; called by several threads at a time. An error is an answer that was not
/// found.
using SolveOne = std::function<Result<Answer>(std::string_view strategy, const Question& question,
                                              const SolveSettings& settings)>;

/// The records of all questions, in the order of the tasks, within a task of the strategies, then
/// of the items: what `journal` (may be nullptr) holds, and the others as they come. A question has
/// the same seed for every strategy and however many run beside it. When cancelled: those that were
/// done. Errors: a judge's, the journal's.
Result<std::vector<Record>> RunPlan(const Plan& plan, const SolveOne& solve, Journal* journal);

}  // namespace ergo::reasoning::eval
