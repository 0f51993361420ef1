#include "reasoning/derive/code.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "reasoning/derive/fenced.h"
#include "reasoning/sandbox/sandbox.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMostTokens = 400;
constexpr std::size_t kMostExamples = 16;
constexpr std::chrono::milliseconds kRunTime(3000);
constexpr std::string_view kPrompt = ">>> ";

/// The question's imports, which an answer may rely on.
std::string ImportsOf(std::string_view question) {
  std::string imports;
  for (const std::string_view line : LinesOf(question)) {
    if (line.starts_with("import ") || line.starts_with("from ")) {
      imports += std::string(line) + "\n";
    }
  }
  return imports;
}

std::string Quoted(const std::string& text) {
  // JSON's strings are Python's.
  return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
}

/// Runs each example and prints "example 3: ok" or what came instead.
std::string TestProgram(const std::string& code, std::string_view question,
                        const std::vector<CodeExample>& examples) {
  std::string program = ImportsOf(question) + code + R"(

def ergo_example(number, call, result):
    try:
        value = eval(call, globals())
    except BaseException as error:
        print("\nexample", number, "raised", type(error).__name__)
        return
    try:
        wanted = eval(result, globals())
    except BaseException:
        wanted = None
    if repr(value) == result or (wanted is not None and value == wanted) or value is wanted:
        print("\nexample", number, "ok")
    else:
        print("\nexample", number, "gave", repr(value)[:80])

)";
  for (std::size_t i = 0; i < examples.size(); ++i) {
    program += fmt::format("ergo_example({}, {}, {})\n", i, Quoted(examples[i].call),
                           Quoted(examples[i].result));
  }
  return program;
}

Finding Judge(const CodeExample& example, std::size_t number, const Result<RunResult>& run) {
  Finding finding;
  finding.method = "example";
  finding.semantics = "execution in a sandbox";
  finding.value = example.result;
  if (!run) {
    finding.reason = run.error().Message();
    return finding;
  }
  const std::string mark = fmt::format("example {} ", number);
  for (const std::string_view line : LinesOf(run->out)) {
    if (!line.starts_with(mark)) continue;
    const std::string_view outcome = line.substr(mark.size());
    finding.exact = true;
    finding.verdict = outcome == "ok" ? Verdict::kVerified : Verdict::kRefuted;
    finding.reason =
        fmt::format("{} {}", example.call, outcome == "ok" ? "gives " + example.result : outcome);
    return finding;
  }
  finding.verdict = Verdict::kRefuted;
  finding.reason = fmt::format("{} came to no result ({})", example.call, Name(run->status));
  return finding;
}

Result<RunResult> RunExamples(const std::string& program) {
  SandboxLimits limits;
  limits.wall = kRunTime;
  return RunProgram({Language::kPython, program, ""}, limits);
}

}  // namespace

std::vector<CodeExample> ExamplesIn(std::string_view question) {
  std::vector<CodeExample> examples;
  const auto lines = LinesOf(question);
  for (std::size_t i = 0; i + 1 < lines.size() && examples.size() < kMostExamples; ++i) {
    const std::string_view line = Trimmed(lines[i]);
    if (!line.starts_with(kPrompt)) continue;
    const std::string_view result = Trimmed(lines[i + 1]);
    if (result.empty() || result.starts_with(kPrompt) || result.starts_with("\"\"\"")) continue;
    examples.push_back({std::string(Trimmed(line.substr(kPrompt.size()))), std::string(result)});
  }
  return examples;
}

Result<std::vector<Derivation>> DrawCode(Work& work, std::size_t count, float temperature) {
  const auto prompt = ChainPrompt(work);
  if (!prompt) return tl::unexpected(prompt.error());
  const std::string& question = work.question().text;
  const auto examples = ExamplesIn(question);
  const bool runs = !examples.empty() && SandboxAvailable().has_value();
  std::vector<std::future<Result<RunResult>>> running(count);
  const auto samples = DrawFenced(
      work, *prompt, {.count = count, .temperature = temperature, .max_tokens = kMostTokens},
      [&](std::size_t index, const Drawn& drawn) {
        if (!runs) return;
        running[index] = std::async(std::launch::async, RunExamples,
                                    TestProgram(drawn.text, question, examples));
      });
  if (!samples) return tl::unexpected(samples.error());
  std::vector<Derivation> derivations;
  for (std::size_t i = 0; i < samples->size(); ++i) {
    if ((*samples)[i].tokens == 0) continue;
    Derivation derivation = ToProgram((*samples)[i]);
    derivation.value = derivation.text;
    if (runs) {
      const Result<RunResult> run = running[i].get();
      for (std::size_t e = 0; e < examples.size(); ++e) {
        Finding finding = Judge(examples[e], e, run);
        finding.span = {0, derivation.text.size()};
        if (finding.verdict == Verdict::kRefuted) ++derivation.missing;
        derivation.findings.push_back(std::move(finding));
      }
    }
    RecordProgram(work, (*samples)[i], &derivation);
    derivations.push_back(std::move(derivation));
  }
  return derivations;
}

}  // namespace ergo::reasoning
