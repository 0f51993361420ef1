// Programs whose run gives the answer (program-aided models, Gao et al. 2022).
#include <array>
#include <cmath>
#include <future>
#include <utility>

#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/derive/steps.h"
#include "reasoning/prompts/prompts.h"
#include "reasoning/verify/code_check.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMostTokens = 256;
constexpr std::chrono::milliseconds kRunTime(3000);

/// The value of an output, canonical for the kind of answer.
std::string ValueOf(const std::string& output, AnswerKind kind, const Question& question) {
  if (kind == AnswerKind::kNumber) return CanonicalNumber(output);
  if (kind == AnswerKind::kChoice) return ValueIn(output, kind, question);
  return output;
}

void Record(Work& work, const Drawn& drawn, const Result<std::string>& output,
            Derivation* derivation) {
  TraceNode node;
  node.kind = NodeKind::kStep;
  node.text = derivation->text;
  node.formal = derivation->text;
  node.value = derivation->value;
  node.search.depth = 1;
  node.confidence.token = std::exp(derivation->mean_logprob);
  node.kv_new = drawn.tokens;
  node.kv_shared = drawn.cached;
  for (const DrawnToken& token : drawn.logprobs) {
    node.tokens.push_back({token.text, token.logprob, std::nullopt});
  }
  // That a program ran says that its value is its own, not that it answers the question.
  Finding run;
  run.method = "run";
  run.semantics = "execution in a sandbox";
  run.verdict = output ? Verdict::kUnsupported : Verdict::kRefuted;
  run.reason = output ? "the program ran and gave " + *output : output.error().what;
  run.span = {0, derivation->text.size()};
  run.value = output.value_or("");
  node.verification.push_back(ToVerification(run));
  derivation->findings.push_back(std::move(run));
  derivation->node = work.trace().Add(std::move(node));
}

}  // namespace

Result<std::vector<Derivation>> DrawPrograms(Work& work, std::size_t count, float temperature) {
  if (Status possible = SandboxAvailable(); !possible) return Fail(std::move(possible));
  const Question& question = work.question();
  const AnswerKind kind = KindOf(question);
  const std::string text = WholeQuestion(question);
  const std::array values = {PromptValue{"question", text}};
  const auto prompt = MakePrompt({"program", LanguageOf(text), work.model().family()}, values);
  if (!prompt) return tl::unexpected(prompt.error());
  const auto start = work.Begin(*prompt);
  if (!start) return tl::unexpected(start.error());

  std::vector<Continuation> continuations(count);
  for (Continuation& continuation : continuations) {
    continuation.from = *start;
    continuation.draw = {.max_tokens = kMostTokens,
                         .temperature = temperature,
                         .seed = work.NextSeed(),
                         .stop = {"```"},
                         .logprobs = true};
  }
  auto results = work.Continue(std::move(continuations));
  std::vector<std::future<Result<std::string>>> runs;
  for (const Result<Drawn>& result : results) {
    const std::string code = result ? result->text : std::string();
    runs.push_back(std::async(std::launch::async, [code]() -> Result<std::string> {
      SandboxLimits limits;
      limits.wall = kRunTime;
      return RunPythonForAnswer(code, limits);
    }));
  }
  std::vector<Derivation> derivations;
  Status last;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Result<std::string> output = runs[i].get();
    if (!results[i]) {
      last = Fail(std::move(results[i]));
      continue;
    }
    if (results[i]->tokens == 0) continue;
    Derivation derivation;
    derivation.kind = DerivationKind::kProgram;
    derivation.text = results[i]->text;
    derivation.tokens = results[i]->tokens;
    derivation.finished = results[i]->end != DrawEnd::kLength;
    derivation.mean_logprob = MeanLogprob(results[i]->logprobs);
    derivation.branch = results[i]->branch;
    if (output) {
      derivation.value = ValueOf(*output, kind, question);
    } else {
      derivation.failure = output.error().what;
    }
    NoteGivens(work, &derivation);
    Record(work, *results[i], output, &derivation);
    derivations.push_back(std::move(derivation));
  }
  if (derivations.empty() && !last) return Fail(std::move(last));
  return derivations;
}

}  // namespace ergo::reasoning
