// Expressions to automata: Thompson's construction, then subsets.
#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <utility>

#include "generate/constrain/automaton.h"

namespace ergo::generate::constrain {
namespace {

constexpr std::size_t kMaxCopies = 32;
constexpr std::size_t kManyChars = 20;
constexpr std::size_t kMaxSubsetWork = 4'000'000;

struct NfaState {
  std::vector<std::uint32_t> free;  ///< reached without reading
  std::vector<ByteEdge> bytes;
  std::vector<CallEdge> calls;
};

/// How a control character is escaped in JSON; empty: \u00xx.
std::string_view ShortEscape(std::uint32_t code_point) {
  switch (code_point) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return {};
  }
}

class Thompson {
 public:
  Thompson(const Expressions& expressions, const BuildOptions& options)
      : expressions_(expressions), options_(options) {}

  std::uint32_t AddState() {
    states_.emplace_back();
    return static_cast<std::uint32_t>(states_.size() - 1);
  }

  /// False when there are too many states.
  bool Build(ExprId id, std::uint32_t from, std::uint32_t to) {
    if (states_.size() > options_.max_states) return false;
    const Expr& expr = expressions_[id];
    switch (expr.kind) {
      case ExprKind::kEmpty:
        states_[from].free.push_back(to);
        return true;
      case ExprKind::kNothing:
        return true;
      case ExprKind::kBytes:
        AddBytes(expr.bytes, from, to);
        return true;
      case ExprKind::kChars:
        AddChars(expr, from, to);
        return true;
      case ExprKind::kConcat:
        return BuildConcat(expr, from, to);
      case ExprKind::kAlternatives:
        return std::all_of(expr.parts.begin(), expr.parts.end(),
                           [&](ExprId part) { return Build(part, from, to); });
      case ExprKind::kRepeat:
        return BuildRepeat(expr, from, to);
      case ExprKind::kCall:
        AddCall(expr.rule, from, to);
        return true;
      case ExprKind::kGraph:
        return BuildGraph(expr, from, to);
      case ExprKind::kAutomaton:
        AddAutomaton(*expr.automaton, from, to);
        return true;
    }
    return false;
  }

  std::vector<NfaState>& states() { return states_; }

 private:
  void AddBytes(std::string_view bytes, std::uint32_t from, std::uint32_t to) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const std::uint32_t next = i + 1 == bytes.size() ? to : AddState();
      const auto byte = static_cast<std::uint8_t>(bytes[i]);
      states_[from].bytes.push_back({byte, byte, next});
      from = next;
    }
  }

  void AddSequences(const CharSet& chars, std::uint32_t from, std::uint32_t to) {
    for (const ByteSequence& sequence : Utf8Sequences(chars)) {
      std::uint32_t state = from;
      for (std::size_t i = 0; i < sequence.size; ++i) {
        const std::uint32_t next = i + 1 == sequence.size ? to : AddState();
        states_[state].bytes.push_back({sequence.bytes[i].first, sequence.bytes[i].last, next});
        state = next;
      }
    }
  }

  void AddChars(const Expr& expr, std::uint32_t from, std::uint32_t to) {
    if (expr.spelling == Spelling::kUtf8) return AddSequences(expr.chars, from, to);
    CharSet escaped = CharSet::Of(0, 0x1F);
    escaped.Add('"');
    escaped.Add('\\');
    AddSequences(expr.chars.Without(escaped), from, to);
    const CharSet to_escape = expr.chars.Intersect(escaped);
    for (const CharRange& range : to_escape.ranges()) {
      for (std::uint32_t c = range.first; c <= range.last; ++c) {
        std::string text(ShortEscape(c));
        if (text.empty()) {
          constexpr std::string_view kHex = "0123456789abcdef";
          text = std::string("\\u00") + kHex[c >> 4] + kHex[c & 15];
        }
        AddBytes(text, from, to);
      }
    }
  }

  void AddCall(RuleId rule, std::uint32_t from, std::uint32_t to) {
    states_[from].calls.push_back({rule, to});
    if (options_.nullable != nullptr && (*options_.nullable)[rule]) {
      states_[from].free.push_back(to);
    }
  }

  bool BuildConcat(const Expr& expr, std::uint32_t from, std::uint32_t to) {
    for (std::size_t i = 0; i < expr.parts.size(); ++i) {
      const std::uint32_t next = i + 1 == expr.parts.size() ? to : AddState();
      if (!Build(expr.parts[i], from, next)) return false;
      from = next;
    }
    return true;
  }

  bool BuildRepeat(const Expr& expr, std::uint32_t from, std::uint32_t to) {
    if (options_.loop && RepeatsByLoop(expressions_, expr)) {
      AddCall(options_.loop(expr.parts[0], expr.min, expr.max), from, to);
      return true;
    }
    for (std::uint32_t i = 0; i < expr.min; ++i) {
      const std::uint32_t next = AddState();
      if (!Build(expr.parts[0], from, next)) return false;
      from = next;
    }
    if (expr.max == kUnlimited) {
      // States of their own, so that nothing else can be reached from within the circle.
      const std::uint32_t hub = AddState();
      states_[from].free.push_back(hub);
      states_[hub].free.push_back(to);
      const std::uint32_t end = AddState();
      states_[end].free.push_back(hub);
      return Build(expr.parts[0], hub, end);
    }
    for (std::uint32_t i = expr.min; i < expr.max; ++i) {
      const std::uint32_t next = AddState();
      states_[from].free.push_back(to);
      if (!Build(expr.parts[0], from, next)) return false;
      from = next;
    }
    states_[from].free.push_back(to);
    return true;
  }

  bool BuildGraph(const Expr& expr, std::uint32_t from, std::uint32_t to) {
    std::unordered_map<std::uint32_t, std::uint32_t> nodes;
    const auto node = [&](std::uint32_t name) {
      const auto [place, fresh] = nodes.try_emplace(name, 0);
      if (fresh) place->second = AddState();
      return place->second;
    };
    const std::uint32_t first = node(0);
    const std::uint32_t last = node(1);
    states_[from].free.push_back(first);
    states_[last].free.push_back(to);
    for (const GraphEdge& edge : expr.edges) {
      const std::uint32_t source = node(edge.from);
      if (!Build(edge.label, source, node(edge.to))) return false;
    }
    return true;
  }

  void AddAutomaton(const Automaton& automaton, std::uint32_t from, std::uint32_t to) {
    if (automaton.states.empty()) return;
    const auto base = static_cast<std::uint32_t>(states_.size());
    states_.resize(states_.size() + automaton.states.size());
    for (std::size_t i = 0; i < automaton.states.size(); ++i) {
      NfaState& state = states_[base + i];
      state.bytes = automaton.states[i].bytes;
      for (ByteEdge& edge : state.bytes) edge.target += base;
      if (automaton.states[i].accepting) state.free.push_back(to);
    }
    states_[from].free.push_back(base);
  }

  const Expressions& expressions_;
  const BuildOptions& options_;
  std::vector<NfaState> states_;
};

struct SetHash {
  std::size_t operator()(const std::vector<std::uint32_t>& set) const {
    std::size_t hash = set.size();
    for (const std::uint32_t value : set) {
      hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL;
      hash ^= hash >> 29;
    }
    return hash;
  }
};

/// Walks over the states of an NFA that are reached without reading.
class Closure {
 public:
  explicit Closure(const std::vector<NfaState>& nfa) : nfa_(nfa), mark_(nfa.size(), 0) {}

  /// Replaces `set` by its closure, sorted; states that do nothing but pass on are left out.
  void Close(std::vector<std::uint32_t>* set, std::uint32_t accept) {
    ++round_;
    work_.clear();
    for (const std::uint32_t state : *set) Visit(state);
    set->clear();
    for (std::size_t i = 0; i < work_.size(); ++i) {
      const std::uint32_t state = work_[i];
      for (const std::uint32_t next : nfa_[state].free) Visit(next);
      if (state == accept || !nfa_[state].bytes.empty() || !nfa_[state].calls.empty()) {
        set->push_back(state);
      }
    }
    std::sort(set->begin(), set->end());
  }

 private:
  void Visit(std::uint32_t state) {
    if (mark_[state] == round_) return;
    mark_[state] = round_;
    work_.push_back(state);
  }

  const std::vector<NfaState>& nfa_;
  std::vector<std::uint32_t> mark_;
  std::uint32_t round_ = 0;
  std::vector<std::uint32_t> work_;
};

class Subsets {
 public:
  Subsets(const std::vector<NfaState>& nfa, std::uint32_t accept, std::size_t max_states)
      : nfa_(nfa), accept_(accept), max_states_(max_states), closure_(nfa) {}

  std::optional<Automaton> Run() {
    (void)StateOf({0});
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      if (sets_.size() > max_states_ || work_ > kMaxSubsetWork) return std::nullopt;
      const std::vector<std::uint32_t> set = *sets_[i];
      AddByteEdges(set, i);
      AddCallEdges(set, i);
      result_.states[i].accepting = std::binary_search(set.begin(), set.end(), accept_);
    }
    return std::move(result_);
  }

 private:
  std::uint32_t StateOf(std::vector<std::uint32_t> set) {
    closure_.Close(&set, accept_);
    work_ += set.size();
    const auto [place, fresh] =
        ids_.try_emplace(std::move(set), static_cast<std::uint32_t>(sets_.size()));
    if (fresh) {
      sets_.push_back(&place->first);
      result_.states.emplace_back();
    }
    return place->second;
  }

  void AddByteEdges(const std::vector<std::uint32_t>& set, std::size_t state) {
    std::vector<std::uint16_t> cuts;
    for (const std::uint32_t member : set) {
      for (const ByteEdge& edge : nfa_[member].bytes) {
        cuts.push_back(edge.first);
        cuts.push_back(static_cast<std::uint16_t>(edge.last + 1));
      }
    }
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    std::vector<std::vector<std::uint32_t>> targets(cuts.size());
    for (const std::uint32_t member : set) {
      for (const ByteEdge& edge : nfa_[member].bytes) {
        auto cut = static_cast<std::size_t>(std::lower_bound(cuts.begin(), cuts.end(), edge.first) -
                                            cuts.begin());
        for (; cuts[cut] <= edge.last; ++cut) targets[cut].push_back(edge.target);
      }
    }
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
      if (targets[i].empty()) continue;
      work_ += targets[i].size();
      const std::uint32_t target = StateOf(std::move(targets[i]));
      const auto last = static_cast<std::uint8_t>(cuts[i + 1] - 1);
      std::vector<ByteEdge>& edges = result_.states[state].bytes;
      if (!edges.empty() && edges.back().target == target && edges.back().last + 1 == cuts[i]) {
        edges.back().last = last;
      } else {
        edges.push_back({static_cast<std::uint8_t>(cuts[i]), last, target});
      }
    }
  }

  void AddCallEdges(const std::vector<std::uint32_t>& set, std::size_t state) {
    std::vector<CallEdge> calls;
    for (const std::uint32_t member : set) {
      calls.insert(calls.end(), nfa_[member].calls.begin(), nfa_[member].calls.end());
    }
    std::sort(calls.begin(), calls.end(),
              [](const CallEdge& a, const CallEdge& b) { return a.rule < b.rule; });
    for (std::size_t i = 0; i < calls.size();) {
      std::vector<std::uint32_t> targets;
      const RuleId rule = calls[i].rule;
      for (; i < calls.size() && calls[i].rule == rule; ++i) targets.push_back(calls[i].target);
      const std::uint32_t target = StateOf(std::move(targets));
      result_.states[state].calls.push_back({rule, target});
    }
  }

  const std::vector<NfaState>& nfa_;
  std::uint32_t accept_;
  std::size_t max_states_;
  Closure closure_;
  std::size_t work_ = 0;
  Automaton result_;
  std::unordered_map<std::vector<std::uint32_t>, std::uint32_t, SetHash> ids_;
  std::vector<const std::vector<std::uint32_t>*> sets_;
};

/// The same NFA without moves that read nothing. None if that takes too many edges.
std::optional<Automaton> RemoveFreeMoves(const std::vector<NfaState>& nfa, std::uint32_t accept) {
  Closure closure(nfa);
  Automaton result;
  result.deterministic = false;
  result.states.resize(nfa.size());
  std::size_t work = 0;
  for (std::size_t i = 0; i < nfa.size(); ++i) {
    std::vector<std::uint32_t> set = {static_cast<std::uint32_t>(i)};
    closure.Close(&set, accept);
    AutomatonState& state = result.states[i];
    for (const std::uint32_t member : set) {
      state.bytes.insert(state.bytes.end(), nfa[member].bytes.begin(), nfa[member].bytes.end());
      state.calls.insert(state.calls.end(), nfa[member].calls.begin(), nfa[member].calls.end());
      if (member == accept) state.accepting = true;
    }
    work += set.size() + state.bytes.size() + state.calls.size();
    if (work > kMaxSubsetWork) return std::nullopt;
    std::sort(state.bytes.begin(), state.bytes.end(),
              [](const ByteEdge& a, const ByteEdge& b) { return a.first < b.first; });
  }
  return result;
}

/// States that an expression takes when it is copied out; at most `limit`.
std::size_t SizeOf(const Expressions& expressions, ExprId id, std::size_t limit) {
  const Expr& expr = expressions[id];
  std::size_t size = 1;
  switch (expr.kind) {
    case ExprKind::kBytes:
      size = expr.bytes.size();
      break;
    case ExprKind::kAutomaton:
      size = expr.automaton->states.size();
      break;
    case ExprKind::kRepeat: {
      const std::size_t copies =
          expr.max == kUnlimited ? std::size_t{expr.min} + 1 : std::size_t{expr.max};
      size = SizeOf(expressions, expr.parts[0], limit) * copies;
      break;
    }
    case ExprKind::kGraph:
      for (const GraphEdge& edge : expr.edges) {
        if (size >= limit) break;
        size += SizeOf(expressions, edge.label, limit);
      }
      break;
    case ExprKind::kConcat:
    case ExprKind::kAlternatives:
      for (const ExprId part : expr.parts) {
        if (size >= limit) break;
        size += SizeOf(expressions, part, limit);
      }
      break;
    default:
      break;
  }
  return std::min(size, limit);
}

bool HoldsManyChars(const Expressions& expressions, ExprId id) {
  const Expr& expr = expressions[id];
  if (expr.kind == ExprKind::kChars) return expr.chars.count() >= kManyChars;
  if (expr.kind == ExprKind::kConcat || expr.kind == ExprKind::kAlternatives ||
      expr.kind == ExprKind::kRepeat) {
    return std::any_of(expr.parts.begin(), expr.parts.end(),
                       [&](ExprId part) { return HoldsManyChars(expressions, part); });
  }
  return false;
}

}  // namespace

std::size_t Automaton::edge_count() const {
  std::size_t count = 0;
  for (const AutomatonState& state : states) count += state.bytes.size() + state.calls.size();
  return count;
}

bool RepeatsByLoop(const Expressions& expressions, const Expr& repeat) {
  const std::size_t copies =
      repeat.max == kUnlimited ? std::size_t{repeat.min} : std::size_t{repeat.max};
  if (copies <= 1) return false;
  if (copies > kMaxCopies) return true;
  if (SizeOf(expressions, repeat.parts[0], kMaxCopies + 1) * copies > kMaxCopies) return true;
  return HoldsManyChars(expressions, repeat.parts[0]);
}

std::optional<Automaton> BuildAutomaton(const Expressions& expressions, ExprId expr,
                                        const BuildOptions& options) {
  Thompson thompson(expressions, options);
  const std::uint32_t start = thompson.AddState();
  const std::uint32_t accept = thompson.AddState();
  if (!thompson.Build(expr, start, accept)) return std::nullopt;
  const std::vector<NfaState>& nfa = thompson.states();
  const std::size_t most = std::min(options.max_states, 4 * nfa.size() + 1000);
  if (auto automaton = Subsets(nfa, accept, most).Run()) return automaton;
  return RemoveFreeMoves(nfa, accept);
}

}  // namespace ergo::generate::constrain
