// Draft, checks, a self-check of the draft by the model, a counterfactual, an answer.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/counterfactual.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/prompts/prompts.h"
#include "reasoning/strategies/list.h"
#include "reasoning/strategies/samples.h"

namespace ergo::reasoning {
namespace {

/// The model's own probability that an answer is right: the least of all evidence.
std::optional<double> Judge(Work& work, const Derivation& draft) {
  const std::array values = {PromptValue{"question", work.question().text},
                             PromptValue{"answer", draft.text}};
  const auto prompt =
      MakePrompt({"judge", LanguageOf(work.question().text), work.model().family()}, values);
  if (!prompt) return std::nullopt;
  const auto start = work.Begin(*prompt);
  if (!start) return std::nullopt;
  const std::vector<std::string> words = {"yes", "no", "Yes", "No"};
  const auto scores = work.model().Score(*start, words);
  if (!scores) return std::nullopt;
  const double yes = std::exp((*scores)[0]) + std::exp((*scores)[2]);
  const double no = std::exp((*scores)[1]) + std::exp((*scores)[3]);
  return yes + no > 0.0 ? std::optional(yes / (yes + no)) : std::nullopt;
}

/// Changes each step of the heaviest value's most trusted derivation. What the answer's confidence
/// is to be multiplied by.
double Counterfactual(Work& work, const std::vector<Derivation>& derivations,
                      const std::vector<Candidate>& candidates) {
  double factor = 1.0;
  if (candidates.empty()) return factor;
  static_cast<void>(work.Stage("counterfactual", {}, [&]() -> Status {
    const Derivation& best = derivations[candidates.front().supporters.front()];
    factor = ConfidenceFactor(NoteCounterfactuals(work, best));
    return {};
  }));
  return factor;
}

/// Lowers the answer's confidence, in its node too.
void Lower(Work& work, double factor, Answer* answer) {
  if (!answer->confidence || factor >= 1.0) return;
  answer->confidence = *answer->confidence * factor;
  const Trace trace = work.trace().Document();
  const auto node =
      std::find_if(trace.nodes.rbegin(), trace.nodes.rend(),
                   [](const TraceNode& one) { return one.kind == NodeKind::kAnswer; });
  if (node == trace.nodes.rend()) return;
  OrderedJson fields = OrderedJson::object();
  fields["confidence"] = {{"posterior", *answer->confidence}};
  work.trace().Update(node->id, std::move(fields));
}

Result<Answer> SolveProgressively(Work& work) {
  const AnswerKind kind = KindOf(work.question());
  std::vector<Derivation> derivations;
  const Status drafted = DeriveStage(work, "draft", &derivations, [&] {
    return DrawChains(work, {.count = 1, .temperature = 0.0f, .exact_values = true});
  });
  if (!drafted) return tl::unexpected(drafted.error());
  std::optional<double> judged;
  if (!derivations.empty()) {
    static_cast<void>(work.Stage("self-check", {}, [&]() -> Status {
      judged = Judge(work, derivations.front());
      if (!judged) return Fail("the model gave no judgement");
      NodeVerification verification;
      verification.method = "self-check";
      verification.status = *judged < 0.5 ? Verdict::kUnsupported : Verdict::kUnchecked;
      verification.semantics = "the model's own probability of yes";
      verification.detail = fmt::format("it gives its answer {:.2f}", *judged);
      if (!derivations.front().node.empty()) {
        work.trace().Verify(derivations.front().node, verification);
      }
      return {};
    }));
  }
  // A draft that was refuted, came to nothing or is doubted is compared with others.
  const bool doubted = derivations.empty() || derivations.front().value.empty() ||
                       derivations.front().refuted() || judged.value_or(0.0) < 0.5;
  if (doubted) {
    const std::size_t count = SamplesFor(work, {.tokens = 256, .unbounded = 4, .most = 8});
    static_cast<void>(DeriveStage(work, "rederive", &derivations, [&] {
      return DrawChains(
          work, {.count = count, .temperature = work.settings().temperature, .exact_values = true});
    }));
  }
  const auto candidates = Vote(derivations, kind, true);
  double factor = Counterfactual(work, derivations, candidates);
  if (judged && derivations.size() == 1) factor *= 0.5 + 0.5 * *judged;
  Answer answer = Conclude(work, derivations, candidates);
  Lower(work, factor, &answer);
  return answer;
}

}  // namespace

const Strategy kProgressiveStrategy = {
    "progressive", "draft, checks, self-check, others where there is doubt, counterfactuals",
    SolveProgressively};

}  // namespace ergo::reasoning
