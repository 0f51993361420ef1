#include "reasoning/derive/counterfactual.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <utility>

#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/steps.h"
#include "reasoning/derive/value_flow.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMostAsked = 3;
constexpr std::size_t kMoreTokens = 64;  ///< than the derivation took

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

/// Bytes of the last number in digits that a step says, unless that is part of a word or counts the
/// step itself ("3. Add both").
std::optional<Span> LastNumber(std::string_view text, const Span& step) {
  constexpr std::string_view kDigits = "0123456789";
  const std::string_view line = text.substr(0, step.end);
  const std::size_t last = line.find_last_of(kDigits);
  if (last == std::string_view::npos || last < step.begin) return std::nullopt;
  std::size_t begin = last;
  while (begin > step.begin && (kDigits.find(line[begin - 1]) != std::string_view::npos ||
                                line[begin - 1] == '.' || line[begin - 1] == ',')) {
    --begin;
  }
  while (kDigits.find(line[begin]) == std::string_view::npos) ++begin;
  const bool word =
      begin > step.begin && std::isalpha(static_cast<unsigned char>(line[begin - 1])) != 0;
  const bool first = text.substr(step.begin, begin - step.begin).find_first_not_of(" \t*#") ==
                     std::string_view::npos;
  const bool label =
      first && last + 1 < step.end && (line[last + 1] == '.' || line[last + 1] == ')');
  if (word || label) return std::nullopt;
  return Span{begin, last + 1};
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
  verification.semantics = role.by_model ? "what the model draws from the step on"
                                         : "exact recomputation of what follows from the step";
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

void AskForRoles(Work& work, const Derivation& derivation, std::vector<StepRole>* roles) {
  const auto steps = StepsOf(derivation.text);
  if (steps.size() != roles->size() || steps.size() < 2 || derivation.value.empty()) return;
  const auto prompt = ChainPrompt(work);
  const auto start = prompt ? work.Begin(*prompt) : Result<BranchPtr>(Fail("no prompt"));
  if (!start) return;
  const std::size_t tokens = derivation.tokens + kMoreTokens;
  std::vector<Continuation> continuations;
  std::vector<std::size_t> asked;
  // The last ones: what the model says first is mostly a plan.
  for (std::size_t i = steps.size() - 1; i-- > 0 && asked.size() < kMostAsked;) {
    StepRole& role = (*roles)[i];
    const auto number = LastNumber(derivation.text, steps[i]);
    if (role.role != Role::kUnknown || !number) continue;
    role.result = *number;
    role.value = derivation.text.substr(number->begin, number->end - number->begin);
    const auto value = NumberOf(role.value);
    if (!value) continue;
    role.changed_to = Text(*value + Rational(1));
    Continuation continuation;
    continuation.from = *start;
    continuation.append = derivation.text.substr(0, number->begin) + role.changed_to +
                          derivation.text.substr(number->end, steps[i].end - number->end) + "\n";
    continuation.draw.max_tokens = tokens;
    continuation.draw.seed = work.NextSeed();
    continuations.push_back(std::move(continuation));
    asked.push_back(i);
  }
  const AnswerKind kind = KindOf(work.question());
  const auto results = work.Continue(std::move(continuations));
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i] || results[i]->end == DrawEnd::kLength || results[i]->tokens == 0) continue;
    StepRole& role = (*roles)[asked[i]];
    role.predicted = ValueIn(results[i]->text, kind, work.question());
    if (role.predicted.empty()) continue;
    role.by_model = true;
    const bool same = SameValue(role.predicted, derivation.value, kind);
    role.role = same ? Role::kDecorative : Role::kReal;
  }
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
  AskForRoles(work, derivation, &roles);
  for (std::size_t i = 0; i < roles.size(); ++i) {
    if (roles[i].role != Role::kUnknown) Note(work.trace(), nodes[i], roles[i]);
  }
  return roles;
}

}  // namespace ergo::reasoning
