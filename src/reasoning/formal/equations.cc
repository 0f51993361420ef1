// Linear systems, solved exactly and checked by substitution.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "reasoning/derive/steps.h"
#include "reasoning/formal/formal.h"
#include "reasoning/verify/algebra.h"
#include "reasoning/verify/formula.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMostUnknowns = 8;

/// Left minus right of an equation; none if the line is no equation.
FormulaPtr AsZero(std::string_view line) {
  const FormulaPtr formula = ParseFormula(line);
  if (!formula || formula->kind != FormulaKind::kRelation || formula->name != "=" ||
      formula->parts.size() != 2 || Symbols(*formula).empty()) {
    return nullptr;
  }
  return MakeFormula(FormulaKind::kSum,
                     {formula->parts[0], MakeFormula(FormulaKind::kNegation, {formula->parts[1]})});
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  std::string line;
  for (const char c : text) {
    if (c != '\n' && c != ';') {
      line += c;
      continue;
    }
    lines.push_back(line);
    line.clear();
  }
  lines.push_back(line);
  return lines;
}

}  // namespace

std::optional<Derivation> SolveEquations(Work& work) {
  const std::string& text = work.question().text;
  const bool asks = text.find("olve") != std::string::npos || text.find("解") != std::string::npos;
  if (!asks || !work.question().context.empty() || !work.question().options.empty()) {
    return std::nullopt;
  }
  std::vector<FormulaPtr> zero;
  std::vector<std::string> equations;
  std::set<std::string> unknowns;
  for (const std::string& line : Lines(text)) {
    // "… = …" asks for a form and is no equation.
    if (line.find('=') == std::string::npos || line.find("…") != std::string::npos) continue;
    FormulaPtr formula = AsZero(line);
    if (!formula) return std::nullopt;
    for (const std::string& symbol : Symbols(*formula)) unknowns.insert(symbol);
    zero.push_back(std::move(formula));
    equations.push_back(line);
  }
  if (zero.size() < 2 || unknowns.size() > kMostUnknowns) return std::nullopt;
  const std::vector<std::string> names(unknowns.begin(), unknowns.end());
  const auto solution = SolveLinear(zero, names);
  if (!solution) return std::nullopt;
  Derivation derivation;
  for (const auto& [name, value] : *solution) {
    derivation.value += (derivation.value.empty() ? "" : ", ") + name + " = " + Text(value);
  }
  // The solution is put into each equation: that is what verifies it.
  derivation.text = derivation.value + "\n";
  for (std::size_t i = 0; i < zero.size(); ++i) {
    FormulaPtr formula = zero[i];
    for (const auto& [name, value] : *solution) {
      formula = Substitute(formula, name, MakeNumber(value));
    }
    const Sameness same = CompareExpressions(*formula, *MakeNumber(0));
    if (same != Sameness::kSame) return std::nullopt;
    Finding finding;
    finding.method = "algebra";
    finding.semantics = "substitution, exact rationals";
    finding.verdict = Verdict::kVerified;
    finding.exact = true;
    finding.reason = "the solution satisfies it";
    finding.span.begin = derivation.text.size();
    derivation.text += equations[i] + "\n";
    finding.span.end = derivation.text.size() - 1;
    derivation.findings.push_back(std::move(finding));
  }
  RecordFindings(work, {}, &derivation);
  return derivation;
}

}  // namespace ergo::reasoning
