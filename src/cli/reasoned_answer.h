// Answers that are reasoned: options, the live view, the trace that is kept.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/options.h"
#include "generate/language_model.h"
#include "generate/session.h"

namespace ergo::cli {

struct EffortChoice {
  std::string effort;    ///< "none", "low", "medium", "high", "auto"; empty: not given
  std::string strategy;  ///< name of a strategy; empty: that of the effort
  std::optional<std::int64_t> max_steps;
  std::optional<std::int64_t> budget_tokens;

  bool given() const {
    return !effort.empty() || !strategy.empty() || max_steps.has_value() ||
           budget_tokens.has_value();
  }
};

/// --effort. The choice must outlive the parsing.
void AddEffortOption(Options& options, EffortChoice* choice);
/// --strategy, --max-steps, --budget-tokens.
void AddStrategyOptions(Options& options, EffortChoice* choice);

/// Whether a question is answered by reasoning: as the choice says, else unless `plain` (options
/// that only the plain model has were given) or the question asks for nothing that could be
/// checked. Error: an unknown effort or strategy, or reasoning together with plain options.
Result<bool> Reasons(const EffortChoice& choice, bool plain, const std::string& question);

struct ReasonedRequest {
  std::string question;
  EffortChoice effort;
  std::uint64_t seed = 0;
  bool json = false;
};

/// Answers on stdout: on a terminal with a live view of the steps, as plain lines through a pipe,
/// with --json the trace. The trace is kept in the store; its id goes to stderr. Returns the exit
/// status.
Result<int> AnswerWithReasoning(const std::shared_ptr<generate::LanguageModel>& model,
                                const ReasonedRequest& request);

/// Keeps a trace of what the plain model answered to a question that asks for nothing that could be
/// checked, and says on stderr so. `result` has log-probabilities.
void KeepPlainAnswer(const generate::LanguageModel& model, const std::string& question,
                     const generate::GenerateResult& result);

}  // namespace ergo::cli
