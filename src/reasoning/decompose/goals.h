// A question as sub-goals that depend on each other without a cycle.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ergo::reasoning {

struct Goal {
  std::string text;
  std::vector<std::size_t> needs;  ///< indices of earlier goals
};

/// Reads numbered lines "3. Question? [1,2]" ("[-]": needs nothing). Nothing if a line is of
/// another form, the numbers are not 1, 2, 3 …, a goal needs itself or a later one, or is said
/// twice: such a sample is thrown away, not mended.
std::optional<std::vector<Goal>> ParseGoals(std::string_view text);

/// Goals in groups: each group needs earlier groups only and can be solved in one batch.
std::vector<std::vector<std::size_t>> InOrder(const std::vector<Goal>& goals);

/// The sentences of a text, without white space around them.
std::vector<std::string> Sentences(std::string_view text);

/// A story of one quantity: where it starts, what happens to it one after the other, what is asked.
struct RunningQuantity {
  std::string start;                ///< a number
  std::vector<std::string> events;  ///< a sentence each, with one number
};
/// Nothing unless the first sentence gives one number, each further one holds exactly one, at least
/// three of them, and the last asks without a number.
std::optional<RunningQuantity> AsRunningQuantity(std::string_view question);

}  // namespace ergo::reasoning
