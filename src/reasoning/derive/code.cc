#include "reasoning/derive/code.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <utility>

#include "base/json.h"
#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/steps.h"
#include "reasoning/sandbox/sandbox.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMostTokens = 400;
constexpr std::size_t kMostExamples = 16;
constexpr std::chrono::milliseconds kRunTime(3000);
constexpr std::string_view kPrompt = ">>> ";

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// The question's imports, which an answer may rely on.
std::string ImportsOf(std::string_view question) {
  std::string imports;
  for (const std::string_view line : Lines(question)) {
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
  for (const std::string_view line : Lines(run->out)) {
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

void Record(Work& work, const Drawn& drawn, Derivation* derivation) {
  TraceNode node;
  node.kind = NodeKind::kStep;
  node.text = derivation->text;
  node.formal = derivation->value;
  node.search.depth = 1;
  node.confidence.token = std::exp(derivation->mean_logprob);
  node.kv_new = drawn.tokens;
  node.kv_shared = drawn.cached;
  for (const DrawnToken& token : drawn.logprobs) {
    node.tokens.push_back({token.text, token.logprob, std::nullopt});
  }
  for (const Finding& finding : derivation->findings) {
    node.verification.push_back(ToVerification(finding));
  }
  derivation->node = work.trace().Add(std::move(node));
}

Result<RunResult> RunExamples(const std::string& program) {
  SandboxLimits limits;
  limits.wall = kRunTime;
  return RunProgram({Language::kPython, program, ""}, limits);
}

}  // namespace

std::vector<CodeExample> ExamplesIn(std::string_view question) {
  std::vector<CodeExample> examples;
  const auto lines = Lines(question);
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
  const std::string question = work.question().text;
  const auto examples = ExamplesIn(question);
  const bool runs = !examples.empty() && SandboxAvailable().has_value();
  std::vector<std::future<Result<RunResult>>> running;
  for (const Result<Drawn>& result : results) {
    const std::string program = result ? TestProgram(result->text, question, examples) : "";
    running.push_back(runs ? std::async(std::launch::async, RunExamples, program)
                           : std::future<Result<RunResult>>());
  }
  std::vector<Derivation> derivations;
  Status last;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto run = runs ? std::optional(running[i].get()) : std::nullopt;
    if (!results[i]) {
      last = Fail(std::move(results[i]));
      continue;
    }
    if (results[i]->tokens == 0) continue;
    Derivation derivation;
    derivation.kind = DerivationKind::kProgram;
    derivation.text = results[i]->text;
    derivation.value = std::string(results[i]->text);
    derivation.tokens = results[i]->tokens;
    derivation.finished = results[i]->end != DrawEnd::kLength;
    derivation.mean_logprob = MeanLogprob(results[i]->logprobs);
    for (std::size_t e = 0; run && e < examples.size(); ++e) {
      Finding finding = Judge(examples[e], e, *run);
      finding.span = {0, derivation.text.size()};
      if (finding.verdict == Verdict::kRefuted) ++derivation.missing;
      derivation.findings.push_back(std::move(finding));
    }
    Record(work, *results[i], &derivation);
    derivations.push_back(std::move(derivation));
  }
  if (derivations.empty() && !last) return Fail(std::move(last));
  return derivations;
}

}  // namespace ergo::reasoning
