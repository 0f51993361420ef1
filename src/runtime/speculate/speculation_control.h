// How many proposed tokens are worth computing.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "runtime/speculate/proposer.h"
#include "runtime/speculate/step_cost.h"

namespace ergo::runtime {

struct SpeculationOptions {
  std::size_t most = 15;  ///< proposed tokens of one sequence in one step
  /// Least gain, in tokens per second, for which a step is made larger.
  double least_gain = 1.03;
  /// Share of the time that may be spent on trying what is not expected to pay.
  double probe_share = 0.01;
};

/// Chances that proposed tokens are accepted, by how much context they rest on. Two for each such
/// grade: of the first token, and of each further one if the one before it was accepted.
class AcceptanceRates {
 public:
  static constexpr std::size_t kGrades = 5;

  AcceptanceRates() = default;
  /// Counts are multiplied by `memory` with each new one.
  explicit AcceptanceRates(double memory) : memory_(memory) {}

  /// `accepted` <= `proposed`; 0 proposed: nothing happens.
  void Record(std::size_t grade, std::size_t proposed, std::size_t accepted);

  struct Chances {
    double first = 0.0;
    double further = 0.0;
    /// Tokens to be expected of `count` proposed ones.
    double Expected(std::size_t count) const;
  };
  /// What was counted, mixed with `prior` as if that had been counted over `weight` tries.
  Chances Estimate(std::size_t grade, const Chances& prior, double weight) const;

 private:
  struct Count {
    double tries = 0.0;
    double hits = 0.0;
  };
  double memory_ = 0.95;  ///< about the last 20 matter
  std::array<Count, kGrades> first_{};
  std::array<Count, kGrades> further_{};
};

/// What a SpeculationControl knows of one sequence; a fork gets a copy.
struct SequenceSpeculation {
  AcceptanceRates rates = {};
  double credit = 0.0;        ///< for tries, in steps of one row
  double draft_credit = 0.0;  ///< for tries of a draft model
};

/// Rows that a step has already, and the tokens that it will give.
struct StepSoFar {
  std::size_t rows = 1;  ///< at least 1: the row of the sequence itself is among them
  double tokens = 1.0;   ///< of all the sequences, expected
};

/// Chooses the length of proposals from measured costs of steps and measured acceptance: the one
/// with the most tokens per second to be expected, none where that is not clearly more than
/// without. A sequence for which speculation does not pay is tried again at a bounded cost. One for
/// each model; one thread at a time.
///
/// In a step with n sequences, begin with StepSoFar{n, n} and let each Choose in turn.
class SpeculationControl {
 public:
  explicit SpeculationControl(const SpeculationOptions& options = {});

  /// What to ask of proposers.
  std::size_t most() const { return options_.most; }

  /// How many tokens, at most `most`, a draft model that takes `seconds` for each (0: not known)
  /// should guess; `step` is what there is without them.
  std::size_t Ask(SequenceSpeculation& sequence, std::size_t most, double seconds,
                  const StepSoFar& step) const;

  /// How many tokens of the proposal are to be computed; `step` grows by them.
  std::size_t Choose(SequenceSpeculation& sequence, const Proposal& proposal, StepSoFar& step);

  /// A step of `rows` rows took `seconds`. Only of steps that hold no part of a prompt.
  void Record(std::size_t rows, double seconds) { cost_.Record(rows, seconds); }

  /// Of the first `proposed` tokens of the proposal the first `accepted` were right.
  void RecordAcceptance(SequenceSpeculation& sequence, const Proposal& proposal,
                        std::size_t proposed, std::size_t accepted);

  const StepCost& cost() const { return cost_; }

 private:
  AcceptanceRates::Chances ChancesOf(const SequenceSpeculation& sequence, std::size_t grade) const;
  /// Tokens to try beyond the `chosen` ones that are expected to pay.
  std::size_t Probe(SequenceSpeculation& sequence, std::size_t rows, std::size_t chosen,
                    std::size_t available) const;

  SpeculationOptions options_;
  StepCost cost_;
  AcceptanceRates all_{0.98};  ///< of all the sequences: what a new one starts from
};

}  // namespace ergo::runtime
