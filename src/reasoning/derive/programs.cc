// Programs whose run gives the answer (program-aided models, Gao et al. 2022).
#include <array>
#include <future>
#include <utility>

#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/derive/fenced.h"
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

/// That a program ran says that its value is its own, not that it answers the question.
Finding RunOf(const Result<std::string>& output, std::size_t size) {
  Finding run;
  run.method = "run";
  run.semantics = "execution in a sandbox";
  run.verdict = output ? Verdict::kUnsupported : Verdict::kRefuted;
  run.reason = output ? "the program ran and gave " + *output : output.error().what;
  run.span = {0, size};
  run.value = output.value_or("");
  return run;
}

}  // namespace

Result<std::vector<Derivation>> DrawPrograms(Work& work, std::size_t count, float temperature) {
  if (Status possible = SandboxAvailable(); !possible) return Fail(std::move(possible));
  const Question& question = work.question();
  const AnswerKind kind = KindOf(question);
  const std::string text = PlainQuestion(question);
  const std::array values = {PromptValue{"question", text}};
  const auto prompt = MakePrompt({"program", LanguageOf(text), work.model().family()}, values);
  if (!prompt) return tl::unexpected(prompt.error());
  std::vector<std::future<Result<std::string>>> runs(count);
  const auto samples = DrawFenced(
      work, *prompt, {.count = count, .temperature = temperature, .max_tokens = kMostTokens},
      [&](std::size_t index, const Drawn& drawn) {
        runs[index] = std::async(std::launch::async, [code = drawn.text]() -> Result<std::string> {
          SandboxLimits limits;
          limits.wall = kRunTime;
          return RunPythonForAnswer(code, limits);
        });
      });
  if (!samples) return tl::unexpected(samples.error());
  std::vector<Derivation> derivations;
  for (std::size_t i = 0; i < samples->size(); ++i) {
    const Drawn& sample = (*samples)[i];
    if (sample.tokens == 0) continue;
    const Result<std::string> output = runs[i].get();
    Derivation derivation = ToProgram(sample);
    if (output) {
      derivation.value = ValueOf(*output, kind, question);
    } else {
      derivation.failure = output.error().what;
    }
    NoteGivens(work, &derivation);
    derivation.findings.push_back(RunOf(output, derivation.text.size()));
    RecordProgram(work, sample, &derivation);
    derivations.push_back(std::move(derivation));
  }
  return derivations;
}

}  // namespace ergo::reasoning
