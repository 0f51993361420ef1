// Facts and rules, and what follows from them: least models by forward chaining, with the proof.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/result.h"

namespace ergo::reasoning {

/// What is not derived is false (closed), or unknown (open: negation must be derived itself).
enum class World { kOpen, kClosed };
/// "least model, open world" or "least model, closed world".
std::string_view Semantics(World world);

/// A predicate of one or two arguments, or its negation. Arguments >= 0 are constants; kNone is the
/// missing second one; below that are variables.
struct LogicLiteral {
  static constexpr int kNone = -1;
  static constexpr int kFirstVariable = -2;
  int predicate = 0;
  std::array<int, 2> arguments = {0, kNone};
  bool negated = false;
  friend auto operator<=>(const LogicLiteral&, const LogicLiteral&) = default;
};
LogicLiteral Negation(LogicLiteral literal);

/// body -> head, for all values of the variables; a fact has no body.
struct LogicRule {
  std::vector<LogicLiteral> body;
  LogicLiteral head;
  std::size_t sentence = 0;  ///< where it comes from, by the caller's count
};

/// How a name is said again.
enum class PredicateForm {
  kAdjective,
  kNoun,
  kVerb,
  kRelation,
  kChineseIs,
  kChineseQuality,
  kChineseVerb
};

struct LogicTheory {
  struct Predicate {
    std::string name;
    PredicateForm form = PredicateForm::kAdjective;
  };
  std::vector<Predicate> predicates;
  std::vector<std::string> constants;
  std::vector<LogicRule> rules;

  /// The number of a name, new or known.
  int PredicateOf(std::string_view name, PredicateForm form);
  int ConstantOf(std::string_view name);
  /// "Anne is not kind", "the cat chases the dog", "小明是学生".
  std::string Say(const LogicLiteral& literal) const;

 private:
  std::map<std::string, int, std::less<>> predicate_numbers_;
  std::map<std::string, int, std::less<>> constant_numbers_;
};

/// One literal that holds and why: the rule and the earlier derivations that it used.
struct LogicDerivation {
  LogicLiteral literal;
  std::size_t rule = 0;
  std::vector<std::size_t> premises;
  std::vector<LogicLiteral> absent;  ///< closed world: what had to be underivable
};

class LeastModel {
 public:
  /// Chains forward to the end. Errors: more ground rules than memory and time allow; in the closed
  /// world, negation through recursion (no stratification).
  static Result<LeastModel> Of(const LogicTheory& theory, World world);

  /// Index into derivations().
  std::optional<std::size_t> Find(const LogicLiteral& ground) const;
  /// In the order of derivation, so that premises come first and proofs are shallow.
  const std::vector<LogicDerivation>& derivations() const { return derivations_; }
  /// A derived literal whose negation is derived too, if there is one.
  const std::optional<LogicLiteral>& contradiction() const { return contradiction_; }

 private:
  friend class Chainer;
  std::vector<LogicDerivation> derivations_;
  std::map<LogicLiteral, std::size_t> index_;
  std::optional<LogicLiteral> contradiction_;
};

/// All that derivation `index` rests on, itself last, in order.
std::vector<std::size_t> ProofOf(const LeastModel& model, std::size_t index);

/// The numbers of a minimal set of sentences that contradict each other: without any one of them
/// they do not. Empty if there is no contradiction.
std::vector<std::size_t> MinimalConflict(const LogicTheory& theory, World world);

}  // namespace ergo::reasoning
