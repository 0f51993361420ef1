// Tokens that very many states allow, found once for a vocabulary.
//
// Within a JSON string nearly the whole vocabulary is allowed, and to find that out a walk would
// have to visit all of it. So the tokens of a few classes of text are collected beforehand; where a
// state is seen to allow any text of such a class, only the other tokens are walked over. (The idea
// is that of llguidance's slices.)
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "generate/constrain/char_set.h"
#include "generate/constrain/token_set.h"
#include "generate/constrain/token_trie.h"

namespace ergo::generate::constrain {

/// The tokens that consist of characters of one set, of which the last may be cut short.
class TokenSlice {
 public:
  static constexpr std::uint32_t kDead = 0;
  static constexpr std::uint32_t kStart = 1;
  /// Limits of characters for which a set is kept.
  static constexpr std::size_t kKept = 16;
  static constexpr std::size_t kAnyLength = static_cast<std::size_t>(-1);

  /// `entries` are all tokens, sorted; `size` that of the vocabulary.
  TokenSlice(const CharSet& chars, std::span<const TokenTrie::Entry> entries, std::size_t size);

  /// The automaton of the slice's texts; kStart is the state between two characters.
  std::uint32_t Step(std::uint32_t state, std::uint8_t byte) const { return steps_[state][byte]; }

  const TokenSet& all() const { return all_; }
  /// All other tokens.
  const TokenTrie& rest() const { return rest_; }
  /// Those of this slice that begin more than kKept characters.
  const TokenTrie& longer() const { return longer_; }
  /// How many characters the longest token begins.
  std::size_t most_chars() const { return counts_.size() - 1; }
  /// Adds the tokens that begin at most so many characters.
  void AddUpTo(std::size_t chars, TokenBits* bits) const;
  /// Those that begin more.
  std::span<const TokenId> Above(std::size_t chars) const {
    return std::span(ids_).subspan(counts_[std::min(chars, most_chars())]);
  }

 private:
  std::uint32_t CharsOf(std::string_view bytes) const;

  std::vector<std::array<std::uint8_t, 256>> steps_;
  TokenSet all_;
  TokenTrie rest_;
  TokenTrie longer_;
  std::vector<TokenId> ids_;         ///< by the characters they begin
  std::vector<std::size_t> counts_;  ///< how many of them begin at most so many
  std::vector<TokenSet> up_to_;      ///< the first of these
};

/// Of each class of text, the larger ones first. `entries` as for TokenSlice.
std::vector<TokenSlice> MakeSlices(std::span<const TokenTrie::Entry> entries, std::size_t size);

/// Whether from `start` on every text of a slice of at most `chars` characters has a way. `step`
/// gives the state of something after a byte, 0 if there is none; `fits` says whether its state is
/// right beside the slice's.
template <typename StepOf, typename Fits>
bool Covers(const TokenSlice& slice, std::size_t chars, std::uint32_t start, const StepOf& step,
            const Fits& fits) {
  struct Pair {
    std::uint32_t of_slice = 0;
    std::uint32_t other = 0;
    std::size_t chars = 0;  ///< begun; not counted where there is no limit
    bool operator==(const Pair&) const = default;
  };
  constexpr std::size_t kMaxPairs = 64;
  std::vector<Pair> pairs = {{TokenSlice::kStart, start}};
  if (!fits(TokenSlice::kStart, start)) return false;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Pair from = pairs[i];
    const bool counts = from.of_slice == TokenSlice::kStart && chars != TokenSlice::kAnyLength;
    if (counts && from.chars == chars) continue;
    Pair last = from;
    for (unsigned byte = 0; byte < 256; ++byte) {
      Pair pair{slice.Step(from.of_slice, static_cast<std::uint8_t>(byte)), 0,
                from.chars + (counts ? 1 : 0)};
      if (pair.of_slice == TokenSlice::kDead) continue;
      pair.other = step(from.other, static_cast<std::uint8_t>(byte));
      if (pair.other == 0 || !fits(pair.of_slice, pair.other)) return false;
      if (pair == last) continue;
      last = pair;
      if (std::find(pairs.begin(), pairs.end(), pair) != pairs.end()) continue;
      if (pairs.size() == kMaxPairs) return false;
      pairs.push_back(pair);
    }
  }
  return true;
}

}  // namespace ergo::generate::constrain
