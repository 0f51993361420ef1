#include "runtime/speculate/speculation_control.h"

#include <algorithm>
#include <cmath>

namespace ergo::runtime {
namespace {

/// Tries that the rates of all sequences count for in those of one, and the values below in those.
constexpr double kSharedWeight = 1.0;
constexpr double kPriorWeight = 3.0;
/// Before anything is known, by grade: sure enough that it will be tried.
constexpr AcceptanceRates::Chances kPrior[AcceptanceRates::kGrades] = {
    {0.5, 0.6}, {0.25, 0.5}, {0.4, 0.6}, {0.6, 0.8}, {0.8, 0.9}};
/// A try of so many tokens, beside those that pay, shows both chances.
constexpr std::size_t kProbe = 2;
constexpr double kLeastPrice = 0.05;  ///< of a token that is tried, should it seem to be cheaper
constexpr double kMostCredit = 0.5;   ///< steps of one row
/// A step without proposals is run at least once in so many: they are measured against it.
constexpr std::uint64_t kStaleSteps = 128;

/// 0: nothing known; then matches of 1-3, 4-7, 8-15 and more tokens.
std::size_t GradeOf(const Proposal& proposal) {
  if (proposal.matched == 0) return 0;
  return proposal.matched < 4 ? 1 : proposal.matched < 8 ? 2 : proposal.matched < 16 ? 3 : 4;
}

}  // namespace

void AcceptanceRates::Record(std::size_t grade, std::size_t proposed, std::size_t accepted) {
  if (proposed == 0) return;
  accepted = std::min(accepted, proposed);
  const auto add = [this](Count& count, double tries, double hits) {
    count.tries = memory_ * count.tries + tries;
    count.hits = memory_ * count.hits + hits;
  };
  add(first_[grade], 1.0, accepted > 0 ? 1.0 : 0.0);
  if (accepted == 0 || proposed == 1) return;
  const double hits = static_cast<double>(accepted - 1);
  add(further_[grade], accepted < proposed ? hits + 1.0 : hits, hits);
}

double AcceptanceRates::Chances::Expected(std::size_t count) const {
  double expected = 0.0;
  double chance = first;
  for (std::size_t i = 0; i < count; ++i, chance *= further) expected += chance;
  return expected;
}

AcceptanceRates::Chances AcceptanceRates::Estimate(std::size_t grade, const Chances& prior,
                                                   double weight) const {
  const auto mix = [weight](const Count& count, double before) {
    return (count.hits + weight * before) / (count.tries + weight);
  };
  return {mix(first_[grade], prior.first), mix(further_[grade], prior.further)};
}

SpeculationControl::SpeculationControl(const SpeculationOptions& options) : options_(options) {}

AcceptanceRates::Chances SpeculationControl::ChancesOf(const SequenceSpeculation& sequence,
                                                       std::size_t grade) const {
  const auto shared = all_.Estimate(grade, kPrior[grade], kPriorWeight);
  return sequence.rates.Estimate(grade, shared, kSharedWeight);
}

std::size_t SpeculationControl::Ask(SequenceSpeculation& sequence, std::size_t most, double seconds,
                                    const StepSoFar& step) const {
  if (cost_.StepsSince(step.rows) >= kStaleSteps) return 0;
  most = std::min(most, options_.most);
  const double unit = cost_.RowSeconds();
  const double each = unit > 0.0 ? seconds / unit : 0.0;
  const auto chances = ChancesOf(sequence, 0);
  const double now = cost_.Relative(step.rows);
  std::size_t best = 0;
  double best_speed = options_.least_gain * step.tokens / now;
  for (std::size_t k = 1; k <= most; ++k) {
    const double cost = cost_.Relative(step.rows + k) + each * static_cast<double>(k);
    const double speed = (step.tokens + chances.Expected(k)) / cost;
    if (speed > best_speed) {
      best_speed = speed;
      best = k;
    }
  }
  if (best > 0 || most == 0) return best;
  const std::size_t probe = std::min(most, kProbe);
  const double price = std::max(
      cost_.Relative(step.rows + probe) - now + each * static_cast<double>(probe), kLeastPrice);
  sequence.draft_credit += options_.probe_share * now / static_cast<double>(step.rows);
  if (sequence.draft_credit < price) return 0;
  sequence.draft_credit = 0.0;
  return probe;
}

std::size_t SpeculationControl::Choose(SequenceSpeculation& sequence, const Proposal& proposal,
                                       StepSoFar& step) {
  const std::size_t available = std::min(proposal.tokens.size(), options_.most);
  if (available == 0) return 0;
  const bool plain = step.tokens <= static_cast<double>(step.rows);
  if (plain && cost_.StepsSince(step.rows) >= kStaleSteps) return 0;
  const auto chances = ChancesOf(sequence, GradeOf(proposal));
  const double now = cost_.Relative(step.rows);
  // Numbers of rows far beyond the measured ones are approached step by step.
  const std::size_t reach = std::max(step.rows + kProbe, 2 * cost_.largest()) - step.rows;
  std::size_t best = 0;
  double best_speed = options_.least_gain * step.tokens / now;
  double expected = 0.0;
  double chance = chances.first;
  for (std::size_t k = 1; k <= std::min(available, reach); ++k, chance *= chances.further) {
    expected += chance;
    const double speed = (step.tokens + expected) / cost_.Relative(step.rows + k);
    if (speed > best_speed) {
      best_speed = speed;
      best = k;
    }
  }
  best += Probe(sequence, step.rows, best, std::min(available, reach));
  step.rows += best;
  step.tokens += chances.Expected(best);
  return best;
}

std::size_t SpeculationControl::Probe(SequenceSpeculation& sequence, std::size_t rows,
                                      std::size_t chosen, std::size_t available) const {
  // Paid for by a share of the time of all the steps, which the sequences of a step have together.
  const double earned = options_.probe_share * cost_.Relative(rows) / static_cast<double>(rows);
  const std::size_t probe = std::min(available - chosen, kProbe);
  const double price =
      std::max(cost_.Relative(rows + chosen + probe) - cost_.Relative(rows + chosen),
               kLeastPrice * static_cast<double>(probe));
  sequence.credit = std::min(sequence.credit + earned, std::max(kMostCredit, price));
  if (probe == 0 || sequence.credit < price) return 0;
  sequence.credit -= price;
  return probe;
}

void SpeculationControl::RecordAcceptance(SequenceSpeculation& sequence, const Proposal& proposal,
                                          std::size_t proposed, std::size_t accepted) {
  const std::size_t grade = GradeOf(proposal);
  sequence.rates.Record(grade, proposed, accepted);
  all_.Record(grade, proposed, accepted);
}

}  // namespace ergo::runtime
