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

constexpr std::size_t kRounds = 4;
constexpr std::size_t kSamples = 2;  ///< of each kind in a round
constexpr std::size_t kChangeTokens = 12;
constexpr std::size_t kDirectionTokens = 4;
constexpr double kLead = 2.0;  ///< votes by which a change must be ahead
/// A direction is easier to tell but says less: it decides between changes that were drawn about as
/// often.
constexpr double kDirectionWeight = 0.4;
/// "+ 25" without its operator.
constexpr std::size_t kOperator = 2;

bool Increases(const std::string& change) { return change[0] == '+' || change[0] == '*'; }

/// What is known about one event: votes for what it changes, and for the direction in which.
struct Event {
  std::string text;
  BranchPtr change;
  BranchPtr direction;
  std::map<std::string, double> votes = {};  ///< "+ 25" -> samples
  double more = 0.0;
  double fewer = 0.0;
  double drawn = 0.0;
  std::size_t tokens = 0;

  /// The two kinds of evidence together.
  double Weight(const std::string& what, double count) const {
    return count + kDirectionWeight * (Increases(what) ? more : fewer);
  }
  /// The heaviest change and its lead; none if every sample was malformed.
  std::optional<std::pair<std::string, double>> Best() const {
    std::string best;
    double first = 0.0;
    double second = 0.0;
    for (const auto& [what, count] : votes) {
      const double weight = Weight(what, count);
      if (best.empty() || weight > first) {
        second = best.empty() ? 0.0 : first;
        first = weight;
        best = what;
      } else {
        second = std::max(second, weight);
      }
    }
    if (best.empty()) return std::nullopt;
    return std::pair{best, first - second};
  }
  double Share() const {
    double total = 0.0;
    double best = 0.0;
    for (const auto& [what, count] : votes) {
      total += Weight(what, count);
      best = std::max(best, Weight(what, count));
    }
    return total > 0.0 ? best / total : 0.0;
  }
};

Result<BranchPtr> BeginAbout(Work& work, std::string_view name, const std::string& event) {
  const std::array values = {PromptValue{"step", event}};
  const auto prompt = MakePrompt({name, LanguageOf(event), work.model().family()}, values);
  if (!prompt) return tl::unexpected(prompt.error());
  return work.Begin(*prompt);
}

Draw DrawOf(Work& work, const std::string& grammar, std::size_t tokens, bool first) {
  Draw draw;
  draw.max_tokens = tokens;
  draw.temperature = first ? 0.0f : 0.7f;
  draw.seed = work.NextSeed();
  draw.grammar = grammar;
  return draw;
}

/// One batch of samples for all events that are not settled.
void DrawRound(Work& work, std::size_t round, const std::array<std::string, 2>& grammars,
               std::vector<Event*>* open) {
  std::vector<Continuation> continuations;
  for (const Event* event : *open) {
    for (std::size_t i = 0; i < kSamples; ++i) {
      const bool first = round == 0 && i == 0;
      continuations.push_back({event->change, "", DrawOf(work, grammars[0], kChangeTokens, first)});
      continuations.push_back(
          {event->direction, "", DrawOf(work, grammars[1], kDirectionTokens, first)});
    }
  }
  auto results = work.Continue(std::move(continuations));
  for (std::size_t i = 0; i < results.size(); ++i) {
    Event& event = *(*open)[i / (2 * kSamples)];
    if (!results[i] || results[i]->tokens == 0) continue;
    const std::string& text = results[i]->text;
    event.tokens += results[i]->tokens;
    if (i % 2 == 1) {
      (text == "more" ? event.more : event.fewer) += 1.0;
      continue;
    }
    event.drawn += 1.0;
    // A sample whose number the event does not name is malformed and thrown away.
    const bool formed =
        text.size() > kOperator && event.text.find(text.substr(kOperator)) != std::string::npos;
    if (formed) event.votes[text] += 1.0;
  }
}

Status Settle(Work& work, std::vector<Event>* events) {
  std::array<std::string, 2> grammars;
  for (std::size_t i = 0; i < grammars.size(); ++i) {
    const auto text =
        PromptText(i == 0 ? "change.gbnf" : "direction.gbnf", LanguageOf(events->front().text));
    if (!text) return tl::unexpected(text.error());
    grammars[i] = std::string(*text);
  }
  for (Event& event : *events) {
    auto change = BeginAbout(work, "change", event.text);
    auto direction = BeginAbout(work, "direction", event.text);
    if (!change) return Fail(std::move(change));
    if (!direction) return Fail(std::move(direction));
    event.change = *change;
    event.direction = *direction;
  }
  for (std::size_t round = 0; round < kRounds && !work.budget().Exhausted(); ++round) {
    std::vector<Event*> open;
    for (Event& event : *events) {
      const auto best = event.Best();
      if (!best || best->second < kLead) open.push_back(&event);
    }
    if (open.empty()) break;
    DrawRound(work, round, grammars, &open);
  }
  return {};
}

/// Computes the story with the changes that were settled, and writes it to the trace.
Status Compute(Work& work, const std::string& start, const std::vector<Event>& events,
               Derivation* derivation) {
  std::string value = start;
  std::string parent;
  double confidence = 1.0;
  for (const Event& event : events) {
    const auto best = event.Best();
    if (!best) return Fail("nothing was drawn that fits it", event.text);
    const std::string calculation = value + " " + best->first;
    const auto exact = ExactValueAfterEquals(calculation + " =");
    if (!exact) return Fail("the calculation has no value", calculation);
    TraceNode goal;
    goal.kind = NodeKind::kSubgoal;
    goal.text = event.text;
    goal.formal = calculation;
    goal.value = *exact;
    goal.confidence.vote = event.Share();
    const std::string goal_id = work.trace().Add(std::move(goal));
    Derivation step;
    step.text = fmt::format("{} = {}", calculation, *exact);
    RecordSteps(work, {}, &step);
    work.trace().Link({step.node, goal_id, EdgeType::kGoal, 1.0});
    if (!parent.empty()) work.trace().Link({parent, step.node, EdgeType::kPremise, 1.0});
    parent = step.node;
    derivation->findings.insert(derivation->findings.end(), step.findings.begin(),
                                step.findings.end());
    derivation->text += step.text + "\n";
    derivation->tokens += event.tokens;
    confidence *= event.Share();
    value = *exact;
  }
  derivation->value = value;
  derivation->node = parent;
  derivation->mean_logprob = confidence > 0.0 ? std::log(confidence) : -10.0;
  return {};
}

}  // namespace

std::optional<Derivation> SolveRunningQuantity(Work& work) {
  if (!work.question().context.empty() || !work.question().options.empty()) return std::nullopt;
  const auto story = AsRunningQuantity(work.question().text);
  if (!story || story->events.size() > work.budget().steps()) return std::nullopt;
  Derivation derivation;
  const Status done = work.Stage("decompose", {}, [&]() -> Status {
    std::vector<Event> events;
    for (const std::string& text : story->events) events.push_back({text, nullptr, nullptr});
    if (Status settled = Settle(work, &events); !settled) return settled;
    return Compute(work, story->start, events, &derivation);
  });
  if (!done) return std::nullopt;
  return derivation;
}

}  // namespace ergo::reasoning
