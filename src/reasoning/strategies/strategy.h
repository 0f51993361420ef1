// What every way to answer a question looks like.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reasoning/model/text_model.h"
#include "reasoning/stage/budget.h"
#include "reasoning/trace/recorder.h"

namespace ergo::reasoning {

/// What kind of value is asked for: how answers are extracted and compared.
enum class AnswerKind {
  kAuto,    ///< found out from the question
  kNumber,  ///< one number
  kMath,    ///< an expression, as in MATH: compared symbolically
  kChoice,  ///< one of Question::options
  kCode,    ///< a program; its text is the answer
  kText,    ///< anything else
};

struct Question {
  std::string text;
  std::string context = {};               ///< premises that belong to it
  std::vector<std::string> options = {};  ///< with kChoice: what may be answered
  AnswerKind kind = AnswerKind::kAuto;
};

struct SolveSettings {
  Limits limits = {};
  float temperature = 0.7f;
  std::uint64_t seed = 0;
  std::string owner = {};
  std::function<bool()> cancelled = {};
  OnTraceEvent on_event = {};
};

struct Answer {
  std::string text;   ///< for a person
  std::string value;  ///< the value alone, canonical: "42", "\frac{3}{4}", "True", a program
  std::optional<double> confidence = {};
  bool verified = false;  ///< an exact check of a fully parsed derivation supports it
  std::string uncertainty = {};
  Trace trace = {};
};

class Work;

/// One way to answer. The list that knows them all is in strategies/strategies.cc.
struct Strategy {
  std::string_view name;
  std::string_view summary;  ///< one line for a person
  /// Fills in text, value, confidence, verified and uncertainty; writes nodes to the trace. Errors
  /// are for what leaves nothing to say at all; whatever was found is an answer.
  Result<Answer> (*solve)(Work& work);
};

std::span<const Strategy* const> Strategies();
/// nullptr if there is none.
const Strategy* FindStrategy(std::string_view name);

/// Answers `question` with the strategy of that name and returns the answer with its whole trace.
/// Never empty: when the budget ends it is the best that was found. Errors: no such strategy, a
/// question that is empty, not UTF-8 or too long, a model that cannot begin.
Result<Answer> Solve(TextModel& model, std::string_view strategy, const Question& question,
                     const SolveSettings& settings = {});

}  // namespace ergo::reasoning
