#include "generate/constrain/grammar.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

namespace ergo::generate::constrain {
namespace {

constexpr std::size_t kMaxStates = 400'000;
constexpr std::size_t kMaxElementStates = 300;
/// Rules of their own that a repetition of a repetition … may lead to.
constexpr std::size_t kMaxRules = 100'000;

}  // namespace

/// Compiles one grammar.
class GrammarCompiler {
 public:
  GrammarCompiler(const Expressions& expressions, RuleId root, const std::string& where)
      : expressions_(expressions), where_(where), root_(root) {
    for (const Expressions::Rule& rule : expressions.rules()) {
      drafts_.push_back({.place = rule.place, .body = rule.body});
    }
  }

  Result<std::shared_ptr<const Grammar>> Run() {
    FindNullable();
    if (auto built = BuildReachable(); !built) return Fail(std::move(built));
    FindProductive();
    if (!StartsGood(root_) && !nullable_[root_]) return Unsatisfiable();
    DropUnproductive();
    if (auto ranked = Rank(); !ranked) return Fail(std::move(ranked));
    return Emit();
  }

 private:
  struct Draft {
    std::string place;
    ExprId body = 0;
    Grammar::Kind kind = Grammar::Kind::kPlain;
    std::uint32_t min = 0;
    std::uint32_t max = 0;
    RuleId element = 0;
    bool built = false;
    Automaton automaton = {};
    std::uint32_t base = 0;  ///< number of its first state among all
  };

  bool Nullable(ExprId id) const {
    const Expr& expr = expressions_[id];
    const auto nullable = [this](ExprId part) { return Nullable(part); };
    switch (expr.kind) {
      case ExprKind::kEmpty:
        return true;
      case ExprKind::kConcat:
        return std::all_of(expr.parts.begin(), expr.parts.end(), nullable);
      case ExprKind::kAlternatives:
        return std::any_of(expr.parts.begin(), expr.parts.end(), nullable);
      case ExprKind::kRepeat:
        return expr.min == 0 || nullable(expr.parts[0]);
      case ExprKind::kCall:
        return nullable_[expr.rule];
      case ExprKind::kGraph:
        return NullablePath(expr);
      case ExprKind::kAutomaton:
        return !expr.automaton->states.empty() && expr.automaton->states[0].accepting;
      default:
        return false;
    }
  }

  bool NullablePath(const Expr& expr) const {
    std::vector<std::uint32_t> reached = {0};
    for (std::size_t i = 0; i < reached.size(); ++i) {
      if (reached[i] == 1) return true;
      for (const GraphEdge& edge : expr.edges) {
        if (edge.from == reached[i] && Nullable(edge.label) &&
            std::find(reached.begin(), reached.end(), edge.to) == reached.end()) {
          reached.push_back(edge.to);
        }
      }
    }
    return false;
  }

  /// Rules of loops are made later, one by one, when what they repeat is known.
  void FindNullable() {
    nullable_.assign(drafts_.size(), false);
    std::vector<std::vector<RuleId>> users(drafts_.size());
    std::vector<RuleId> work;
    for (RuleId rule = 0; rule < drafts_.size(); ++rule) {
      AddUsers(drafts_[rule].body, rule, &users);
      work.push_back(rule);
    }
    while (!work.empty()) {
      const RuleId rule = work.back();
      work.pop_back();
      if (nullable_[rule] || !Nullable(drafts_[rule].body)) continue;
      nullable_[rule] = true;
      for (const RuleId user : users[rule]) {
        if (!nullable_[user]) work.push_back(user);
      }
    }
  }

  void AddUsers(ExprId id, RuleId user, std::vector<std::vector<RuleId>>* users) const {
    const Expr& expr = expressions_[id];
    if (expr.kind == ExprKind::kCall) {
      std::vector<RuleId>& list = (*users)[expr.rule];
      if (list.empty() || list.back() != user) list.push_back(user);
    }
    for (const ExprId part : expr.parts) AddUsers(part, user, users);
    for (const GraphEdge& edge : expr.edges) AddUsers(edge.label, user, users);
  }

  /// The rule that repeats an expression; the same one for the same repetition of one place.
  RuleId LoopOf(ExprId element, std::uint32_t min, std::uint32_t max, RuleId user) {
    const bool empty = Nullable(element);
    // Repetitions of the empty text need not be counted.
    if (empty) min = 0;
    const auto [place, fresh] =
        loops_.try_emplace({element, min, max}, static_cast<RuleId>(drafts_.size()));
    if (fresh) {
      drafts_.push_back({.place = drafts_[user].place, .body = element, .min = min, .max = max});
      drafts_.back().kind = Grammar::Kind::kByteLoop;
      nullable_.push_back(min == 0);
    }
    return place->second;
  }

  std::optional<Automaton> Build(ExprId body, RuleId user) {
    BuildOptions options;
    options.nullable = &nullable_;
    options.max_states = kMaxStates - std::min(kMaxStates, states_);
    options.loop = [this, user](ExprId element, std::uint32_t min, std::uint32_t max) {
      return LoopOf(element, min, max, user);
    };
    auto automaton = BuildAutomaton(expressions_, body, options);
    if (automaton) *automaton = Minimize(*automaton);
    return automaton;
  }

  Status BuildReachable() {
    std::vector<RuleId> work = {root_};
    drafts_[root_].built = true;
    while (!work.empty()) {
      const RuleId rule = work.back();
      work.pop_back();
      std::vector<RuleId> called;
      if (auto built = BuildRule(rule, &called); !built) return built;
      for (const RuleId next : called) {
        if (drafts_[next].built) continue;
        drafts_[next].built = true;
        work.push_back(next);
      }
    }
    return {};
  }

  Status BuildRule(RuleId rule, std::vector<RuleId>* called) {
    auto automaton = Build(drafts_[rule].body, rule);
    if (!automaton || drafts_.size() > kMaxRules) {
      return Fail("the grammar takes too many states", Place(rule),
                  "use smaller repeat counts or fewer alternatives");
    }
    if (drafts_[rule].kind == Grammar::Kind::kByteLoop && !IsByteElement(*automaton)) {
      // The text between two counts becomes a rule of its own.
      const auto element = static_cast<RuleId>(drafts_.size());
      drafts_.push_back({.place = drafts_[rule].place, .body = drafts_[rule].body});
      nullable_.push_back(Nullable(drafts_[rule].body));
      drafts_[rule].kind = Grammar::Kind::kCallLoop;
      drafts_[rule].element = element;
      automaton->states.assign(1, {.calls = {{element, 0}}, .accepting = true});
    }
    for (const AutomatonState& state : automaton->states) {
      for (const CallEdge& call : state.calls) called->push_back(call.rule);
    }
    states_ += automaton->states.size();
    drafts_[rule].automaton = std::move(*automaton);
    return {};
  }

  static bool IsByteElement(const Automaton& automaton) {
    return automaton.deterministic && automaton.states.size() <= kMaxElementStates &&
           !automaton.states.empty() && !automaton.states[0].accepting && IsPrefixFree(automaton) &&
           std::all_of(automaton.states.begin(), automaton.states.end(),
                       [](const AutomatonState& state) {
                         // The start stands for the place between two repetitions only.
                         return state.calls.empty() &&
                                std::none_of(state.bytes.begin(), state.bytes.end(),
                                             [](const ByteEdge& edge) { return edge.target == 0; });
                       });
  }

  /// A call, by the numbers of the states.
  struct Site {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    RuleId rule = 0;
  };
  /// What leads to where, in all the automata.
  struct Links {
    Links(std::size_t states, std::size_t rules)
        : sources(states), sites_to(states), sites_of(rules), rule_at(states, kNoRule) {}
    std::vector<std::vector<std::uint32_t>> sources;  ///< of each state: by a byte
    std::vector<std::vector<Site>> sites_to;          ///< of each state: by a call
    std::vector<std::vector<Site>> sites_of;          ///< of each rule
    std::vector<RuleId> rule_at;                      ///< that starts at a state
    std::vector<std::uint32_t> accepting = {};
  };

  /// `always` is the number of a state that is always good.
  void AddLinks(RuleId rule, std::uint32_t always, Links* links) const {
    const Draft& draft = drafts_[rule];
    const bool call_loop = draft.kind == Grammar::Kind::kCallLoop;
    if (!draft.automaton.states.empty()) links->rule_at[draft.base] = rule;
    for (std::uint32_t i = 0; i < draft.automaton.states.size(); ++i) {
      const AutomatonState& state = draft.automaton.states[i];
      const std::uint32_t from = draft.base + i;
      for (const ByteEdge& edge : state.bytes) {
        links->sources[draft.base + edge.target].push_back(from);
      }
      for (const CallEdge& call : state.calls) {
        // One repetition is as good as all of them.
        const Site site{from, call_loop ? always : draft.base + call.target, call.rule};
        links->sites_to[site.to].push_back(site);
        links->sites_of[call.rule].push_back(site);
      }
      if (state.accepting && !call_loop) links->accepting.push_back(from);
    }
  }

  /// Numbers all the states and keeps those from which their rule can be completed. A call of a
  /// rule whose start is not among them can be dropped: if that rule's text may be empty, the
  /// automata have a way around the call.
  void FindProductive() {
    std::uint32_t count = 0;
    for (Draft& draft : drafts_) {
      draft.base = count;
      count += static_cast<std::uint32_t>(draft.automaton.states.size());
    }
    const std::uint32_t always = count;
    Links links(count + 1U, drafts_.size());
    for (RuleId rule = 0; rule < drafts_.size(); ++rule) AddLinks(rule, always, &links);
    good_.assign(count + 1U, false);
    std::vector<std::uint32_t> work;
    const auto mark = [&](std::uint32_t state) {
      if (good_[state]) return;
      good_[state] = true;
      work.push_back(state);
    };
    for (const std::uint32_t state : links.accepting) mark(state);
    mark(always);
    while (!work.empty()) {
      const std::uint32_t state = work.back();
      work.pop_back();
      for (const std::uint32_t source : links.sources[state]) mark(source);
      for (const Site& site : links.sites_to[state]) {
        if (StartsGood(site.rule)) mark(site.from);
      }
      if (links.rule_at[state] == kNoRule) continue;
      for (const Site& site : links.sites_of[links.rule_at[state]]) {
        if (good_[site.to]) mark(site.from);
      }
    }
  }

  bool StartsGood(RuleId rule) const {
    return !drafts_[rule].automaton.states.empty() && good_[drafts_[rule].base];
  }

  std::string Place(RuleId rule) const {
    const std::string& place = drafts_[rule].place;
    if (place.empty()) return where_;
    return where_.empty() ? place : where_ + ": " + place;
  }

  tl::unexpected<Error> Unsatisfiable() const {
    // Down to a rule that has no text though all that it calls has, or back in a circle.
    RuleId culprit = root_;
    std::vector<bool> seen(drafts_.size(), false);
    for (bool deeper = true; deeper;) {
      deeper = false;
      seen[culprit] = true;
      for (const AutomatonState& state : drafts_[culprit].automaton.states) {
        for (const CallEdge& call : state.calls) {
          if (deeper || seen[call.rule] || StartsGood(call.rule) || nullable_[call.rule]) continue;
          culprit = call.rule;
          deeper = true;
        }
        if (deeper) break;
      }
    }
    return Fail("no text can satisfy this: a choice is empty or a recursion has no end",
                Place(culprit));
  }

  void DropUnproductive() {
    for (Draft& draft : drafts_) {
      for (AutomatonState& state : draft.automaton.states) {
        std::erase_if(state.bytes,
                      [&](const ByteEdge& edge) { return !good_[draft.base + edge.target]; });
        std::erase_if(state.calls, [&](const CallEdge& call) {
          return !StartsGood(call.rule) || !good_[draft.base + call.target];
        });
      }
    }
  }

  /// Numbers the rules so that a rule comes before those that it may begin with.
  Status Rank() {
    enum class Mark : std::uint8_t { kNew, kOpen, kDone };
    std::vector<Mark> marks(drafts_.size(), Mark::kNew);
    std::vector<std::pair<RuleId, std::size_t>> path;
    std::vector<RuleId> finished;
    for (RuleId first = 0; first < drafts_.size(); ++first) {
      if (marks[first] != Mark::kNew || drafts_[first].automaton.states.empty()) continue;
      path.assign(1, {first, 0});
      marks[first] = Mark::kOpen;
      while (!path.empty()) {
        const RuleId rule = path.back().first;
        const std::vector<CallEdge>& calls = drafts_[rule].automaton.states[0].calls;
        if (path.back().second == calls.size()) {
          marks[rule] = Mark::kDone;
          finished.push_back(rule);
          path.pop_back();
          continue;
        }
        const RuleId next = calls[path.back().second++].rule;
        if (marks[next] == Mark::kOpen) {
          return Fail("this begins with itself, so that it could go on forever without any text",
                      Place(next), "put what it begins with first (right recursion)");
        }
        if (marks[next] == Mark::kNew) {
          marks[next] = Mark::kOpen;
          path.emplace_back(next, 0);
        }
      }
    }
    order_.assign(finished.rbegin(), finished.rend());
    return {};
  }

  Result<std::shared_ptr<const Grammar>> Emit() {
    auto grammar = std::shared_ptr<Grammar>(new Grammar);
    Grammar& out = *grammar;
    constexpr std::uint32_t kReserved = 2;  // kEnd and kBottom
    out.states_.resize(kReserved);
    for (Grammar::State& state : out.states_) state.accepting = true;
    out.rules_.resize(drafts_.size());
    // Draft states keep their numbers, after the reserved ones.
    for (RuleId id = 0; id < drafts_.size(); ++id) {
      const Draft& draft = drafts_[id];
      Grammar::Rule& rule = out.rules_[id];
      rule.kind = draft.kind;
      rule.start = kReserved + draft.base;
      rule.min = draft.min;
      rule.max = draft.max;
      rule.element = draft.element;
      for (const AutomatonState& state : draft.automaton.states) {
        Grammar::State made;
        made.first_byte = static_cast<std::uint32_t>(out.bytes_.size());
        made.byte_count = static_cast<std::uint32_t>(state.bytes.size());
        made.first_call = static_cast<std::uint32_t>(out.calls_.size());
        made.call_count = static_cast<std::uint32_t>(state.calls.size());
        made.rule = id;
        made.accepting = state.accepting;
        made.leaves_only = draft.kind == Grammar::Kind::kPlain && state.accepting &&
                           state.bytes.empty() && state.calls.empty();
        for (const ByteEdge& edge : state.bytes) {
          out.bytes_.push_back({edge.first, edge.last, rule.start + edge.target});
        }
        for (const CallEdge& call : state.calls) {
          out.calls_.push_back({call.rule, rule.start + call.target});
        }
        out.states_.push_back(made);
      }
    }
    out.by_rank_ = order_;
    for (std::uint32_t i = 0; i < order_.size(); ++i) out.rules_[order_[i]].rank = i;
    out.root_ = root_;
    out.root_nullable_ = nullable_[root_];
    out.FindFollow();
    return std::shared_ptr<const Grammar>(std::move(grammar));
  }

  static constexpr RuleId kNoRule = 0xFFFFFFFF;

  const Expressions& expressions_;
  const std::string& where_;
  RuleId root_;
  std::vector<Draft> drafts_;
  std::vector<bool> nullable_;
  std::map<std::tuple<ExprId, std::uint32_t, std::uint32_t>, RuleId> loops_;
  std::size_t states_ = 0;
  std::vector<bool> good_;  ///< by number of a state in all
  std::vector<RuleId> order_;
};

Grammar::ByteSet Grammar::FirstBytes(std::uint32_t state,
                                     const std::vector<ByteSet>& starts) const {
  ByteSet first;
  for (const ByteEdge& edge : bytes(state)) {
    for (unsigned byte = edge.first; byte <= edge.last; ++byte) first.set(byte);
  }
  for (const CallEdge& call : calls(state)) first |= starts[call.rule];
  return first;
}

void Grammar::FindFollow() {
  // A rule begins only with rules of higher rank.
  std::vector<ByteSet> starts(rules_.size());
  for (auto rule = by_rank_.rbegin(); rule != by_rank_.rend(); ++rule) {
    starts[*rule] = FirstBytes(rules_[*rule].start, starts);
  }
  follow_.assign(rules_.size(), {});
  // Rules that may be the last thing in a rule, so that what follows it follows them.
  std::vector<std::vector<RuleId>> last_in(rules_.size());
  for (const State& state : states_) {
    for (const CallEdge& call : std::span(calls_).subspan(state.first_call, state.call_count)) {
      follow_[call.rule] |= FirstBytes(call.target, starts);
      if (states_[call.target].accepting) last_in[state.rule].push_back(call.rule);
    }
  }
  std::vector<RuleId> work = by_rank_;
  while (!work.empty()) {
    const RuleId rule = work.back();
    work.pop_back();
    for (const RuleId inner : last_in[rule]) {
      const ByteSet more = follow_[inner] | follow_[rule];
      if (more == follow_[inner]) continue;
      follow_[inner] = more;
      work.push_back(inner);
    }
  }
}

Result<std::shared_ptr<const Grammar>> Grammar::Compile(const Expressions& expressions, RuleId root,
                                                        const std::string& where) {
  return GrammarCompiler(expressions, root, where).Run();
}

}  // namespace ergo::generate::constrain
