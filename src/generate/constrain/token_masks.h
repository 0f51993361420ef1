// Which tokens a grammar allows, found with as little looking as possible.
//
// What a token does from a state of the grammar mostly depends on that state alone: either it
// stays within the state's rule (or those that it calls), or it can't be right whatever called the
// rule. Those are found once for each state by a walk over the whole vocabulary. Only tokens that
// reach beyond the end of the rule depend on the stack; what they add after the end is kept as a
// small tree, and walked over when the stack is known. (The division is that of XGrammar: Dong et
// al. 2024, "adaptive token mask cache".)
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "generate/constrain/grammar.h"
#include "generate/constrain/machine.h"
#include "generate/constrain/token_set.h"
#include "generate/constrain/token_table.h"

namespace ergo::generate::constrain {

/// Not safe for several threads at a time.
class TokenMasks {
 public:
  TokenMasks(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTable> table);

  /// Tokens that may come next, with those that end the answer where the text may end.
  TokenSet Allowed(Machine* machine, SetId set);
  /// The same without any short cut: for tests and for what has none.
  TokenSet Search(Machine* machine, SetId set);

  /// Whether a token that is allowed in `set` begins with bytes that would complete `text` to it:
  /// whether `text` might be but the start of a token.
  bool Extends(Machine* machine, SetId set, std::string_view text) const;

 private:
  /// Tokens by what they do from a state of a plain rule.
  struct StateMask {
    TokenSet sure = {};    ///< allowed, whatever comes after the rule
    TokenTrie tails = {};  ///< what others add after the end of the rule
    /// There are too many tails to keep: look through the vocabulary with the stack that is known.
    bool search = false;
  };
  /// Tokens by what they do from a state of a loop, counted from there.
  struct LoopMask {
    const TokenSlice* slice = nullptr;  ///< whose tokens stay within the loop too; a repetition is
                                        ///< one character then
    std::vector<TokenId> ids;         ///< that stay within the loop, by the repetitions they begin
    std::vector<std::size_t> counts;  ///< how many of them begin at most so many
    TokenSet all;
    /// Repetitions that no token begins more of.
    std::size_t most() const {
      const std::size_t own = counts.size() - 1;
      return slice != nullptr ? std::max(own, slice->most_chars()) : own;
    }
    std::vector<std::optional<TokenSet>> up_to = {};  ///< the first so many; made when needed
    std::vector<TokenTrie> tails;  ///< what others add after the end, by complete repetitions
    TokenTrie all_tails;
    bool search = false;
  };

  const StateMask& MaskOf(Machine* machine, std::uint32_t state);
  StateMask SearchState(Machine* machine, std::uint32_t state) const;
  /// False if there are too many tails.
  bool Walk(Machine* machine, std::uint32_t state, const TokenTrie& trie, TokenBits* sure,
            std::vector<TokenTrie::Entry>* tails) const;
  LoopMask& LoopMaskOf(std::uint32_t state);
  LoopMask SearchLoop(std::uint32_t state) const;
  /// Tokens that stay within a loop, by the repetitions they begin, and what others add after its
  /// end, by the repetitions before that.
  struct LoopFinds {
    explicit LoopFinds(std::size_t most) : ids(most + 2), tails(most + 1) {}
    std::vector<std::vector<TokenId>> ids;
    std::vector<std::vector<TokenTrie::Entry>> tails;
  };
  /// False if there are too many tails.
  bool WalkLoop(std::uint32_t state, const TokenTrie& trie, LoopFinds* finds) const;
  /// What reads one repetition after another.
  std::uint32_t StepLoop(std::uint32_t state, std::uint8_t byte, bool* complete) const;
  void AddTails(Machine* machine, SetId set, const TokenTrie& tails, TokenBits* bits) const;
  void AddLoop(Machine* machine, const Position& position);
  /// Of the tokens that begin more repetitions in the loop than are left: those that may begin in
  /// it and go on behind it.
  void AddLonger(Machine* machine, const Position& position, const LoopMask& mask,
                 std::size_t repetitions);
  void AddUpTo(LoopMask* mask, std::size_t repetitions);
  bool SharesFirstByte(const Machine& machine, SetId set, std::uint32_t state) const;

  std::shared_ptr<const Grammar> grammar_;
  std::shared_ptr<const TokenTable> table_;
  std::unordered_map<std::uint32_t, StateMask> masks_;
  std::unordered_map<std::uint32_t, LoopMask> loops_;
  TokenBits bits_;
};

}  // namespace ergo::generate::constrain
