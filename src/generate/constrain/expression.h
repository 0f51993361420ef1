// Languages as expressions: what all the front ends produce and Grammar compiles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "generate/constrain/char_set.h"

namespace ergo::generate::constrain {

using ExprId = std::uint32_t;
using RuleId = std::uint32_t;

inline constexpr std::uint32_t kUnlimited = 0xFFFFFFFF;

struct Automaton;

/// How a character is written.
enum class Spelling : std::uint8_t {
  kUtf8,
  /// Inside of a JSON string, each character in one way only: itself, or the short escape where
  /// JSON demands one (\" \\ \b \f \n \r \t), or \u00xx in small letters for the other controls.
  kJson,
};

enum class ExprKind : std::uint8_t {
  kEmpty,         ///< the empty text
  kNothing,       ///< no text at all
  kBytes,         ///< `bytes`
  kChars,         ///< one character of `chars`, written as `spelling` says
  kConcat,        ///< `parts` in a row
  kAlternatives,  ///< one of `parts`
  kRepeat,        ///< parts[0], `min` to `max` times
  kCall,          ///< the text of `rule`
  kGraph,         ///< the labels of a path from node 0 to node 1 of `edges`
  kAutomaton,     ///< a text of `automaton`, which calls no rules
};

struct GraphEdge {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  ExprId label = 0;
};

struct Expr {
  ExprKind kind = ExprKind::kEmpty;
  Spelling spelling = Spelling::kUtf8;
  std::uint32_t min = 0;
  std::uint32_t max = 0;
  RuleId rule = 0;
  std::string bytes = {};
  CharSet chars = {};
  std::vector<ExprId> parts = {};
  std::vector<GraphEdge> edges = {};
  std::shared_ptr<const Automaton> automaton = {};
};

/// Owns expressions and the rules made of them. Expressions have no cycles but through kCall.
class Expressions {
 public:
  static constexpr ExprId kEmptyExpr = 0;
  static constexpr ExprId kNothingExpr = 1;

  Expressions();

  ExprId Bytes(std::string_view bytes);
  ExprId Chars(CharSet chars, Spelling spelling = Spelling::kUtf8);
  ExprId Concat(std::vector<ExprId> parts);
  ExprId OneOf(std::vector<ExprId> parts);
  /// `min` <= `max`; kUnlimited for no maximum.
  ExprId Repeat(ExprId part, std::uint32_t min, std::uint32_t max);
  ExprId Optional(ExprId part) { return Repeat(part, 0, 1); }
  ExprId Call(RuleId rule);
  /// Node 0 is the start, node 1 the end.
  ExprId Graph(std::vector<GraphEdge> edges);
  ExprId FromAutomaton(std::shared_ptr<const Automaton> automaton);

  /// A rule without text yet; `place` names it in messages.
  RuleId AddRule(std::string place);
  void Define(RuleId rule, ExprId body) { rules_[rule].body = body; }

  const Expr& operator[](ExprId id) const { return exprs_[id]; }
  std::size_t size() const { return exprs_.size(); }

  struct Rule {
    std::string place;
    ExprId body = kNothingExpr;
  };
  const std::vector<Rule>& rules() const { return rules_; }

 private:
  ExprId Add(Expr expr);

  std::vector<Expr> exprs_;
  std::vector<Rule> rules_;
};

}  // namespace ergo::generate::constrain
