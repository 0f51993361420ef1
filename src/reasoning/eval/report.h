// What records come to: one row for each family and strategy.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "reasoning/eval/record.h"
#include "reasoning/eval/statistics.h"

namespace ergo::reasoning::eval {

struct Tally {
  std::size_t right = 0;
  std::size_t wrong = 0;
  std::size_t none = 0;
  std::size_t all() const { return right + wrong + none; }
};

struct Row {
  std::string family;  ///< "all" for the sum of several
  std::string strategy;
  Tally all;
  Tally verified;          ///< answers that are shown as verified
  std::size_t failed = 0;  ///< the strategy gave an error
  std::size_t over_budget = 0;
  Interval accuracy;
  double tokens_per_question = 0.0;
  double calls_per_question = 0.0;
  double seconds = 0.0;               ///< that all took, side by side
  double seconds_per_question = 0.0;  ///< that one took, others beside it
  std::vector<Outcome> outcomes;      ///< of answers with a confidence
  /// To the first strategy, over the questions that both answered; absent in its own rows.
  std::optional<PairedDifference> difference = {};
  std::string difference_to = {};
};

/// Rows in the order of the records; with several families those of "all" come last.
std::vector<Row> MakeRows(std::span<const Record> records, std::size_t budget_tokens,
                          std::uint64_t seed);

/// An array of objects.
OrderedJson ToJson(std::span<const Row> rows, std::uint64_t seed);

/// A table for a person.
std::string Table(std::span<const Row> rows);

/// Confidence against accuracy, as a page of SVG: bins of equal mass with their Wilson intervals,
/// and how many answers have which confidence. Light and dark.
std::string ReliabilityDiagram(std::span<const Outcome> outcomes, const std::string& title,
                               std::uint64_t seed);

}  // namespace ergo::reasoning::eval
