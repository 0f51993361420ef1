#include "reasoning/derive/counterfactual.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/steps.h"
#include "reasoning/derive/value_flow.h"

namespace ergo::reasoning {
namespace {

std::optional<Rational> NumberOf(std::string_view text) {
  std::string digits = CanonicalNumber(text);
  const bool negative = digits.starts_with('-');
  if (negative) digits.erase(0, 1);
  std::optional<Rational> value;
  if (const std::size_t slash = digits.find('/'); slash != std::string::npos) {
    const auto above = ParseDecimal(digits.substr(0, slash));
    const auto below = ParseDecimal(digits.substr(slash + 1));
    if (above && below) value = Divide(*above, *below);
  } else {
    value = ParseDecimal(digits);
  }
  if (value && negative) *value = -*value;
  return value;
}

StepRole RoleOf(const ValueFlow& flow, std::size_t index, const Rational& final_value) {
  const FlowEquation& equation = flow.equations()[index];
  StepRole role;
  role.value = Text(equation.value);
  if (equation.shown) role.result = equation.shown_span;
  if (!flow.final_source()) return role;
  // The second change is for answers that happen to be the same after the first one.
  static const std::array<Rational, 2> kChanges = {Rational(1), Rational(2, 7)};
  bool unchanged = false;
  for (const Rational& change : kChanges) {
    const auto predicted = flow.FinalIf({FlowSource::Kind::kEquation, index, 1}, change);
    if (!predicted) continue;
    role.changed_to = Text(equation.value + change);
    role.predicted = Text(*predicted);
    if (*predicted != final_value) {
      role.role = Role::kReal;
      return role;
    }
    unchanged = true;
  }
  if (unchanged && !equation.loose) role.role = Role::kDecorative;
  return role;
}

/// The ids of a chain's steps, first to last: each was extended from the one before.
std::vector<std::string> StepNodes(const Trace& trace, const std::string& last, std::size_t most) {
  std::vector<std::string> ids;
  const TraceNode* node = trace.Find(last);
  while (node != nullptr && node->kind == NodeKind::kStep && ids.size() < most) {
    ids.push_back(node->id);
    node = node->search.parent.empty() ? nullptr : trace.Find(node->search.parent);
  }
  std::reverse(ids.begin(), ids.end());
  return ids;
}

void Note(Recorder& trace, const std::string& step, const StepRole& role) {
  const bool real = role.role == Role::kReal;
  NodeVerification verification;
  verification.method = "counterfactual";
  verification.semantics = "exact recomputation of what follows from the step";
  verification.detail = real ? fmt::format("were it {} instead of {}, the answer would be {}",
                                           role.changed_to, role.value, role.predicted)
                             : fmt::format("were it {} instead of {}, the answer would still be {}",
                                           role.changed_to, role.value, role.predicted);
  TraceNode node;
  node.kind = NodeKind::kCounterfactual;
  node.text = verification.detail;
  node.value = role.predicted;
  node.search.parent = step;
  // That a step matters does not make it right.
  verification.status = real ? Verdict::kUnchecked : Verdict::kUnsupported;
  trace.Verify(step, verification);
  if (real) verification.status = Verdict::kVerified;
  node.verification.push_back(std::move(verification));
  trace.Add(std::move(node), step, real ? EdgeType::kSupports : EdgeType::kContradicts);
}

}  // namespace

std::vector<StepRole> RolesOf(std::string_view question, std::string_view derivation,
                              std::string_view final_value) {
  std::vector<StepRole> roles(StepsOf(derivation).size());
  const auto final_number = NumberOf(final_value);
  if (!final_number) return roles;
  const ValueFlow flow(question, derivation, *final_number);
  for (std::size_t e = 0; e < flow.equations().size(); ++e) {
    const StepRole role = RoleOf(flow, e, *final_number);
    for (const std::size_t step : flow.equations()[e].steps) {
      if (step >= roles.size()) continue;
      StepRole& known = roles[step];
      const bool first = known.value.empty();
      // Real above unknown above decorative: one equation in use makes a step real.
      const auto rank = [](Role of) {
        return of == Role::kReal ? 2 : of == Role::kUnknown ? 1 : 0;
      };
      if (first || rank(role.role) >= rank(known.role)) known = role;
    }
  }
  return roles;
}

double ConfidenceFactor(const std::vector<StepRole>& roles) {
  const auto decorative = std::count_if(roles.begin(), roles.end(), [](const StepRole& role) {
    return role.role == Role::kDecorative;
  });
  return std::max(0.5, std::pow(0.9, static_cast<double>(decorative)));
}

std::vector<StepRole> NoteCounterfactuals(Work& work, const Derivation& derivation) {
  if (derivation.kind != DerivationKind::kChain || derivation.node.empty()) return {};
  const Question& question = work.question();
  const std::string asked =
      question.context.empty() ? question.text : question.context + "\n" + question.text;
  std::vector<StepRole> roles = RolesOf(asked, derivation.text, derivation.value);
  const std::vector<std::string> nodes =
      StepNodes(work.trace().Document(), derivation.node, roles.size() + 1);
  if (nodes.size() != roles.size()) return {};
  for (std::size_t i = 0; i < roles.size(); ++i) {
    if (roles[i].role != Role::kUnknown) Note(work.trace(), nodes[i], roles[i]);
  }
  return roles;
}

}  // namespace ergo::reasoning
