// A compiled language: rules as automata over bytes that call each other.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "generate/constrain/automaton.h"
#include "generate/constrain/expression.h"

namespace ergo::generate::constrain {

/// Immutable; shared by all that is constrained by it.
class Grammar : public std::enable_shared_from_this<Grammar> {
 public:
  /// What a rule's states do with a count.
  enum class Kind : std::uint8_t {
    kPlain,
    /// Repeats a text by bytes: accepting states complete one repetition and have no bytes of their
    /// own, and the count goes up there.
    kByteLoop,
    /// Repeats another rule: the only state calls it.
    kCallLoop,
  };

  struct State {
    std::uint32_t first_byte = 0;
    std::uint32_t byte_count = 0;
    std::uint32_t first_call = 0;
    std::uint32_t call_count = 0;
    RuleId rule = 0;
    bool accepting = false;
    bool leaves_only = false;  ///< accepting, and nothing else
  };

  using ByteSet = std::bitset<256>;

  struct Rule {
    Kind kind = Kind::kPlain;
    std::uint32_t start = 0;
    std::uint32_t min = 0;  ///< loops: repetitions
    std::uint32_t max = 0;
    RuleId element = 0;      ///< kCallLoop
    std::uint32_t rank = 0;  ///< lower than that of every rule that may be called at its start
  };

  /// The states of the end of the text and of the unknown stack below a rule that is looked at by
  /// itself (token_masks.h).
  static constexpr std::uint32_t kEnd = 0;
  static constexpr std::uint32_t kBottom = 1;

  /// Compiles the text of `root`. Errors name the place of the rule concerned: no text is possible,
  /// a rule that begins with itself, too many states.
  static Result<std::shared_ptr<const Grammar>> Compile(const Expressions& expressions, RuleId root,
                                                        const std::string& where);

  const State& state(std::uint32_t id) const { return states_[id]; }
  const Rule& rule(RuleId id) const { return rules_[id]; }
  const Rule& rule_of(std::uint32_t state) const { return rules_[states_[state].rule]; }
  RuleId rule_id_of(std::uint32_t state) const { return states_[state].rule; }
  RuleId rule_at_rank(std::uint32_t rank) const { return by_rank_[rank]; }
  /// Bytes that may come after the end of a rule, whatever called it; perhaps some more.
  const ByteSet& follow(RuleId id) const { return follow_[id]; }
  RuleId root() const { return root_; }
  bool root_nullable() const { return root_nullable_; }
  std::size_t state_count() const { return states_.size(); }
  std::size_t rule_count() const { return rules_.size(); }

  std::span<const ByteEdge> bytes(std::uint32_t id) const {
    return std::span(bytes_).subspan(states_[id].first_byte, states_[id].byte_count);
  }
  std::span<const CallEdge> calls(std::uint32_t id) const {
    return std::span(calls_).subspan(states_[id].first_call, states_[id].call_count);
  }

 private:
  friend class GrammarCompiler;
  Grammar() = default;
  /// Bytes that the text may go on with from a state within its rule; `starts` are those of rules.
  ByteSet FirstBytes(std::uint32_t state, const std::vector<ByteSet>& starts) const;
  void FindFollow();

  std::vector<State> states_;
  std::vector<ByteEdge> bytes_;
  std::vector<CallEdge> calls_;
  std::vector<Rule> rules_;
  std::vector<RuleId> by_rank_;
  std::vector<ByteSet> follow_;
  RuleId root_ = 0;
  bool root_nullable_ = false;
};

}  // namespace ergo::generate::constrain
