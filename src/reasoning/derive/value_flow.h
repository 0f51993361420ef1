// Which number of a derivation comes from where, and what follows if one of them were another.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "reasoning/derive/givens.h"
#include "reasoning/verify/check.h"
#include "reasoning/verify/number.h"
#include "reasoning/verify/phrase_parser.h"
#include "reasoning/verify/phrase_token.h"

namespace ergo::reasoning {

/// Where a number comes from.
struct FlowSource {
  enum class Kind { kConstant, kGiven, kEquation };
  Kind kind = Kind::kConstant;
  std::size_t index = 0;  ///< of the given or equation
  Rational slope = 1;     ///< by how much the number grows when its source grows by 1
  friend bool operator==(const FlowSource& a, const FlowSource& b) {
    return a.kind == b.kind && a.index == b.index;
  }
};

/// "36 * 5/6 = 30": an expression, its claimed value, and the sources of its numbers.
struct FlowEquation {
  Span span;                       ///< in the derivation, both sides
  std::vector<std::size_t> steps;  ///< that say it, by their place among StepsOf
  std::vector<Token> expression;
  std::vector<FlowSource> sources;  ///< of each token; constant where it is no number
  Rational value = 0;               ///< as claimed
  std::optional<Rational> shown;    ///< the number on the page if it is one: 25 for "25%"
  Span shown_span;
  Reading reading = Reading::kPart;
  bool scaled = false;  ///< the sides are equal in base units only: "2 hours = 120 minutes"
  Rational scale = 1;   ///< of the claimed side's unit
  Rational truth = 0;   ///< what the expression gives, in the claimed side's unit
  bool loose = false;   ///< its value stands in a later formula that was not understood
};

/// The flow of values through a derivation in words: the question's numbers and the results of
/// equations, into later equations and the final value. Several sources of one value: that result
/// which would otherwise leave the most steps without use, if they are two or more; else the
/// question's number, once for each time that the question says it; else a result that nothing used
/// yet, the nearest first.
class ValueFlow {
 public:
  /// Reads at most kMaxPhraseText bytes and kMostEquations equations.
  static constexpr std::size_t kMostEquations = 128;
  ValueFlow(std::string_view question, std::string_view derivation, const Rational& final_value);

  const std::vector<FlowEquation>& equations() const { return equations_; }
  /// The equation that gives the final value; none if no equation does.
  const std::optional<FlowSource>& final_source() const { return final_; }

  /// The final value if that source were larger by `change`, everything else recomputed. None if it
  /// cannot be computed (a division by zero, too large), or without final_source().
  std::optional<Rational> FinalIf(const FlowSource& source, const Rational& change) const;

 private:
  void Trace(FlowEquation* equation);
  FlowSource SourceOf(const Rational& number);
  std::size_t Gain(std::size_t equation) const;
  void CountUse(const FlowSource& source);

  struct GivenUse {
    Given forms;
    std::size_t left = 1;
  };
  std::vector<GivenUse> givens_;
  std::vector<FlowEquation> equations_;
  std::vector<std::size_t> uses_;  ///< of each equation's value
  std::optional<FlowSource> final_;
  Rational final_value_;
};

/// Equations of a text in order, each once however often it is said; no sources yet.
std::vector<FlowEquation> ReadEquations(std::string_view text);

}  // namespace ergo::reasoning
