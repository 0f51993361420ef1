#include "generate/constrain/expression.h"

#include <algorithm>
#include <utility>

namespace ergo::generate::constrain {

Expressions::Expressions() {
  exprs_.push_back({.kind = ExprKind::kEmpty});
  exprs_.push_back({.kind = ExprKind::kNothing});
}

ExprId Expressions::Add(Expr expr) {
  exprs_.push_back(std::move(expr));
  return static_cast<ExprId>(exprs_.size() - 1);
}

ExprId Expressions::Bytes(std::string_view bytes) {
  if (bytes.empty()) return kEmptyExpr;
  return Add({.kind = ExprKind::kBytes, .bytes = std::string(bytes)});
}

ExprId Expressions::Chars(CharSet chars, Spelling spelling) {
  if (chars.empty()) return kNothingExpr;
  return Add({.kind = ExprKind::kChars, .spelling = spelling, .chars = std::move(chars)});
}

ExprId Expressions::Concat(std::vector<ExprId> parts) {
  if (std::find(parts.begin(), parts.end(), kNothingExpr) != parts.end()) return kNothingExpr;
  std::erase(parts, kEmptyExpr);
  if (parts.empty()) return kEmptyExpr;
  if (parts.size() == 1) return parts[0];
  return Add({.kind = ExprKind::kConcat, .parts = std::move(parts)});
}

ExprId Expressions::OneOf(std::vector<ExprId> parts) {
  std::erase(parts, kNothingExpr);
  if (parts.empty()) return kNothingExpr;
  if (parts.size() == 1) return parts[0];
  return Add({.kind = ExprKind::kAlternatives, .parts = std::move(parts)});
}

ExprId Expressions::Repeat(ExprId part, std::uint32_t min, std::uint32_t max) {
  if (max == 0 || part == kEmptyExpr) return kEmptyExpr;
  if (part == kNothingExpr) return min == 0 ? kEmptyExpr : kNothingExpr;
  if (min == 1 && max == 1) return part;
  return Add({.kind = ExprKind::kRepeat, .min = min, .max = max, .parts = {part}});
}

ExprId Expressions::Call(RuleId rule) { return Add({.kind = ExprKind::kCall, .rule = rule}); }

ExprId Expressions::Graph(std::vector<GraphEdge> edges) {
  std::erase_if(edges, [](const GraphEdge& edge) { return edge.label == kNothingExpr; });
  return Add({.kind = ExprKind::kGraph, .edges = std::move(edges)});
}

ExprId Expressions::FromAutomaton(std::shared_ptr<const Automaton> automaton) {
  return Add({.kind = ExprKind::kAutomaton, .automaton = std::move(automaton)});
}

RuleId Expressions::AddRule(std::string place) {
  rules_.push_back({.place = std::move(place)});
  return static_cast<RuleId>(rules_.size() - 1);
}

}  // namespace ergo::generate::constrain
