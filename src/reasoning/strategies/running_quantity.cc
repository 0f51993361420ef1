#include "reasoning/strategies/running_quantity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "reasoning/decompose/goals.h"
#include "reasoning/derive/steps.h"
#include "reasoning/prompts/prompts.h"
#include "reasoning/verify/arithmetic.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kFirstSamples = 3;
constexpr std::size_t kMostSamples = 9;
constexpr std::size_t kLead = 2;  ///< votes by which a calculation must be ahead
constexpr std::size_t kTokens = 12;

struct Decision {
  std::string calculation;  ///< "37 + 25"
  std::string value;
  double share = 0.0;
  double mean_logprob = 0.0;
  std::size_t tokens = 0;
};

/// Votes on the calculation of one event until one is ahead.
std::optional<Decision> Decide(Work& work, const std::string& value, const std::string& event) {
  const PromptLanguage language = LanguageOf(event);
  const std::array values = {PromptValue{"value", value}, PromptValue{"step", event}};
  const auto prompt = MakePrompt({"change", language, work.model().family()}, values);
  const auto grammar = PromptText("change.gbnf", language);
  if (!prompt || !grammar) return std::nullopt;
  const auto start = work.Begin(*prompt);
  if (!start) return std::nullopt;
  std::map<std::string, std::size_t> votes;
  std::size_t voters = 0;
  Decision decision;
  double logprobs = 0.0;
  while (voters < kMostSamples && !work.budget().Exhausted()) {
    const std::size_t count = voters == 0 ? kFirstSamples : 2;
    std::vector<Continuation> continuations(count);
    for (std::size_t i = 0; i < count; ++i) {
      continuations[i].from = *start;
      continuations[i].draw = {.max_tokens = kTokens,
                               .temperature = voters + i == 0 ? 0.0f : 0.6f,
                               .seed = work.NextSeed(),
                               .grammar = std::string(*grammar),
                               .logprobs = true};
    }
    for (auto& drawn : work.Continue(std::move(continuations))) {
      if (!drawn || drawn->tokens == 0) continue;
      decision.tokens += drawn->tokens;
      ++voters;
      // A sample whose number the event does not name is malformed.
      const std::string operand = drawn->text.size() > 3 ? drawn->text.substr(3) : "";
      if (operand.empty() || event.find(operand) == std::string::npos) continue;
      ++votes[drawn->text];
      logprobs += MeanLogprob(drawn->logprobs);
    }
    if (voters == 0) return std::nullopt;
    std::vector<std::pair<std::size_t, std::string>> order;
    for (const auto& [text, count_of] : votes) order.emplace_back(count_of, text);
    std::sort(order.rbegin(), order.rend());
    if (order.empty()) continue;
    const std::size_t second = order.size() > 1 ? order[1].first : 0;
    decision.calculation = value + order[0].second;
    decision.share = static_cast<double>(order[0].first) / static_cast<double>(voters);
    if (order[0].first >= second + kLead) break;
  }
  if (decision.calculation.empty()) return std::nullopt;
  decision.mean_logprob = logprobs / static_cast<double>(voters);
  const auto exact = ExactValueAfterEquals(decision.calculation + " =");
  if (!exact) return std::nullopt;
  decision.value = *exact;
  return decision;
}

}  // namespace

std::optional<Derivation> SolveRunningQuantity(Work& work) {
  if (!work.question().context.empty() || !work.question().options.empty()) return std::nullopt;
  const auto story = AsRunningQuantity(work.question().text);
  if (!story || story->events.size() > work.budget().steps()) return std::nullopt;
  Derivation derivation;
  double share = 1.0;
  const Status done = work.Stage("decompose", {}, [&]() -> Status {
    std::string value = story->start;
    std::string parent;
    for (std::size_t i = 0; i < story->events.size(); ++i) {
      const auto decision = Decide(work, value, story->events[i]);
      if (!decision) return Fail("a step came to no calculation", story->events[i]);
      TraceNode goal;
      goal.kind = NodeKind::kSubgoal;
      goal.text = story->events[i];
      goal.formal = decision->calculation;
      goal.value = decision->value;
      goal.confidence.vote = decision->share;
      const std::string goal_id = work.trace().Add(std::move(goal));
      Derivation step;
      step.text = fmt::format("{} = {}", decision->calculation, decision->value);
      RecordSteps(work, {}, &step);
      work.trace().Link({step.node, goal_id, EdgeType::kGoal, 1.0});
      if (!parent.empty()) work.trace().Link({parent, step.node, EdgeType::kPremise, 1.0});
      parent = step.node;
      derivation.findings.insert(derivation.findings.end(), step.findings.begin(),
                                 step.findings.end());
      derivation.text += step.text + "\n";
      derivation.tokens += decision->tokens;
      share *= decision->share;
      value = decision->value;
    }
    derivation.value = value;
    derivation.node = parent;
    return {};
  });
  if (!done) return std::nullopt;
  derivation.mean_logprob = share > 0.0 ? std::log(share) : -10.0;
  return derivation;
}

}  // namespace ergo::reasoning
