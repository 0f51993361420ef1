// The nearest word to a misspelt one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ergo::cli {

/// Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`; optimal string
/// alignment distance.
std::size_t EditDistance(std::string_view a, std::string_view b);

/// The candidate with the fewest edits, if there are few enough to be a slip of the fingers: a
/// third of the word's length, at least one. The first of equals. A candidate that `word` is the
/// beginning of also counts.
std::optional<std::string> Nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

}  // namespace ergo::cli
