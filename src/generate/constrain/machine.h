// Runs a grammar over bytes.
//
// The grammar is read as a pushdown automaton, all readings of the text at once. A position is a
// state of the grammar, a loop's count, and a stack: the set of positions at which the text may go
// on when the state's rule is complete. One stack serves all the callers of a rule at one place of
// the text, as in generalized LL parsing (Scott, Johnstone 2010), so that ambiguity costs no more
// than polynomial memory. Stacks and sets of positions are kept once each and have numbers, and the
// step from a set by a byte is remembered: what has been seen before costs one look-up per byte.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "generate/constrain/grammar.h"

namespace ergo::generate::constrain {

using SetId = std::uint32_t;
using StackId = std::uint32_t;

struct Position {
  std::uint32_t state = 0;
  std::uint32_t count = 0;
  StackId stack = 0;

  auto operator<=>(const Position&) const = default;
};

/// Sets of positions, each kept once. Set 0 is the empty one.
class PositionSets {
 public:
  PositionSets();
  /// The number of a sorted set without duplicates.
  std::uint32_t Intern(std::span<const Position> set);
  std::span<const Position> operator[](std::uint32_t id) const {
    return std::span(positions_).subspan(offsets_[id], offsets_[id + 1] - offsets_[id]);
  }
  std::size_t size() const { return offsets_.size() - 1; }
  std::size_t bytes() const {
    return positions_.size() * sizeof(Position) + offsets_.size() * 8 + table_.size() * 4;
  }

 private:
  void Grow();

  std::vector<Position> positions_;
  std::vector<std::size_t> offsets_;
  std::vector<std::uint32_t> table_;  ///< open addressing; kFree
};

/// Not safe for several threads at a time.
class Machine {
 public:
  explicit Machine(std::shared_ptr<const Grammar> grammar);

  static constexpr SetId kDead = 0;

  SetId start() const { return start_; }
  /// The set after one more byte; kDead if no text goes on like this.
  SetId Step(SetId set, std::uint8_t byte) {
    const std::uint32_t known = steps_[set] ? (*steps_[set])[byte] : kUnknown;
    return known != kUnknown ? known : ComputeStep(set, byte);
  }

  /// Whether the text may end here.
  bool CanEnd(SetId set) const { return Has(set, Grammar::kEnd); }
  /// Whether the rule of Below() may be complete here.
  bool AtBottom(SetId set) const { return Has(set, Grammar::kBottom); }
  /// The only byte that the text can go on with, or -1.
  int OnlyByte(SetId set) const;

  std::span<const Position> positions(SetId set) const { return sets_[set]; }

  /// Where the text may go on once a rule with this stack is complete.
  SetId Popped(StackId stack);
  /// One state alone, of which only the bytes count, on a stack that nothing is known about.
  SetId Below(std::uint32_t state);

  /// One position alone, of which only the bytes count.
  SetId Only(const Position& position) { return AddSet(std::span(&position, 1)); }

  /// Takes a set over from another machine for the same grammar.
  SetId Import(const Machine& other, SetId set);

  std::size_t bytes() const;
  const Grammar& grammar() const { return *grammar_; }

 private:
  static constexpr std::uint32_t kUnknown = 0xFFFFFFFF;
  struct Call {
    std::uint32_t rank = 0;
    Position back;
  };

  bool Has(SetId set, std::uint32_t state) const;
  SetId ComputeStep(SetId set, std::uint8_t byte);
  SetId AddSet(std::span<const Position> set);
  /// The set of what is in items_ and all that it leads to without a byte.
  SetId Close();
  void AddItem(const Position& item);
  void Complete(const Position& item);
  void AddCalls(const Position& item);
  void AddCall(RuleId rule, const Position& back, bool tail);
  void EnterRules();
  bool Reads(const Position& item) const;

  std::shared_ptr<const Grammar> grammar_;
  PositionSets stacks_;
  PositionSets sets_;
  std::vector<std::unique_ptr<std::array<std::uint32_t, 256>>> steps_;
  std::size_t step_tables_ = 0;
  StackId bottom_stack_ = 0;
  SetId start_ = 0;

  std::vector<Position> items_;  ///< of Close: positions that rules were completed to get to
  std::vector<Position> seen_;   ///< sorted part of items_, once they are many
  std::vector<Call> calls_;      ///< heap, lowest rank first
  std::vector<Position> frames_;
  std::vector<Position> result_;
};

}  // namespace ergo::generate::constrain
