// What premises in the formula language entail, by an SMT solver: classical logic.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ergo::reasoning {

enum class Entailment {
  kEntailed,      ///< the claim holds wherever the premises do
  kContradicted,  ///< its negation does
  kIndependent,   ///< neither
  kConflict,      ///< the premises contradict each other
  kUndecided,     ///< not settled in the time and memory given
};
/// "entailed", "contradicted", "independent", "conflict" or "undecided".
std::string_view Name(Entailment entailment);

struct EntailmentResult {
  Entailment verdict = Entailment::kUndecided;
  /// Premises that suffice for the verdict, by number; minimal if time allowed: for a conflict, no
  /// proper subset of them is one.
  std::vector<std::size_t> core;
  bool minimal = false;
};

/// Errors: a formula that does not parse, or uses a name in two ways. Any thread.
Result<EntailmentResult> Entails(std::span<const std::string> premises, std::string_view claim,
                                 std::chrono::milliseconds time = std::chrono::seconds(2));

}  // namespace ergo::reasoning
