// Splits a question into steps that can be checked, or follows a story sentence by sentence.
#include <utility>

#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/strategies/goal_tree.h"
#include "reasoning/strategies/list.h"
#include "reasoning/strategies/running_quantity.h"
#include "reasoning/strategies/samples.h"

namespace ergo::reasoning {
namespace {

Result<Answer> SolveByDecomposition(Work& work) {
  std::vector<Derivation> derivations;
  if (auto derivation = SolveRunningQuantity(work)) {
    derivations.push_back(*std::move(derivation));
    return Conclude(work, derivations, Vote(derivations, AnswerKind::kNumber, true));
  }
  std::vector<Goal> goals;
  const AnswerKind kind = KindOf(work.question());
  static_cast<void>(work.Stage("decompose", {}, [&]() -> Status {
    if (kind != AnswerKind::kNumber) return Fail("the question has no number for an answer");
    auto plan = DrawPlan(work, work.question().text);
    if (!plan) return Fail(std::move(plan));
    goals = *std::move(plan);
    return {};
  }));
  if (!goals.empty()) {
    static_cast<void>(work.Stage("derive", {}, [&]() -> Status {
      derivations.push_back(SolveGoals(work, goals));
      return {};
    }));
  }
  if (derivations.empty() || derivations.front().value.empty()) {
    const Status drawn = DeriveStage(work, "derive", &derivations, [&] {
      return DrawChains(work, {.count = 1, .temperature = 0.0f, .exact_values = true});
    });
    if (!drawn) return tl::unexpected(drawn.error());
  }
  return Conclude(work, derivations, Vote(derivations, kind, true));
}

}  // namespace

const Strategy kDecomposeStrategy = {
    "decompose", "splits the question into small steps and votes on each", SolveByDecomposition};

}  // namespace ergo::reasoning
