// The sentences that islanders say.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reasoning/verify/logic_knights.h"
#include "reasoning/verify/logic_words.h"

namespace ergo::reasoning {

/// "knight", "truth-teller" (true), "knave", "liar" (false), and their plurals.
std::optional<bool> KnightKind(std::string_view word);

/// Reads claims about a fixed set of people. `speaker` is who "I" is, if anybody.
class KnightsReader {
 public:
  KnightsReader(std::vector<std::string> people, std::optional<std::size_t> speaker)
      : people_(std::move(people)), speaker_(speaker) {}
  /// Nothing if any word is not understood.
  std::optional<KnightsClaim> Read(std::span<const LogicWord> words, int depth = 0) const;

 private:
  using Words = std::span<const LogicWord>;
  std::optional<KnightsClaim> Joined(Words words, int depth) const;
  std::optional<KnightsClaim> Atom(Words words) const;
  std::optional<KnightsClaim> Group(Words words) const;
  std::optional<KnightsClaim> Amount(Words amount, bool knights) const;
  std::optional<KnightsClaim> Pair(Words words) const;
  std::optional<std::size_t> Person(const LogicWord& word) const;
  KnightsClaim Is(std::size_t who, bool knight) const;
  KnightsClaim Count(std::size_t fewest, std::size_t most, bool knights) const;

  std::vector<std::string> people_;  ///< in lower case
  std::optional<std::size_t> speaker_;
};

}  // namespace ergo::reasoning
