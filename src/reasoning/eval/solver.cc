#include "reasoning/eval/solver.h"

#include <utility>

#include "reasoning/verify/logic_knights.h"
#include "reasoning/verify/logic_question.h"

namespace ergo::reasoning::eval {

namespace {

/// One family of questions; the first that understands a question answers it.
using Solver = std::optional<Answer> (*)(const Question& question);

Answer Certain(std::string value) {
  Answer answer;
  answer.text = value;
  answer.value = std::move(value);
  answer.confidence = 1.0;
  answer.verified = true;
  return answer;
}

std::optional<Answer> SolveTheory(const Question& question) {
  const std::optional<LogicAnswer> solved =
      SolveLogicQuestion(question.context, question.text, question.options);
  if (!solved || !solved->exact) return std::nullopt;
  return Certain(solved->value);
}

std::optional<Answer> SolveIsland(const Question& question) {
  const std::optional<KnightsAnswer> solved = SolveKnights(
      question.context.empty() ? question.text : question.context + " " + question.text);
  if (!solved || !solved->exact || solved->solutions != 1) return std::nullopt;
  return Certain(solved->Say());
}

constexpr Solver kSolvers[] = {SolveTheory, SolveIsland};

}  // namespace

std::optional<Answer> SolveWithoutModel(const Question& question) {
  for (const Solver solver : kSolvers) {
    if (std::optional<Answer> answer = solver(question)) return answer;
  }
  return std::nullopt;
}

}  // namespace ergo::reasoning::eval
