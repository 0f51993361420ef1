// How sure a measured accuracy is, and whether two of them differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace ergo::reasoning::eval {

inline constexpr std::size_t kResamples = 2000;

struct Interval {
  double value = 0.0;
  double low = 0.0;
  double high = 0.0;
};

/// The share `right / count` with its 95% interval by Wilson's score (1927). All zero to one if
/// `count` is 0.
Interval Proportion(std::size_t right, std::size_t count);

/// Two ways to answer, question by question: what became of the same question.
struct Pair {
  bool first = false;
  bool second = false;
};

struct PairedDifference {
  Interval difference;         ///< second minus first, 95% by percentiles of resampled questions
  std::size_t only_first = 0;  ///< questions that only the first one got right
  std::size_t only_second = 0;
  double p = 1.0;  ///< McNemar's test, exact and two-sided
};
PairedDifference Compare(std::span<const Pair> pairs, std::uint64_t seed);

/// P of a split at least as uneven as this one, either way, of `a + b` fair coins.
double ExactMcNemar(std::size_t a, std::size_t b);

/// An answer's confidence, 0 to 1, and whether it is right.
struct Outcome {
  double confidence = 0.0;
  bool right = false;
};

/// One bin of a reliability diagram.
struct ReliabilityBin {
  double confidence = 0.0;  ///< mean
  double accuracy = 0.0;
  std::size_t count = 0;
};
/// At most `bins` bins of as equal a number of outcomes as can be, by ascending confidence. Equal
/// confidences share their accuracy, so that their order does not matter.
std::vector<ReliabilityBin> EqualMassBins(std::span<const Outcome> outcomes, std::size_t bins = 15);

/// Expected calibration error: mean distance between confidence and accuracy over 15 bins of equal
/// mass, weighted by their counts.
double CalibrationError(std::span<const Outcome> outcomes);
/// The same with its 95% interval by percentiles of resampled outcomes.
Interval CalibrationErrorInterval(std::span<const Outcome> outcomes, std::uint64_t seed);

/// The chance that a right answer is given more confidence than a wrong one, ties counted half;
/// 0.5 if there are not both.
double Auroc(std::span<const Outcome> outcomes);

/// Mean squared distance between confidence and truth.
double Brier(std::span<const Outcome> outcomes);

}  // namespace ergo::reasoning::eval
