// Knights and knaves: who tells the truth and who lies, from what they say in controlled English.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reasoning/verify/check.h"

namespace ergo::reasoning {

/// What somebody says, as a tree over islanders.
struct KnightsClaim {
  enum class Op { kKnight, kNot, kAnd, kOr, kEither, kImplies, kIff, kCount };
  Op op = Op::kKnight;
  std::size_t who = 0;     ///< kKnight: this islander is a knight
  std::size_t fewest = 0;  ///< kCount: the number of knights is between these
  std::size_t most = 0;
  std::vector<KnightsClaim> parts;
};

struct KnightsPuzzle {
  struct Saying {
    std::size_t speaker = 0;
    KnightsClaim claim;
    std::string text;  ///< the sentence
  };
  std::vector<std::string> people;
  std::vector<Saying> sayings;
  std::vector<Span> unparsed;  ///< sentences in which somebody says what was not understood
  /// Somebody speaks of "us", and it is not sure who is on the island.
  bool unsure_of_us = false;
};

struct KnightsAnswer {
  std::vector<std::string> people;
  std::vector<std::optional<bool>> knight;  ///< by islander; nothing where both are possible
  std::size_t solutions = 0;
  /// Every saying was understood, and read in the one way in which it can be.
  bool exact = false;
  std::vector<std::string> steps;  ///< what each saying comes to in the solution
  std::vector<std::string>
      conflict;  ///< without a solution: a minimal set of sayings that have none
  std::vector<Span> unparsed;

  /// "Ada: knight, Boris: knave"; "unknown" where it is not settled.
  std::string Say() const;
};

/// Reads 'Ada says: "Boris is a knave."', 'Boris tells you that at least one of us is a knave',
/// 'According to Clara, Ada and Boris are of the same kind', … At most 16 islanders. Nothing if
/// nobody says anything that is understood.
std::optional<KnightsPuzzle> ReadKnights(std::string_view text);

/// Tries every assignment. Nothing if the text is no such puzzle.
std::optional<KnightsAnswer> SolveKnights(std::string_view text);

/// Findings for the sentences of a step that say who is what ("Ada is a knight", "Ada: knave").
std::vector<Finding> CheckKnights(const CheckInput& input);

}  // namespace ergo::reasoning
