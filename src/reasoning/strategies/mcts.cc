// Monte Carlo tree search over steps: one line is one move, values come from roll-outs, exact
// checks prune.
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/derive/step_draw.h"
#include "reasoning/derive/steps.h"
#include "reasoning/search/tree_search.h"
#include "reasoning/strategies/list.h"
#include "reasoning/strategies/samples.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kWidth = 3;
constexpr std::size_t kRolloutTokens = 256;
constexpr std::size_t kMostLeaves = 64;
constexpr std::size_t kTokensOfALeaf = 3 * (40 + 200);  ///< its steps and their roll-outs, about
constexpr double kLead = 8.0;

struct StepState final : SearchState {
  Place place;
  std::string value;  ///< of a derivation that has ended
  std::vector<Finding> findings;
};

/// The results of the equations so far: derivations that computed the same are one. Empty if the
/// last step computed nothing.
std::string KeyOf(const StepState& state, std::size_t step_begin) {
  std::string key;
  bool computes = false;
  for (const Finding& finding : state.findings) {
    if (finding.value.empty()) continue;
    key += finding.value + ";";
    computes = computes || finding.span.begin >= step_begin;
  }
  return computes ? key : std::string();
}

class StepDomain final : public SearchDomain {
 public:
  StepDomain(Work& work, std::vector<Derivation>* derivations)
      : work_(work), kind_(KindOf(work.question())), derivations_(derivations) {}

  std::vector<std::vector<Move>> Extend(std::span<const StatePtr> states) override {
    std::vector<Place> places;
    for (const StatePtr& state : states) places.push_back(At(state).place);
    const auto drawn = DrawSteps(work_, places, {.width = kWidth});
    std::vector<std::vector<Move>> moves(states.size());
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      if (drawn[i].branch == nullptr) continue;
      const std::size_t from = i / kWidth;
      moves[from].push_back(MoveTo(drawn[i], places[from]));
    }
    return moves;
  }

  /// The share of a state's completions that come to the value that most completions of the whole
  /// search come to.
  std::vector<double> Value(std::span<const StatePtr> states) override {
    std::vector<Place> open;
    std::vector<std::string> values(states.size());
    std::vector<std::size_t> owner;
    for (std::size_t i = 0; i < states.size(); ++i) {
      const StepState& state = At(states[i]);
      values[i] = state.value;
      if (!state.place.ended) {
        open.push_back(state.place);
        owner.push_back(i);
      } else if (!state.value.empty()) {
        Count(states[i].get(), state.place, state.value, state.findings);
      }
    }
    const auto ends = DrawCompletions(
        work_, open,
        {.width = 1, .temperature = work_.settings().temperature, .max_tokens = kRolloutTokens});
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].branch == nullptr) continue;
      values[owner[i]] = ValueIn(ends[i].text, kind_, work_.question());
      if (!values[owner[i]].empty()) {
        Count(states[owner[i]].get(), ends[i], values[owner[i]], CheckText(work_, ends[i].text));
      }
    }
    const auto candidates = Vote(*derivations_, kind_, true);
    std::vector<double> worth;
    for (const std::string& value : values) {
      double weight = 0.0;
      for (const Candidate& candidate : candidates) {
        if (!value.empty() && SameValue(candidate.value, value, kind_)) weight = candidate.weight;
      }
      worth.push_back(weight);
    }
    return worth;
  }

  bool Exhausted() override {
    if (work_.budget().Exhausted()) return true;
    const auto candidates = Vote(*derivations_, kind_, true);
    if (candidates.empty()) return false;
    return candidates[0].mass - (candidates.size() > 1 ? candidates[1].mass : 0.0) >= kLead;
  }

  /// The states that the derivations went out from, in their order.
  const std::vector<const SearchState*>& origins() const { return origins_; }

 private:
  static StepState& At(const StatePtr& state) { return static_cast<StepState&>(*state); }

  Move MoveTo(const Place& place, const Place& from) {
    auto state = std::make_shared<StepState>();
    state->place = place;
    state->findings = CheckText(work_, place.text);
    Move move;
    move.prior = std::exp(
        MeanLogprob({place.tokens.begin() + static_cast<std::ptrdiff_t>(from.tokens.size()),
                     place.tokens.end()}));
    move.terminal = place.ended;
    move.refuted =
        std::any_of(state->findings.begin(), state->findings.end(), [](const Finding& finding) {
          return finding.exact && finding.verdict == Verdict::kRefuted;
        });
    move.key = KeyOf(*state, from.text.size());
    if (place.ended) state->value = ValueIn(place.text, kind_, work_.question());
    move.state = std::move(state);
    return move;
  }

  void Count(const SearchState* origin, const Place& place, const std::string& value,
             std::vector<Finding> findings) {
    origins_.push_back(origin);
    Derivation derivation;
    derivation.text = place.text;
    derivation.value = value;
    derivation.tokens = place.tokens.size();
    derivation.mean_logprob = MeanLogprob(place.tokens);
    derivation.finished = place.ended;
    derivation.findings = std::move(findings);
    NoteGivens(work_, &derivation);
    derivations_->push_back(std::move(derivation));
  }

  Work& work_;
  AnswerKind kind_;
  std::vector<Derivation>* derivations_;
  std::vector<const SearchState*> origins_;
};

/// The share that the edge to a node had among its siblings.
double PriorOf(const std::vector<SearchNode>& nodes, std::size_t node) {
  for (const SearchNode::Edge& edge : nodes[nodes[node].parent].edges) {
    if (edge.child == node) return edge.prior;
  }
  return 0.0;
}

/// The tree that was searched, in the trace; each derivation gets the node that it went out from.
void Record(Work& work, const TreeSearch& search, const std::vector<const SearchState*>& origins,
            std::vector<Derivation>* derivations) {
  const auto& nodes = search.nodes();
  std::vector<std::string> ids(nodes.size());
  std::map<const SearchState*, std::string> id_of;
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    const auto& state = static_cast<const StepState&>(*nodes[i].state);
    const auto& from = static_cast<const StepState&>(*nodes[nodes[i].parent].state);
    TraceNode node;
    node.kind = NodeKind::kStep;
    node.text = state.place.text.substr(from.place.text.size());
    while (!node.text.empty() && node.text.back() == '\n') node.text.pop_back();
    node.value = state.value;
    node.search = {ids[nodes[i].parent], static_cast<int>(nodes[i].depth), nodes[i].visits,
                   nodes[i].mean(), PriorOf(nodes, i)};
    for (std::size_t t = from.place.tokens.size(); t < state.place.tokens.size(); ++t) {
      const DrawnToken& token = state.place.tokens[t];
      node.tokens.push_back({token.text, token.logprob, std::nullopt});
    }
    node.kv_new = node.tokens.size();
    for (const Finding& finding : state.findings) {
      if (finding.span.begin < from.place.text.size()) continue;
      NodeVerification& verification = node.verification.emplace_back(ToVerification(finding));
      verification.span.begin -= from.place.text.size();
      verification.span.end -= from.place.text.size();
    }
    ids[i] = work.trace().Add(std::move(node));
    id_of[nodes[i].state.get()] = ids[i];
  }
  for (std::size_t i = 0; i < derivations->size(); ++i) {
    (*derivations)[i].node = id_of[origins[i]];
  }
  const auto best = search.PathTo(search.Best());
  for (std::size_t i = 2; i < best.size(); ++i) {
    work.trace().Link({ids[best[i - 1]], ids[best[i]], EdgeType::kPremise, 1.0});
  }
}

Result<Answer> SolveMcts(Work& work) {
  const auto prompt = ChainPrompt(work);
  if (!prompt) return tl::unexpected(prompt.error());
  const auto start = work.Begin(*prompt);
  if (!start) return tl::unexpected(start.error());
  std::vector<Derivation> derivations;
  const Status searched = work.Stage("search", {}, [&]() -> Status {
    StepDomain domain(work, &derivations);
    TreeSearchOptions options;
    options.leaves =
        SamplesFor(work, {.tokens = 4 * kTokensOfALeaf, .unbounded = 4, .most = kMostLeaves});
    options.rounds = work.budget().tokens_left() == Limits::kNoLimit ? 8 : 1000;
    options.depth = std::min<std::size_t>(options.depth, work.budget().steps());
    TreeSearch search(domain, options);
    auto root = std::make_shared<StepState>();
    root->place = {*start, "", {}, false};
    search.Run(std::move(root));
    Record(work, search, domain.origins(), &derivations);
    return {};
  });
  if (!searched && derivations.empty() && !work.budget().Exhausted()) {
    return tl::unexpected(searched.error());
  }
  return Conclude(work, derivations, Vote(derivations, KindOf(work.question()), true));
}

}  // namespace

const Strategy kMctsStrategy = {"mcts", "tree search over steps with roll-outs and exact checks",
                                SolveMcts};

}  // namespace ergo::reasoning
