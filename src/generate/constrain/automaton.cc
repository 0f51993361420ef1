#include "generate/constrain/automaton.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

namespace ergo::generate::constrain {
namespace {

constexpr std::size_t kMaxToMinimize = 1000;

std::optional<std::uint32_t> Next(const AutomatonState& state, std::uint8_t byte) {
  for (const ByteEdge& edge : state.bytes) {
    if (byte < edge.first) break;
    if (byte <= edge.last) return edge.target;
  }
  return std::nullopt;
}

/// Leaves out the states from which nothing is accepted; the start stays if anything is.
Automaton Trim(const Automaton& automaton) {
  const std::size_t count = automaton.states.size();
  std::vector<std::vector<std::uint32_t>> sources(count);
  std::vector<std::uint32_t> work;
  std::vector<bool> good(count, false);
  for (std::size_t i = 0; i < count; ++i) {
    const auto state = static_cast<std::uint32_t>(i);
    for (const ByteEdge& edge : automaton.states[i].bytes) sources[edge.target].push_back(state);
    if (automaton.states[i].accepting) {
      good[i] = true;
      work.push_back(state);
    }
  }
  while (!work.empty()) {
    const std::uint32_t state = work.back();
    work.pop_back();
    for (const std::uint32_t source : sources[state]) {
      if (good[source]) continue;
      good[source] = true;
      work.push_back(source);
    }
  }
  Automaton result;
  if (count == 0 || !good[0]) return result;
  std::vector<std::uint32_t> names(count, 0);
  std::uint32_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (good[i]) names[i] = next++;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (!good[i]) continue;
    AutomatonState state{.accepting = automaton.states[i].accepting};
    for (const ByteEdge& edge : automaton.states[i].bytes) {
      if (good[edge.target]) state.bytes.push_back({edge.first, edge.last, names[edge.target]});
    }
    result.states.push_back(std::move(state));
  }
  return result;
}

constexpr std::uint32_t kNowhere = 0xFFFFFFFF;

/// The states of `a` side by side with those of `b`, or with kNowhere once `b` has no way on.
class Product {
 public:
  Product(const Automaton& a, const Automaton& b, bool subtract)
      : a_(a), b_(b), subtract_(subtract) {}

  std::optional<Automaton> Run(std::size_t max_states) {
    if (a_.states.empty()) return Automaton{};
    (void)StateOf(0, b_.states.empty() ? kNowhere : 0);
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      if (pairs_.size() > max_states) return std::nullopt;
      const auto [left, right] = pairs_[i];
      const bool in_b = right != kNowhere && b_.states[right].accepting;
      result_.states[i].accepting = a_.states[left].accepting && in_b != subtract_;
      for (const ByteEdge& edge : a_.states[left].bytes) AddEdges(i, edge, right);
    }
    return Trim(result_);
  }

 private:
  std::uint32_t StateOf(std::uint32_t left, std::uint32_t right) {
    const auto [place, fresh] = ids_.try_emplace((std::uint64_t{left} << 32) | right,
                                                 static_cast<std::uint32_t>(pairs_.size()));
    if (fresh) {
      pairs_.emplace_back(left, right);
      result_.states.emplace_back();
    }
    return place->second;
  }

  void AddEdge(std::size_t state, std::uint32_t first, std::uint32_t last, std::uint32_t target) {
    result_.states[state].bytes.push_back(
        {static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(last), target});
  }

  void AddEdges(std::size_t state, const ByteEdge& edge, std::uint32_t right) {
    std::uint32_t first = edge.first;
    if (right != kNowhere) {
      for (const ByteEdge& other : b_.states[right].bytes) {
        if (other.last < first) continue;
        if (other.first > edge.last) break;
        if (other.first > first && subtract_) {
          AddEdge(state, first, other.first - 1U, StateOf(edge.target, kNowhere));
        }
        first = std::max<std::uint32_t>(first, other.first);
        const std::uint32_t last = std::min(edge.last, other.last);
        AddEdge(state, first, last, StateOf(edge.target, other.target));
        first = last + 1;
      }
    }
    if (first <= edge.last && subtract_) {
      AddEdge(state, first, edge.last, StateOf(edge.target, kNowhere));
    }
  }

  const Automaton& a_;
  const Automaton& b_;
  bool subtract_;
  Automaton result_;
  std::unordered_map<std::uint64_t, std::uint32_t> ids_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs_;
};

/// What a state does, in terms of classes of states.
std::vector<std::uint32_t> Signature(const AutomatonState& state,
                                     const std::vector<std::uint32_t>& classes) {
  std::vector<std::uint32_t> signature = {state.accepting ? 1U : 0U};
  std::uint32_t last_class = kNowhere;
  for (const ByteEdge& edge : state.bytes) {
    const std::uint32_t target = classes[edge.target];
    const bool goes_on =
        target == last_class && signature.back() + 1 == static_cast<std::uint32_t>(edge.first);
    if (goes_on) {
      signature.back() = edge.last;
    } else {
      signature.insert(signature.end(), {target, edge.first, edge.last});
    }
    last_class = target;
  }
  signature.push_back(kNowhere);
  for (const CallEdge& call : state.calls) {
    signature.insert(signature.end(), {call.rule, classes[call.target]});
  }
  return signature;
}

}  // namespace

std::optional<Automaton> Intersect(const Automaton& a, const Automaton& b, std::size_t max_states) {
  return Product(a, b, false).Run(max_states);
}

std::optional<Automaton> Subtract(const Automaton& a, const Automaton& b, std::size_t max_states) {
  return Product(a, b, true).Run(max_states);
}

bool Accepts(const Automaton& automaton, std::string_view text) {
  if (automaton.states.empty()) return false;
  std::uint32_t state = 0;
  for (const char c : text) {
    const auto next = Next(automaton.states[state], static_cast<std::uint8_t>(c));
    if (!next) return false;
    state = *next;
  }
  return automaton.states[state].accepting;
}

bool IsPrefixFree(const Automaton& automaton) {
  return std::all_of(
      automaton.states.begin(), automaton.states.end(),
      [](const AutomatonState& state) { return !state.accepting || state.bytes.empty(); });
}

Automaton Minimize(const Automaton& automaton) {
  const std::size_t count = automaton.states.size();
  if (!automaton.deterministic || count > kMaxToMinimize) return automaton;
  std::vector<std::uint32_t> classes(count, 0);
  std::size_t class_count = 1;
  while (true) {
    // Classes are numbered by their first state, so that the start's is 0.
    std::map<std::vector<std::uint32_t>, std::uint32_t> names;
    std::vector<std::uint32_t> refined(count);
    for (std::size_t i = 0; i < count; ++i) {
      auto signature = Signature(automaton.states[i], classes);
      signature.push_back(classes[i]);
      refined[i] = names.try_emplace(std::move(signature), static_cast<std::uint32_t>(names.size()))
                       .first->second;
    }
    classes = std::move(refined);
    if (names.size() == class_count) break;
    class_count = names.size();
  }
  Automaton result;
  result.states.resize(class_count);
  std::vector<bool> done(class_count, false);
  for (std::size_t i = 0; i < count; ++i) {
    if (done[classes[i]]) continue;
    done[classes[i]] = true;
    AutomatonState& state = result.states[classes[i]];
    state.accepting = automaton.states[i].accepting;
    for (const ByteEdge& edge : automaton.states[i].bytes) {
      const std::uint32_t target = classes[edge.target];
      if (!state.bytes.empty() && state.bytes.back().target == target &&
          state.bytes.back().last + 1 == edge.first) {
        state.bytes.back().last = edge.last;
      } else {
        state.bytes.push_back({edge.first, edge.last, target});
      }
    }
    for (const CallEdge& call : automaton.states[i].calls) {
      state.calls.push_back({call.rule, classes[call.target]});
    }
  }
  return result;
}

}  // namespace ergo::generate::constrain
