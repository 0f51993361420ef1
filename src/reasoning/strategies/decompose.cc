// Splits a question into steps that can be checked, solves each with the least context that
// suffices, and votes on each until one value is ahead (as MAKER, Meyerson et al. 2025, does).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "reasoning/decompose/goals.h"
#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/derive/steps.h"
#include "reasoning/prompts/prompts.h"
#include "reasoning/strategies/list.h"
#include "reasoning/strategies/running_quantity.h"
#include "reasoning/strategies/samples.h"
#include "reasoning/verify/arithmetic.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kPlanTokens = 200;
constexpr std::size_t kPlanSamples = 2;  ///< malformed ones are thrown away
constexpr std::size_t kLeafTokens = 96;
constexpr std::size_t kLeafSamples = 2;

struct Solved {
  std::string value;
  double share = 0.0;
  std::string node;
};

/// Draws a plan; nothing if no sample has the right form.
Result<std::vector<Goal>> DrawPlan(Work& work) {
  const std::string& question = work.question().text;
  const PromptLanguage language = LanguageOf(question);
  const std::array values = {PromptValue{"question", question}};
  const auto prompt = MakePrompt({"goals", language, work.model().family()}, values);
  if (!prompt) return tl::unexpected(prompt.error());
  const auto grammar = PromptText("goals.gbnf", language);
  if (!grammar) return tl::unexpected(grammar.error());
  const auto start = work.Begin(*prompt);
  if (!start) return tl::unexpected(start.error());
  for (std::size_t i = 0; i < kPlanSamples && !work.budget().Exhausted(); ++i) {
    const auto drawn = work.Continue({*start,
                                      "",
                                      {.max_tokens = kPlanTokens,
                                       .temperature = i == 0 ? 0.0f : 0.7f,
                                       .seed = work.NextSeed(),
                                       .grammar = std::string(*grammar)}});
    if (!drawn) return tl::unexpected(drawn.error());
    if (auto goals = ParseGoals(drawn->text)) return *std::move(goals);
  }
  return Fail("no plan of the right form was drawn", "decompose");
}

std::string Known(const std::vector<Goal>& goals, const Goal& goal,
                  const std::map<std::size_t, Solved>& solved) {
  std::string known;
  for (const std::size_t need : goal.needs) {
    const auto found = solved.find(need);
    if (found == solved.end() || found->second.value.empty()) continue;
    known += fmt::format("{} {}\n", goals[need].text, found->second.value);
  }
  return known;
}

/// Draws each goal of a group several times, all in one batch.
std::vector<std::vector<Drawn>> DrawGroup(Work& work, const std::vector<Goal>& goals,
                                          const std::vector<std::size_t>& group,
                                          const std::map<std::size_t, Solved>& solved) {
  const std::string& question = work.question().text;
  std::vector<Continuation> continuations;
  std::vector<std::size_t> owners;
  for (std::size_t g = 0; g < group.size(); ++g) {
    const Goal& goal = goals[group[g]];
    const std::string known = Known(goals, goal, solved);
    const std::array values = {PromptValue{"question", question}, PromptValue{"known", known},
                               PromptValue{"goal", goal.text}};
    const auto prompt = MakePrompt({"leaf", LanguageOf(question), work.model().family()}, values);
    const auto start = prompt ? work.Begin(*prompt) : Result<BranchPtr>(Fail("no prompt"));
    if (!start) continue;
    for (std::size_t i = 0; i < kLeafSamples; ++i) {
      Continuation continuation;
      continuation.from = *start;
      continuation.draw = {.max_tokens = kLeafTokens,
                           .temperature = i == 0 ? 0.0f : 0.7f,
                           .seed = work.NextSeed(),
                           .logprobs = true};
      continuations.push_back(std::move(continuation));
      owners.push_back(g);
    }
  }
  auto results = work.Continue(std::move(continuations));
  std::vector<std::vector<Drawn>> drawn(group.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i] && results[i]->tokens > 0) drawn[owners[i]].push_back(*std::move(results[i]));
  }
  return drawn;
}

/// The value that most samples of a goal come to; those that a check refutes count little.
Solved Settle(Work& work, const std::vector<Drawn>& samples, const std::string& goal_node) {
  std::vector<Derivation> derivations;
  for (const Drawn& sample : samples) {
    Derivation derivation;
    derivation.text = sample.text;
    derivation.value = ValueIn(sample.text, AnswerKind::kNumber, work.question());
    derivation.tokens = sample.tokens;
    derivation.mean_logprob = MeanLogprob(sample.logprobs);
    RecordSteps(work, sample.logprobs, &derivation);
    if (!derivation.node.empty()) {
      work.trace().Link({derivation.node, goal_node, EdgeType::kGoal, 1.0});
    }
    derivations.push_back(std::move(derivation));
  }
  const auto candidates = Vote(derivations, AnswerKind::kNumber, true);
  Solved solved;
  solved.node = goal_node;
  if (candidates.empty()) return solved;
  solved.value = candidates.front().value;
  solved.share = candidates.front().weight;
  OrderedJson fields = OrderedJson::object();
  fields["value"] = solved.value;
  fields["confidence"] = {{"vote", solved.share}};
  work.trace().Update(goal_node, std::move(fields));
  return solved;
}

/// Solves a plan from its leaves to the question itself.
Derivation SolvePlan(Work& work, const std::vector<Goal>& goals) {
  std::vector<std::string> nodes;
  for (std::size_t i = 0; i < goals.size(); ++i) {
    TraceNode node;
    node.kind = NodeKind::kSubgoal;
    node.text = goals[i].text;
    nodes.push_back(work.trace().Add(std::move(node)));
    for (const std::size_t need : goals[i].needs) {
      work.trace().Link({nodes[need], nodes[i], EdgeType::kPremise, 1.0});
    }
  }
  std::map<std::size_t, Solved> solved;
  Derivation derivation;
  for (const auto& group : InOrder(goals)) {
    const auto drawn = DrawGroup(work, goals, group, solved);
    for (std::size_t g = 0; g < group.size(); ++g) {
      const std::size_t index = group[g];
      solved[index] = Settle(work, drawn[g], nodes[index]);
      derivation.text += fmt::format("{} {}\n", goals[index].text, solved[index].value);
      for (const Drawn& sample : drawn[g]) derivation.tokens += sample.tokens;
    }
  }
  derivation.value = solved[goals.size() - 1].value;
  derivation.node = nodes.back();
  if (derivation.value.empty()) derivation.failure = "the last goal came to no value";
  return derivation;
}

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
    auto plan = DrawPlan(work);
    if (!plan) return Fail(std::move(plan));
    goals = *std::move(plan);
    return {};
  }));
  if (!goals.empty()) {
    static_cast<void>(work.Stage("derive", {}, [&]() -> Status {
      derivations.push_back(SolvePlan(work, goals));
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
