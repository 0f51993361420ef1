// A small formula language: propositions, predicates, quantifiers, whole numbers.
//
//   forall x. kind(x) & !big(x) -> green(x)      exists y. sees(anne, y)      p <-> not (q or r)
//   2*n + 1 = m & m < 10                         forall k:int. k >= 0 -> f(k) > k
//
// From weakest to strongest: <-> (iff), -> (implies; to the right), | (or), & (and), ! (not), then
// comparisons = != < <= > >=, then + - *. A quantifier reaches as far right as it can. Whether a
// name is a truth value, a number or a thing follows from its uses.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ergo::reasoning {

struct LogicFormula {
  enum class Op {
    kName,
    kNumber,
    kTrue,
    kFalse,
    kNot,
    kAnd,
    kOr,
    kImplies,
    kIff,
    kForAll,
    kExists,
    kEqual,
    kLess,
    kLessEqual,
    kPlus,
    kMinus,
    kTimes
  };
  Op op = Op::kTrue;
  std::string name;                 ///< of a symbol, a quantified variable, or a number's digits
  bool whole_number = false;        ///< a quantified variable declared ":int"
  std::vector<LogicFormula> parts;  ///< arguments, operands, or a quantifier's body
};

/// Errors name the position. Texts over 10,000 bytes and nesting over 100 are refused.
Result<LogicFormula> ParseLogicFormula(std::string_view text);

}  // namespace ergo::reasoning
