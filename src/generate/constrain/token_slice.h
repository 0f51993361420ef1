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
#include <utility>
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

  /// `entries` are all tokens, sorted; `size` that of the vocabulary.
  TokenSlice(const CharSet& chars, std::span<const TokenTrie::Entry> entries, std::size_t size);

  /// The automaton of the slice's texts; kStart is the state between two characters.
  std::uint32_t Step(std::uint32_t state, std::uint8_t byte) const { return steps_[state][byte]; }

  const TokenSet& all() const { return all_; }
  /// All other tokens.
  const TokenTrie& rest() const { return rest_; }
  /// How many characters the longest token begins.
  std::size_t most_chars() const { return counts_.size() - 1; }
  /// Adds the tokens that begin at most so many characters.
  void AddUpTo(std::size_t chars, TokenBits* bits) const;

 private:
  std::uint32_t CharsOf(std::string_view bytes) const;

  std::vector<std::array<std::uint8_t, 256>> steps_;
  TokenSet all_;
  TokenTrie rest_;
  std::vector<TokenId> ids_;         ///< by the characters they begin
  std::vector<std::size_t> counts_;  ///< how many of them begin at most so many
  std::vector<TokenSet> up_to_;      ///< the first of these
};

/// Of each class of text, the larger ones first. `entries` as for TokenSlice.
std::vector<TokenSlice> MakeSlices(std::span<const TokenTrie::Entry> entries, std::size_t size);

/// Whether from `start` on every text of a slice has a way. `step` gives the state of something
/// after a byte, 0 if there is none; `fits` says whether its state is right beside the slice's.
template <typename StepOf, typename Fits>
bool Covers(const TokenSlice& slice, std::uint32_t start, const StepOf& step, const Fits& fits) {
  constexpr std::size_t kMaxPairs = 64;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs = {{TokenSlice::kStart, start}};
  if (!fits(TokenSlice::kStart, start)) return false;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto [of_slice, of_other] = pairs[i];
    std::pair<std::uint32_t, std::uint32_t> last = pairs[i];
    for (unsigned byte = 0; byte < 256; ++byte) {
      const std::uint32_t next = slice.Step(of_slice, static_cast<std::uint8_t>(byte));
      if (next == TokenSlice::kDead) continue;
      const std::uint32_t other = step(of_other, static_cast<std::uint8_t>(byte));
      if (other == 0 || !fits(next, other)) return false;
      const std::pair pair(next, other);
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
