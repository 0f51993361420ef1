// Questions whose context is a rule theory: "is this statement true, false or unknown?"
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reasoning/verify/check.h"
#include "reasoning/verify/logic_reader.h"

namespace ergo::reasoning {

enum class LogicTruth { kTrue, kFalse, kUnknown };
/// "True", "False" or "Unknown".
std::string_view Name(LogicTruth truth);

/// One step of a derivation, for a trace to show.
struct LogicStep {
  std::string text;                   ///< "Anne is kind"
  std::string rule;                   ///< the sentence that gives it
  bool given = false;                 ///< the sentence says it outright
  std::vector<std::size_t> premises;  ///< earlier steps that the rule used
  bool absence = false;               ///< holds because something cannot be derived
};

struct LogicAnswer {
  LogicTruth truth = LogicTruth::kUnknown;
  std::optional<std::size_t> option;  ///< the one that says so
  std::string value;                  ///< that option without its letter, or the truth's name
  World world = World::kOpen;
  std::string semantics;
  /// Every sentence and the statement were understood, and nothing contradicts anything.
  bool exact = false;
  std::vector<LogicStep> steps;  ///< the derivation, the statement (or its negation) last
  std::vector<Span> unparsed;    ///< of the context
  /// The sentences of a minimal contradiction among the premises.
  std::vector<std::string> conflict;
};

/// The question's parts: premises, the statement asked about, the world that its words mean.
struct LogicQuestion {
  std::string context;
  std::string statement;
  World world = World::kOpen;
};

/// Takes a question apart. With an empty `context` the premises are what stands before the question
/// itself. Open world if "unknown", "uncertain", "cannot be determined" (or 未知, 不确定, 无法确定)
/// is among the words or options; closed otherwise. Nothing if no statement is asked about.
std::optional<LogicQuestion> TakeApart(std::string_view context, std::string_view question,
                                       std::span<const std::string> options);

/// Answers a question that was taken apart, as the next one does.
std::optional<LogicAnswer> SolveLogicQuestion(const LogicQuestion& parts,
                                              std::span<const std::string> options = {});

/// Answers without a model. Nothing if the statement is not understood, no sentence of the context
/// is, or the theory has no least model.
std::optional<LogicAnswer> SolveLogicQuestion(std::string_view context, std::string_view question,
                                              std::span<const std::string> options = {});

/// The steps of a derivation of `model`, in words.
std::vector<LogicStep> StepsOf(const LogicReader& reader, const LeastModel& model,
                               std::size_t derivation);

}  // namespace ergo::reasoning
