// Finite automata over bytes and calls of rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "generate/constrain/expression.h"

namespace ergo::generate::constrain {

struct ByteEdge {
  std::uint8_t first = 0;
  std::uint8_t last = 0;
  std::uint32_t target = 0;
};

struct CallEdge {
  RuleId rule = 0;
  std::uint32_t target = 0;
};

struct AutomatonState {
  std::vector<ByteEdge> bytes = {};  ///< sorted by `first`; disjoint if deterministic
  std::vector<CallEdge> calls = {};
  bool accepting = false;
};

/// State 0 is the start. Without states nothing is accepted.
struct Automaton {
  std::vector<AutomatonState> states;
  bool deterministic = true;

  std::size_t edge_count() const;
};

/// How expressions become automata.
struct BuildOptions {
  /// Of each rule: whether its text may be empty.
  const std::vector<bool>* nullable = nullptr;
  /// Makes a rule that repeats an expression (minimum, maximum); absent: repeats are copied out.
  std::function<RuleId(ExprId, std::uint32_t, std::uint32_t)> loop = {};
  std::size_t max_states = 100'000;
};

/// The automaton of an expression, deterministic unless that would take many times the states. None
/// if it would have more than max_states.
std::optional<Automaton> BuildAutomaton(const Expressions& expressions, ExprId expr,
                                        const BuildOptions& options);

/// Of a deterministic automaton: as few states as do the same. Large ones are left as they are.
Automaton Minimize(const Automaton& automaton);

/// Texts of both, or of `a` but not of `b`. Both deterministic and without calls. None if there
/// would be more than max_states. States that lead nowhere are left out.
std::optional<Automaton> Intersect(const Automaton& a, const Automaton& b, std::size_t max_states);
std::optional<Automaton> Subtract(const Automaton& a, const Automaton& b, std::size_t max_states);

/// Whether a deterministic automaton without calls accepts `text`.
bool Accepts(const Automaton& automaton, std::string_view text);

/// Whether no text that a deterministic automaton without calls accepts goes on after its end.
bool IsPrefixFree(const Automaton& automaton);

/// Whether an expression is repeated by a loop rule rather than by copies, if loops are possible:
/// where copies would be many, or each of them a set of characters so large that the vocabulary
/// would have to be searched anew for each.
bool RepeatsByLoop(const Expressions& expressions, const Expr& repeat);

}  // namespace ergo::generate::constrain
