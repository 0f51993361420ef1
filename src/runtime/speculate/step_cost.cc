#include "runtime/speculate/step_cost.h"

#include <algorithm>
#include <cmath>

namespace ergo::runtime {
namespace {

constexpr double kLevelRate = 0.1;      ///< share of a sample's surprise that moves all costs
constexpr double kLeastRate = 0.02;     ///< and, once well known, its own
constexpr double kMostSurprise = 0.25;  ///< a sample that was interrupted counts no more than this
constexpr double kMostFirstSurprise = 0.7;  ///< beside what its neighbours let expect
constexpr std::uint32_t kFewSamples = 4;
constexpr double kLeastShare = 0.005;  ///< no row is for nothing, whatever a few samples say

}  // namespace

void StepCost::Record(std::size_t rows, double seconds) {
  if (rows == 0 || rows > kMostRows || !(seconds > 0.0) || !std::isfinite(seconds)) return;
  const double sample = std::log(seconds);
  if (steps_ == 0) level_ = sample - std::log(RawCost(rows));
  ++steps_;
  Entry& entry = entries_[rows];
  entry.last = steps_;
  if (entry.samples == 0) {
    entry.log_cost = std::log(RawCost(rows));
    largest_ = std::max(largest_, rows);
  }
  ++entry.samples;
  double surprise = sample - level_ - entry.log_cost;
  if (entry.samples <= kFewSamples) {
    // Interruptions only ever make a step longer.
    if (entry.samples > 1) surprise = std::min(surprise, 0.0);
    entry.log_cost += steps_ > 1 ? std::min(surprise, kMostFirstSurprise) : surprise;
    return;
  }
  surprise = std::clamp(surprise, -kMostSurprise, kMostSurprise);
  level_ += kLevelRate * surprise;
  entry.log_cost += std::max(1.0 / entry.samples, kLeastRate) * surprise;
}

double StepCost::RawCost(std::size_t rows) const {
  std::size_t below = std::min(rows, kMostRows);
  while (below > 0 && entries_[below].samples == 0) --below;
  std::size_t above = rows;
  while (above <= largest_ && entries_[above].samples == 0) ++above;
  const auto known = [&](std::size_t r) { return std::exp(entries_[r].log_cost); };
  if (below == rows) return known(rows);
  const double distance = static_cast<double>(rows - below);
  if (below == 0) {
    // Relative to the least that is known, each row fewer saves its share.
    const double unit =
        above <= largest_ ? known(above) / (1.0 + kRowShare * static_cast<double>(above - 1)) : 1.0;
    return unit * (1.0 + kRowShare * (distance - 1.0));
  }
  if (above <= largest_) {
    const double part = distance / static_cast<double>(above - below);
    return known(below) + part * (known(above) - known(below));
  }
  // As from the first known number of rows to the last one, but never for nothing.
  std::size_t first = 1;
  while (entries_[first].samples == 0) ++first;
  const double unit = known(first) / (1.0 + kRowShare * static_cast<double>(first - 1));
  const double run = static_cast<double>(below - first);
  const double slope = run > 0.0 ? (known(below) - known(first)) / run : 0.0;
  return known(below) + distance * std::max(slope, kRowShare * unit);
}

double StepCost::Relative(std::size_t rows) const {
  rows = std::max<std::size_t>(rows, 1);
  const double least = 1.0 + kLeastShare * static_cast<double>(rows - 1);
  return std::max(RawCost(rows) / RawCost(1), least);
}

double StepCost::RowSeconds() const { return steps_ == 0 ? 0.0 : std::exp(level_) * RawCost(1); }

std::uint64_t StepCost::StepsSince(std::size_t rows) const {
  std::uint64_t last = 0;
  std::uint64_t samples = 0;
  rows = std::min(rows, kMostRows);
  for (std::size_t r = (rows + 1) / 2; r <= rows; ++r) {
    last = std::max(last, entries_[r].last);
    samples += entries_[r].samples;
  }
  return samples < kFewSamples ? kNever : steps_ - last;
}

}  // namespace ergo::runtime
