#include "reasoning/strategies/goal_tree.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/steps.h"
#include "reasoning/prompts/prompts.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kPlanTokens = 200;
constexpr std::size_t kPlanSamples = 4;
constexpr std::size_t kLeafTokens = 96;
constexpr std::size_t kRoundSamples = 2;
constexpr std::size_t kMostRounds = 3;
constexpr std::size_t kLead = 2;
constexpr std::size_t kMostDepth = 3;
constexpr std::size_t kMostSplits = 3;  ///< in one answer

struct Settled {
  std::string value;     ///< empty: none
  bool checked = false;  ///< by a step that holds exactly
};

/// A goal that is voted on.
struct Leaf {
  const Goal* goal = nullptr;
  std::string node;
  std::string known;  ///< what it needs, a line each
  std::vector<Derivation> samples = {};
};

/// Votes between samples that are of use, each of which counts 1.
std::vector<Candidate> VotesOf(const Leaf& leaf) {
  return Vote(leaf.samples, AnswerKind::kNumber, false);
}

bool Ahead(const Leaf& leaf) {
  const auto candidates = VotesOf(leaf);
  if (candidates.empty()) return false;
  const std::size_t second = candidates.size() > 1 ? candidates[1].supporters.size() : 0;
  return candidates[0].supporters.size() >= second + kLead;
}

class GoalSolver {
 public:
  explicit GoalSolver(Work& work) : work_(work) {}

  /// What goals are a part of: another goal, or the question.
  struct Whole {
    std::string node = {};  ///< empty: the question
    std::size_t depth = 0;
  };
  /// `outer` is known already, a line each.
  std::vector<Settled> Solve(const std::vector<Goal>& goals, const std::string& outer,
                             const Whole& whole);
  const std::string& last_node() const { return last_node_; }
  std::size_t tokens() const { return tokens_; }

 private:
  std::vector<std::string> AddNodes(const std::vector<Goal>& goals, const Whole& whole);
  void DrawRound(const std::vector<Leaf*>& open);
  void Take(Leaf* leaf, const Drawn& drawn);
  Settled Conclude(const Leaf& leaf, std::size_t depth);
  Settled Split(const Leaf& leaf, std::size_t depth);

  Work& work_;
  std::string last_node_;
  std::size_t tokens_ = 0;
  std::size_t splits_ = 0;
};

std::vector<std::string> GoalSolver::AddNodes(const std::vector<Goal>& goals, const Whole& whole) {
  std::vector<std::string> nodes;
  for (const Goal& goal : goals) {
    TraceNode node;
    node.kind = NodeKind::kSubgoal;
    node.text = goal.text;
    node.formal = goal.needs.empty() ? "number" : "number from number";
    for (std::size_t i = 1; i < goal.needs.size(); ++i) node.formal += ", number";
    node.search.depth = static_cast<int>(whole.depth) + 1;
    node.search.parent = whole.node;
    nodes.push_back(work_.trace().Add(std::move(node)));
    for (const std::size_t need : goal.needs) {
      work_.trace().Link({nodes[need], nodes.back(), EdgeType::kPremise, 1.0});
    }
  }
  if (!whole.node.empty()) {
    work_.trace().Link({nodes.back(), whole.node, EdgeType::kGoal, 1.0});
  }
  return nodes;
}

void GoalSolver::Take(Leaf* leaf, const Drawn& drawn) {
  tokens_ += drawn.tokens;
  Derivation derivation;
  derivation.text = drawn.text;
  derivation.tokens = drawn.tokens;
  derivation.mean_logprob = MeanLogprob(drawn.logprobs);
  derivation.finished = drawn.end != DrawEnd::kLength;
  RecordSteps(work_, drawn.logprobs, &derivation);
  if (!derivation.node.empty()) {
    work_.trace().Link({derivation.node, leaf->node, EdgeType::kGoal, 1.0});
  }
  if (!derivation.finished || derivation.refuted()) return;
  derivation.value = ValueIn(drawn.text, AnswerKind::kNumber, work_.question());
  if (!derivation.value.empty()) leaf->samples.push_back(std::move(derivation));
}

void GoalSolver::DrawRound(const std::vector<Leaf*>& open) {
  const std::string& question = work_.question().text;
  std::vector<Continuation> continuations;
  std::vector<Leaf*> owners;
  for (Leaf* leaf : open) {
    const std::array values = {PromptValue{"question", question}, PromptValue{"known", leaf->known},
                               PromptValue{"goal", leaf->goal->text}};
    const auto prompt = MakePrompt({"leaf", LanguageOf(question), work_.model().family()}, values);
    const auto start = prompt ? work_.Begin(*prompt) : Result<BranchPtr>(Fail("no prompt"));
    if (!start) continue;
    for (std::size_t i = 0; i < kRoundSamples; ++i) {
      Continuation continuation;
      continuation.from = *start;
      continuation.draw = {.max_tokens = kLeafTokens,
                           .temperature = leaf->samples.empty() && i == 0 ? 0.0f : 0.7f,
                           .seed = work_.NextSeed(),
                           .logprobs = true};
      continuations.push_back(std::move(continuation));
      owners.push_back(leaf);
    }
  }
  const auto results = work_.Continue(std::move(continuations));
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i] && results[i]->tokens > 0) Take(owners[i], *results[i]);
  }
}

Settled GoalSolver::Split(const Leaf& leaf, std::size_t depth) {
  if (depth >= kMostDepth || splits_ >= kMostSplits || work_.budget().Exhausted()) return {};
  ++splits_;
  const auto plan = DrawPlan(work_, work_.question().text + "\n" + leaf.known + leaf.goal->text);
  if (!plan || plan->size() < 2) return {};
  return Solve(*plan, leaf.known, {leaf.node, depth}).back();
}

Settled GoalSolver::Conclude(const Leaf& leaf, std::size_t depth) {
  Settled settled;
  double share = 0.0;
  const auto candidates = VotesOf(leaf);
  if (!candidates.empty()) {
    const Candidate& winner = candidates.front();
    settled.value = winner.value;
    share = winner.weight;
    for (const std::size_t supporter : winner.supporters) {
      settled.checked = settled.checked || leaf.samples[supporter].confirmed();
    }
  }
  if (!settled.checked) {
    Settled split = Split(leaf, depth);
    if (!split.value.empty() && (split.checked || settled.value.empty())) {
      settled = std::move(split);
      share = 1.0;
    }
  }
  if (settled.value.empty()) return settled;
  OrderedJson fields = OrderedJson::object();
  fields["value"] = settled.value;
  fields["confidence"] = {{"vote", share}};
  work_.trace().Update(leaf.node, std::move(fields));
  return settled;
}

std::vector<Settled> GoalSolver::Solve(const std::vector<Goal>& goals, const std::string& outer,
                                       const Whole& whole) {
  const auto nodes = AddNodes(goals, whole);
  std::vector<Settled> settled(goals.size());
  for (const auto& group : InOrder(goals)) {
    std::vector<Leaf> leaves;
    for (const std::size_t index : group) {
      Leaf leaf{&goals[index], nodes[index], outer};
      for (const std::size_t need : goals[index].needs) {
        if (settled[need].value.empty()) continue;
        leaf.known += fmt::format("{} {}\n", goals[need].text, settled[need].value);
      }
      leaves.push_back(std::move(leaf));
    }
    for (std::size_t round = 0; round < kMostRounds && !work_.budget().Exhausted(); ++round) {
      std::vector<Leaf*> open;
      for (Leaf& leaf : leaves) {
        if (!Ahead(leaf)) open.push_back(&leaf);
      }
      if (open.empty()) break;
      DrawRound(open);
    }
    for (std::size_t i = 0; i < group.size(); ++i) {
      settled[group[i]] = Conclude(leaves[i], whole.depth + 1);
    }
  }
  last_node_ = nodes.back();
  return settled;
}

}  // namespace

Result<std::vector<Goal>> DrawPlan(Work& work, std::string_view question) {
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

Derivation SolveGoals(Work& work, const std::vector<Goal>& goals) {
  GoalSolver solver(work);
  const auto settled = solver.Solve(goals, "", {});
  Derivation derivation;
  for (std::size_t i = 0; i < goals.size(); ++i) {
    derivation.text += fmt::format("{} {}\n", goals[i].text, settled[i].value);
  }
  derivation.tokens = solver.tokens();
  derivation.value = settled.back().value;
  derivation.node = solver.last_node();
  if (derivation.value.empty()) derivation.failure = "the last goal came to no value";
  return derivation;
}

}  // namespace ergo::reasoning
