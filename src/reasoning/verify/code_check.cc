#include "reasoning/verify/code_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "reasoning/verify/code_block.h"
#include "reasoning/verify/python_driver.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMaxBlocks = 8;

/// Its assertions could hold in one run and fail in the next.
bool DependsOnChance(std::string_view code) {
  constexpr std::array kWords = {"random", "time", "uuid", "secrets", "id(", "hash(", "thread"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](const char* word) { return code.find(word) != std::string_view::npos; });
}

int ToInt(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Lines without trailing blanks, without empty lines at either end.
std::string Normal(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const auto last = line.find_last_not_of(" \t\r");
    if (last != std::string_view::npos) lines += line.substr(0, last + 1);
    lines += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const auto first = lines.find_first_not_of('\n');
  if (first == std::string::npos) return {};
  return lines.substr(first, lines.find_last_not_of('\n') - first + 1);
}

std::string LastLine(std::string_view text) {
  const std::string normal = Normal(text);
  const auto at = normal.rfind('\n');
  return normal.substr(at == std::string::npos ? 0 : at + 1, 300);
}

/// How a block's run ended; the finding about it, and what it printed.
struct BlockRun {
  Finding finding;
  std::string out;
  bool ended = false;
  bool lacks_name = false;
};

void Limit(const RunResult& result, Finding& finding) {
  finding.verdict = Verdict::kRefuted;
  switch (result.status) {
    case RunStatus::kTimeout:
      finding.reason = fmt::format("The program had not ended after {:.1f} s.", result.seconds);
      break;
    case RunStatus::kOutputLimit:
      finding.reason = "The program prints without end.";
      break;
    case RunStatus::kMemory:
      finding.reason = "The program needs more memory than it may have.";
      break;
    case RunStatus::kSignaled:
      finding.reason = fmt::format("The program crashed (signal {}).", result.signal);
      break;
    default:
      finding.reason = fmt::format("The program failed with exit code {}: {}", result.exit_code,
                                   LastLine(result.err));
  }
}

BlockRun OfPython(const RunResult& result, std::string_view code) {
  BlockRun run;
  DriverReport report = SplitReport(result.out);
  run.out = std::move(report.out);
  Finding& finding = run.finding;
  if (result.status != RunStatus::kExited || report.fields.size() != 5) {
    Limit(result, finding);
    return run;
  }
  const auto& [end, line, message, held_text, total_text] = std::tie(
      report.fields[0], report.fields[1], report.fields[2], report.fields[3], report.fields[4]);
  const int held = ToInt(held_text);
  const int total = ToInt(total_text);
  if (end == "assertion") {
    finding.verdict = Verdict::kRefuted;
    finding.exact = !DependsOnChance(code);
    finding.reason = fmt::format("The assertion in line {} of the code fails ({}).", line, message);
  } else if (end == "error") {
    run.lacks_name = message.starts_with("NameError");
    const bool needs =
        message.starts_with("ModuleNotFoundError") || message.starts_with("EOFError");
    finding.verdict = needs ? Verdict::kUnchecked : Verdict::kRefuted;
    finding.reason = fmt::format("The code stops in line {}: {}.", line, message);
  } else {
    run.ended = true;
    finding.verdict = held > 0 ? Verdict::kVerified : Verdict::kUnsupported;
    finding.exact = held > 0 && held == total && !DependsOnChance(code);
    finding.reason =
        held > 0
            ? fmt::format("{} of {} assertions of the code were reached and hold.", held, total)
            : "The code runs to its end and asserts nothing.";
  }
  return run;
}

BlockRun OfCpp(const RunResult& result, std::string_view code) {
  BlockRun run;
  run.out = result.out;
  Finding& finding = run.finding;
  const auto says = [&](std::string_view words) {
    return result.err.find(words) != std::string::npos;
  };
  if (result.status == RunStatus::kCompileError) {
    finding.verdict =
        says("undefined reference to `main'") ? Verdict::kUnchecked : Verdict::kRefuted;
    finding.exact = says("error: static assertion failed");
    const auto at = std::min(result.err.find("error:"), result.err.find("undefined reference"));
    finding.reason = fmt::format(
        "The code does not compile: {}",
        at == std::string::npos
            ? LastLine(result.err)
            : result.err.substr(at, std::min(result.err.find('\n', at), at + 300) - at));
  } else if (result.status == RunStatus::kSignaled && result.signal == 6 && says("Assertion `")) {
    finding.verdict = Verdict::kRefuted;
    finding.exact = !DependsOnChance(code);
    finding.reason = fmt::format("An assertion fails: {}", LastLine(result.err));
  } else if (!result.ok()) {
    Limit(result, finding);
  } else {
    run.ended = true;
    const bool asserts = code.find("assert(") != std::string_view::npos &&
                         code.find("NDEBUG") == std::string_view::npos;
    finding.verdict = asserts ? Verdict::kVerified : Verdict::kUnsupported;
    finding.reason = asserts ? "The code runs to its end with its assertions switched on."
                             : "The code runs to its end and asserts nothing.";
  }
  return run;
}

BlockRun RunBlock(const CodeBlock& block, const std::string& prelude, const SandboxLimits& limits) {
  const bool python = IsPython(block.language);
  const auto result = RunProgram({python ? Language::kPython : Language::kCpp,
                                  python ? CheckingDriver(block.code, prelude) : block.code, ""},
                                 limits);
  if (result) return python ? OfPython(*result, block.code) : OfCpp(*result, block.code);
  BlockRun run;
  run.finding.reason = result.error().Message();
  return run;
}

/// The limits, less what `until` leaves no time for; nothing where there is none left.
bool WithinTime(std::chrono::steady_clock::time_point until, SandboxLimits& limits) {
  const auto now = std::chrono::steady_clock::now();
  if (until <= now) return false;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - now);
  limits.wall = std::min(limits.wall, left);
  limits.compile_wall = std::min(limits.compile_wall, left);
  return left.count() > 0;
}

std::string EarlierPython(std::span<const std::string> earlier) {
  std::string code;
  for (const std::string& step : earlier) {
    for (const CodeBlock& block : FindCodeBlocks(step)) {
      if (IsPython(block.language)) code += block.code + "\n";
    }
  }
  return code;
}

Finding CompareOutput(const CodeBlock& shown, const BlockRun& run, bool chance) {
  Finding finding;
  const std::string actual = Normal(run.out);
  const bool same = actual == Normal(shown.code);
  finding.verdict = same ? Verdict::kVerified : Verdict::kRefuted;
  finding.exact = !chance;
  finding.reason =
      same ? "The program prints what the step says." : "The program prints something else.";
  finding.value = same ? "" : actual.substr(0, 2000);
  return finding;
}

}  // namespace

std::vector<Finding> CodeCheck::Run(const CheckInput& input) const {
  std::vector<Finding> findings;
  const auto add = [&](Finding finding, Span span) {
    finding.method = name();
    finding.semantics = "execution in a sandbox";
    finding.span = span;
    findings.push_back(std::move(finding));
  };
  const std::vector<CodeBlock> blocks = FindCodeBlocks(input.text);
  std::size_t ran = 0;
  const CodeBlock* last = nullptr;
  BlockRun run;
  for (const CodeBlock& block : blocks) {
    const bool output =
        block.language == "output" || block.language == "text" || block.language == "stdout";
    if (output && last != nullptr && run.ended) {
      add(CompareOutput(block, run, DependsOnChance(last->code)), block.span);
    }
    last = nullptr;
    if (!IsPython(block.language) && !IsCpp(block.language)) continue;
    SandboxLimits limits = limits_;
    if (++ran > kMaxBlocks || !WithinTime(input.until, limits)) {
      Finding none;
      none.reason = "There was no time to run this code.";
      add(std::move(none), block.span);
      continue;
    }
    run = RunBlock(block, {}, limits);
    const std::string earlier = run.lacks_name ? EarlierPython(input.earlier) : std::string();
    if (!earlier.empty() && WithinTime(input.until, limits)) run = RunBlock(block, earlier, limits);
    last = &block;
    add(run.finding, block.span);
  }
  return findings;
}

Result<std::string> RunPythonForAnswer(std::string_view code, const SandboxLimits& limits) {
  std::string bare(code);
  for (CodeBlock& block : FindCodeBlocks(code)) {
    if (!block.language.empty() && !IsPython(block.language)) continue;
    bare = std::move(block.code);
    break;
  }
  auto result = RunProgram({Language::kPython, AnsweringDriver(bare), ""}, limits);
  if (!result) return Fail(std::move(result));
  const DriverReport report = SplitReport(result->out);
  if (result->status != RunStatus::kExited) {
    Finding finding;
    Limit(*result, finding);
    return Fail(finding.reason, "program");
  }
  if (report.fields.size() != 2) {
    // It left by a back door; what it printed still counts.
    const std::string line = LastLine(report.out);
    if (!line.empty() && result->exit_code == 0) return line;
    return Fail("the program left without an answer", "program");
  }
  if (report.fields[0] != "value") return Fail(report.fields[1], "program");
  if (report.fields[1].empty()) return Fail("the answer is an empty text", "program");
  return report.fields[1];
}

}  // namespace ergo::reasoning
