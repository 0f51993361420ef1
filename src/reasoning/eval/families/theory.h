// Small theories about people and their properties, in which deductions are set.
//
// Rules speak of one person at a time ("if someone is kind and red then they are round"), so that
// each person's properties are a propositional theory of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reasoning/eval/random.h"

namespace ergo::reasoning::eval {

/// A property that somebody has or, if not `positive`, has not.
struct Literal {
  int property = 0;
  bool positive = true;
  friend bool operator==(const Literal&, const Literal&) = default;
};
inline Literal Opposite(Literal literal) { return {literal.property, !literal.positive}; }

struct Rule {
  std::vector<Literal> conditions;  ///< one or two
  Literal conclusion;
};

struct Fact {
  int person = 0;
  Literal literal;
};

struct Theory {
  int people = 0;
  int properties = 0;
  std::vector<Fact> facts;
  std::vector<Rule> rules;
};

/// Rounds of forward chaining after which a literal first holds of `person` (0: a fact); nothing
/// for those that are never derived. Index 2 * property + positive.
std::vector<std::optional<int>> Derive(const Theory& theory, int person);

/// Whether a literal can hold of `person` without contradiction, in classical logic.
bool Consistent(const Theory& theory, int person, Literal assumed);

enum class Truth { kTrue, kFalse, kUnknown };

/// A theory and a statement about person 0 whose truth takes `depth` rounds of forward chaining, or
/// would take them if one condition held.
struct Deduction {
  Theory theory;
  Literal statement;
  Truth truth = Truth::kTrue;
};
struct DeductionForm {
  int depth = 1;             ///< 1 to 10
  bool closed = false;       ///< what cannot be derived is false
  bool paraphrased = false;  ///< for the one who tells it
};
/// In the open world forward chaining and classical logic agree on the statement; in the closed
/// world there is no negation but the statement's.
Deduction DrawDeduction(const DeductionForm& form, Truth truth, Random* random);

}  // namespace ergo::reasoning::eval
