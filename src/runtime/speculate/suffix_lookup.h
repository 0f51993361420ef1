// Guesses from the text itself: what followed when the last tokens stood there before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/speculate/proposer.h"

namespace ergo::runtime {

struct SuffixLookupOptions {
  std::size_t min_match = 2;    ///< least tokens that must have stood there before; at least 2
  std::size_t max_match = 32;   ///< matches that are longer count as equally long
  std::size_t candidates = 32;  ///< most places whose continuations are counted
  std::size_t window = 65536;   ///< only this many of the last tokens are searched
};

/// Finds where the longest suffix of `tokens` occurred before, and guesses that it goes on as it
/// did there: where there are several places, as most of them do; where they are equally many, as
/// the last of those does. Without state: each call scans the tokens from the end, in a few
/// microseconds for 8,000, so that a fork or a truncated sequence costs nothing (a suffix automaton
/// would have to be copied or rolled back).
///
/// The method is prompt lookup (A. Saxena, "Prompt Lookup Decoding", 2023), with the longest match
/// instead of a fixed one.
Proposal LookUpSuffix(std::span<const std::int32_t> tokens, std::size_t most,
                      const SuffixLookupOptions& options = {});

}  // namespace ergo::runtime
