#include "reasoning/eval/statistics.h"

#include <algorithm>
#include <cmath>

#include "reasoning/eval/random.h"

namespace ergo::reasoning::eval {

namespace {

constexpr double kNormal975 = 1.959963984540054;  // 97.5% point of the normal distribution

std::vector<Outcome> SortedWithTiesLevelled(std::span<const Outcome> outcomes,
                                            std::vector<double>* right) {
  std::vector<Outcome> sorted(outcomes.begin(), outcomes.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const Outcome& a, const Outcome& b) { return a.confidence < b.confidence; });
  right->assign(sorted.size(), 0.0);
  for (std::size_t begin = 0; begin < sorted.size();) {
    std::size_t end = begin;
    double sum = 0;
    for (; end < sorted.size() && sorted[end].confidence == sorted[begin].confidence; ++end) {
      sum += sorted[end].right ? 1 : 0;
    }
    std::fill(right->begin() + static_cast<std::ptrdiff_t>(begin),
              right->begin() + static_cast<std::ptrdiff_t>(end),
              sum / static_cast<double>(end - begin));
    begin = end;
  }
  return sorted;
}

/// 2.5% and 97.5% points of resampled statistics.
Interval Percentiles(double value, std::vector<double> resampled) {
  std::sort(resampled.begin(), resampled.end());
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(resampled.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, resampled.size() - 1);
    const double part = place - static_cast<double>(below);
    return resampled[below] * (1 - part) + resampled[above] * part;
  };
  return {value, at(0.025), at(0.975)};
}

}  // namespace

Interval Proportion(std::size_t right, std::size_t count) {
  if (count == 0) return {0.0, 0.0, 1.0};
  const auto n = static_cast<double>(count);
  const double share = static_cast<double>(right) / n;
  const double z2 = kNormal975 * kNormal975;
  const double middle = (share + z2 / (2 * n)) / (1 + z2 / n);
  const double half =
      kNormal975 / (1 + z2 / n) * std::sqrt(share * (1 - share) / n + z2 / (4 * n * n));
  return {share, std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

double ExactMcNemar(std::size_t a, std::size_t b) {
  const std::size_t n = a + b;
  if (n == 0) return 1.0;
  const auto total = static_cast<double>(n);
  double tail = 0;
  for (std::size_t k = 0; k <= std::min(a, b); ++k) {
    const auto count = static_cast<double>(k);
    tail += std::exp(std::lgamma(total + 1) - std::lgamma(count + 1) -
                     std::lgamma(total - count + 1) - total * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

PairedDifference Compare(std::span<const Pair> pairs, std::uint64_t seed) {
  PairedDifference result;
  if (pairs.empty()) return result;
  for (const Pair& pair : pairs) {
    result.only_first += pair.first && !pair.second;
    result.only_second += pair.second && !pair.first;
  }
  const auto n = static_cast<double>(pairs.size());
  Random random(seed);
  std::vector<double> resampled;
  for (std::size_t i = 0; i < kResamples; ++i) {
    std::int64_t sum = 0;
    for (std::size_t j = 0; j < pairs.size(); ++j) {
      const Pair& pair = pairs[random.Below(pairs.size())];
      sum += static_cast<int>(pair.second) - static_cast<int>(pair.first);
    }
    resampled.push_back(static_cast<double>(sum) / n);
  }
  const double value =
      (static_cast<double>(result.only_second) - static_cast<double>(result.only_first)) / n;
  result.difference = Percentiles(value, std::move(resampled));
  result.p = ExactMcNemar(result.only_first, result.only_second);
  return result;
}

std::vector<ReliabilityBin> EqualMassBins(std::span<const Outcome> outcomes, std::size_t bins) {
  std::vector<double> right;
  const std::vector<Outcome> sorted = SortedWithTiesLevelled(outcomes, &right);
  std::vector<ReliabilityBin> result;
  for (std::size_t bin = 0; bin < bins; ++bin) {
    const std::size_t begin = sorted.size() * bin / bins;
    const std::size_t end = sorted.size() * (bin + 1) / bins;
    if (begin == end) continue;
    ReliabilityBin made;
    made.count = end - begin;
    for (std::size_t i = begin; i < end; ++i) {
      made.confidence += sorted[i].confidence;
      made.accuracy += right[i];
    }
    made.confidence /= static_cast<double>(made.count);
    made.accuracy /= static_cast<double>(made.count);
    result.push_back(made);
  }
  return result;
}

double CalibrationError(std::span<const Outcome> outcomes) {
  double error = 0;
  for (const ReliabilityBin& bin : EqualMassBins(outcomes)) {
    error += static_cast<double>(bin.count) * std::abs(bin.confidence - bin.accuracy);
  }
  return outcomes.empty() ? 0.0 : error / static_cast<double>(outcomes.size());
}

Interval CalibrationErrorInterval(std::span<const Outcome> outcomes, std::uint64_t seed) {
  if (outcomes.empty()) return {};
  Random random(seed);
  std::vector<double> resampled;
  std::vector<Outcome> drawn(outcomes.size());
  for (std::size_t i = 0; i < kResamples; ++i) {
    for (Outcome& outcome : drawn) outcome = outcomes[random.Below(outcomes.size())];
    resampled.push_back(CalibrationError(drawn));
  }
  return Percentiles(CalibrationError(outcomes), std::move(resampled));
}

double Auroc(std::span<const Outcome> outcomes) {
  std::vector<Outcome> sorted(outcomes.begin(), outcomes.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const Outcome& a, const Outcome& b) { return a.confidence < b.confidence; });
  double wins = 0;
  double wrong_below = 0;
  double rights = 0;
  for (std::size_t begin = 0; begin < sorted.size();) {
    double right = 0;
    double wrong = 0;
    std::size_t end = begin;
    for (; end < sorted.size() && sorted[end].confidence == sorted[begin].confidence; ++end) {
      (sorted[end].right ? right : wrong) += 1;
    }
    wins += right * (wrong_below + wrong / 2);
    wrong_below += wrong;
    rights += right;
    begin = end;
  }
  return rights == 0 || wrong_below == 0 ? 0.5 : wins / (rights * wrong_below);
}

double Brier(std::span<const Outcome> outcomes) {
  double sum = 0;
  for (const Outcome& outcome : outcomes) {
    const double distance = outcome.confidence - (outcome.right ? 1 : 0);
    sum += distance * distance;
  }
  return outcomes.empty() ? 0.0 : sum / static_cast<double>(outcomes.size());
}

}  // namespace ergo::reasoning::eval
