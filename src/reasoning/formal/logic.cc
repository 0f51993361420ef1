// Rule theories and puzzles of liars.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "reasoning/derive/steps.h"
#include "reasoning/formal/formal.h"
#include "reasoning/formal/restate.h"
#include "reasoning/verify/logic_knights.h"
#include "reasoning/verify/logic_question.h"

namespace ergo::reasoning {
namespace {

using Originals = std::map<std::string, std::string>;

NodeVerification Derived(const std::string& semantics, const std::string& reason,
                         std::size_t size) {
  NodeVerification verification;
  verification.method = "logic";
  verification.status = Verdict::kVerified;
  verification.exact = true;
  verification.semantics = semantics;
  verification.detail = reason;
  verification.span = {0, size};
  return verification;
}

/// A step's check. What rests on the model's reading of a sentence is not exact.
NodeVerification CheckOf(const LogicStep& step, const LogicAnswer& answer,
                         const Originals& originals) {
  NodeVerification verification =
      Derived(answer.semantics, (step.given ? "given: " : "by: ") + step.rule, step.text.size());
  const auto original = originals.find(step.rule);
  if (original != originals.end()) {
    verification.detail += fmt::format(", as the model restates \"{}\"", original->second);
  }
  if (!originals.empty()) {
    verification.status = Verdict::kUnsupported;
    verification.exact = false;
    verification.semantics += ", with sentences that the model restated";
  }
  return verification;
}

/// The derivation as a graph: facts and what each rule makes of earlier steps.
std::string Record(Work& work, const LogicAnswer& answer, const Originals& originals,
                   Derivation* derivation) {
  std::vector<std::string> ids;
  for (const LogicStep& step : answer.steps) {
    TraceNode node;
    node.kind = step.given ? NodeKind::kFact : NodeKind::kStep;
    node.text = step.text;
    node.formal = step.rule;
    node.verification.push_back(CheckOf(step, answer, originals));
    const std::string id = work.trace().Add(std::move(node));
    for (const std::size_t premise : step.premises) {
      if (premise < ids.size()) work.trace().Link({ids[premise], id, EdgeType::kPremise, 1.0});
    }
    ids.push_back(id);
    derivation->text += fmt::format("{} ({})\n", step.text, step.rule);
  }
  if (!ids.empty()) return ids.back();
  // Nothing derives the statement or its opposite: that is all there is to show.
  TraceNode node;
  node.text = fmt::format("The statement is {}.", Name(answer.truth));
  const LogicStep said{node.text, "the least model was computed", false, {}, true};
  node.verification.push_back(CheckOf(said, answer, originals));
  derivation->text = node.text;
  return work.trace().Add(std::move(node));
}

/// By what was read, and not because something else was not found.
bool ProvenAsItStands(const LogicAnswer& answer) {
  return !answer.steps.empty() && std::none_of(answer.steps.begin(), answer.steps.end(),
                                               [](const LogicStep& step) { return step.absence; });
}

}  // namespace

std::optional<Derivation> SolveTheory(Work& work) {
  const Question& question = work.question();
  if (question.kind != AnswerKind::kChoice && question.kind != AnswerKind::kAuto) {
    return std::nullopt;
  }
  const auto answer = SolveLogicQuestion(question.context, question.text, question.options);
  if (!answer) return std::nullopt;
  if (!answer->conflict.empty()) {
    TraceConflict conflict;
    conflict.reason = "these premises cannot all hold";
    for (const std::string& sentence : answer->conflict) {
      TraceNode node;
      node.kind = NodeKind::kFact;
      node.text = sentence;
      conflict.nodes.push_back(work.trace().Add(std::move(node)));
    }
    work.trace().Conflict(std::move(conflict));
  }
  // A proof stands whatever else was not understood, unless that would contradict it; that nothing
  // was found says nothing then.
  if (!answer->exact && !ProvenAsItStands(*answer)) return std::nullopt;
  Derivation derivation;
  derivation.value = answer->value;
  if (!answer->exact) derivation.failure = "part of the question was not understood";
  derivation.node = Record(work, *answer, {}, &derivation);
  return derivation;
}

std::optional<Derivation> SolveRestated(Work& work) {
  const AnswerKind kind = work.question().kind;
  if (kind != AnswerKind::kChoice && kind != AnswerKind::kAuto) return std::nullopt;
  const auto restated = Restate(work);
  if (!restated) return std::nullopt;
  const auto answer = SolveLogicQuestion(restated->parts, work.question().options);
  if (!answer || (!answer->exact && !ProvenAsItStands(*answer))) return std::nullopt;
  Derivation derivation;
  derivation.value = answer->value;
  derivation.failure = "part of the question was understood as the model restated it";
  derivation.node = Record(work, *answer, restated->originals, &derivation);
  return derivation;
}

std::optional<Derivation> SolveKnightsPuzzle(Work& work) {
  const Question& question = work.question();
  const std::string text =
      question.context.empty() ? question.text : question.context + "\n" + question.text;
  const auto answer = SolveKnights(text);
  if (!answer || !answer->exact || answer->solutions != 1) return std::nullopt;
  Derivation derivation;
  derivation.value = answer->Say();
  std::string parent;
  for (const std::string& step : answer->steps) {
    TraceNode node;
    node.text = step;
    node.verification.push_back(
        Derived("all assignments tried", "so it is in the one solution", step.size()));
    const std::string id = work.trace().Add(std::move(node));
    if (!parent.empty()) work.trace().Link({parent, id, EdgeType::kPremise, 1.0});
    parent = id;
    derivation.text += step + "\n";
  }
  derivation.node = parent;
  if (derivation.text.empty()) derivation.text = derivation.value;
  return derivation;
}

}  // namespace ergo::reasoning
