#include "reasoning/derive/derivation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <utility>

#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/compare.h"
#include "reasoning/derive/givens.h"
#include "reasoning/verify/checks.h"

namespace ergo::reasoning {
namespace {

/// What a check may take; one that needs longer says nothing.
constexpr std::chrono::milliseconds kCheckTime(2000);
constexpr std::size_t kMostOthers = 3;  ///< other solutions that are compared with the answer

/// What a derivation's checks make of its vote.
double WeightOf(const Derivation& derivation) {
  double weight = derivation.kind == DerivationKind::kFormal ? 100.0 : 1.0;
  // A small model's program is right less often than its chain of steps.
  if (derivation.kind == DerivationKind::kProgram) weight *= 0.6;
  if (derivation.odd) weight *= 0.3;
  if (derivation.refuted()) weight *= 0.3;
  if (!derivation.finished) weight *= 0.5;
  // Word problems seldom give numbers in vain, and quantities are seldom negative.
  weight *= std::pow(0.6, static_cast<double>(std::min<std::size_t>(derivation.missing, 4)));
  return weight;
}

/// Says for the next best values how they were found, and where and why they differ.
void RecordOthers(Work& work, const std::vector<Derivation>& derivations,
                  const std::vector<Candidate>& candidates) {
  const Derivation& best = derivations[candidates.front().supporters.front()];
  for (std::size_t i = 1; i < std::min(candidates.size(), kMostOthers + 1); ++i) {
    const Candidate& candidate = candidates[i];
    const Derivation& other = derivations[candidate.supporters.front()];
    TraceConflict conflict;
    const bool text = candidate.value.find('\n') != std::string::npos;
    conflict.reason = fmt::format(
        "{} was found too, by {} of {} derivations; {}", text ? "something else" : candidate.value,
        candidate.supporters.size(), derivations.size(), HowItDiffers(other, best));
    for (const std::string& node : {best.node, other.node}) {
      if (!node.empty()) conflict.nodes.push_back(node);
    }
    work.trace().Conflict(std::move(conflict));
  }
}

}  // namespace

bool Derivation::refuted() const {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.exact && finding.verdict == Verdict::kRefuted;
  });
}

bool Derivation::confirmed() const {
  return !refuted() && std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.exact && finding.verdict == Verdict::kVerified;
  });
}

void NoteGivens(const Work& work, Derivation* derivation) {
  if (KindOf(work.question()) != AnswerKind::kNumber) return;
  const std::string& question = work.question().text;
  derivation->missing = MissingGivens(GivensOf(question), derivation->text);
  // Things are counted in whole numbers, and there are seldom fewer than none.
  const bool counts = question.find("ow many") != std::string::npos ||
                      question.find("几") != std::string::npos ||
                      question.find("多少个") != std::string::npos;
  const bool whole = derivation->value.find_first_of("./") == std::string::npos;
  derivation->odd = derivation->value.starts_with('-') || (counts && !whole);
}

std::vector<Finding> CheckText(const Work& work, std::string_view text) {
  CheckInput input;
  const std::string question = work.question().context.empty()
                                   ? work.question().text
                                   : work.question().context + "\n" + work.question().text;
  input.question = question;
  input.text = text;
  input.until = CheckInput::Clock::now() + kCheckTime;
  std::vector<std::future<std::vector<Finding>>> running;
  for (const auto& check : Checks()) {
    running.push_back(
        std::async(std::launch::async, [&check, &input] { return check->Run(input); }));
  }
  std::vector<Finding> findings;
  for (auto& run : running) {
    for (Finding& finding : run.get()) {
      const bool settled = std::any_of(findings.begin(), findings.end(), [&](const Finding& other) {
        return other.exact && other.span.begin < finding.span.end &&
               finding.span.begin < other.span.end;
      });
      if (!settled) findings.push_back(std::move(finding));
    }
  }
  return findings;
}

std::vector<Candidate> Vote(const std::vector<Derivation>& derivations, AnswerKind kind,
                            bool weighted) {
  std::vector<Candidate> candidates;
  double total = 0.0;
  for (std::size_t i = 0; i < derivations.size(); ++i) {
    const Derivation& derivation = derivations[i];
    if (derivation.value.empty()) continue;
    const auto found =
        std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
          return SameValue(candidate.value, derivation.value, kind);
        });
    Candidate& candidate = found != candidates.end()
                               ? *found
                               : candidates.emplace_back(Candidate{derivation.value, 0.0, 0.0, {}});
    const double weight = weighted ? WeightOf(derivation) : 1.0;
    candidate.mass += weight;
    total += weight;
    candidate.supporters.push_back(i);
  }
  for (Candidate& candidate : candidates) {
    candidate.weight = candidate.mass / total;
    std::stable_sort(candidate.supporters.begin(), candidate.supporters.end(),
                     [&](std::size_t a, std::size_t b) {
                       return WeightOf(derivations[a]) > WeightOf(derivations[b]);
                     });
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.weight > b.weight; });
  return candidates;
}

Answer Conclude(Work& work, const std::vector<Derivation>& derivations,
                const std::vector<Candidate>& candidates) {
  Answer answer;
  TraceNode node;
  node.kind = NodeKind::kAnswer;
  if (candidates.empty()) {
    const Derivation* best = nullptr;
    for (const Derivation& derivation : derivations) {
      if (!derivation.text.empty()) best = &derivation;
    }
    answer.text = best != nullptr ? best->text : "No answer was found within the budget.";
    answer.confidence = 0.0;
    answer.uncertainty = "no derivation came to an answer";
    node.text = answer.text;
    node.confidence.posterior = 0.0;
    const std::string id = work.trace().Add(std::move(node));
    if (best != nullptr && !best->node.empty()) {
      work.trace().Link({best->node, id, EdgeType::kSupports, 1.0});
    }
    return answer;
  }
  const Candidate& winner = candidates.front();
  const Derivation& best = derivations[winner.supporters.front()];
  answer.value = winner.value;
  answer.text = best.text;
  // One voter more, who is of no opinion: few votes prove little.
  double mass = 1.0;
  for (const Candidate& candidate : candidates) mass += candidate.mass;
  answer.confidence = winner.mass / mass;
  answer.verified = best.kind == DerivationKind::kFormal && !best.refuted();
  if (candidates.size() > 1) {
    std::size_t others = 0;
    for (std::size_t i = 1; i < candidates.size(); ++i) others += candidates[i].supporters.size();
    answer.uncertainty = fmt::format("{} of {} derivations came to another answer ({})", others,
                                     derivations.size(), candidates[1].value);
  } else if (best.refuted()) {
    answer.uncertainty = "a check refuted a step of it";
  }
  node.text = winner.value;
  node.value = winner.value;
  node.confidence.vote = winner.weight;
  node.confidence.token = std::exp(best.mean_logprob);
  node.confidence.posterior = answer.confidence;
  const std::string id = work.trace().Add(std::move(node));
  for (const std::size_t supporter : winner.supporters) {
    if (!derivations[supporter].node.empty()) {
      work.trace().Link({derivations[supporter].node, id, EdgeType::kPremise, 1.0});
    }
  }
  RecordOthers(work, derivations, candidates);
  for (std::size_t i = 1; i < candidates.size(); ++i) {
    for (const std::size_t other : candidates[i].supporters) {
      if (!derivations[other].node.empty()) {
        work.trace().Link({derivations[other].node, id, EdgeType::kContradicts, 1.0});
      }
    }
  }
  return answer;
}

}  // namespace ergo::reasoning
