// One sentence of controlled English as rules.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "reasoning/verify/logic_theory.h"

namespace ergo::reasoning {

using LogicNouns = std::set<std::string, std::less<>>;

/// Adds the nouns that a text uses in the singular ("a wumpus", "every house"), which settle what a
/// plural is the plural of.
void CollectNouns(std::string_view text, LogicNouns& nouns);

/// The rules of a sentence, or nothing if any word of it is not understood. Names are added to the
/// theory either way; rules are not.
std::optional<std::vector<LogicRule>> ReadEnglish(std::string_view sentence,
                                                  const LogicNouns& nouns, LogicTheory& theory);

}  // namespace ergo::reasoning
