#include "reasoning/sandbox/sandbox.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "reasoning/sandbox/jail.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMaxSource = std::size_t{1} << 20;
constexpr std::size_t kMaxBinary = std::size_t{32} << 20;
constexpr std::size_t kMinMemory = std::size_t{48} << 20;  // CPython's own needs

std::optional<std::string> FirstThatRuns(std::initializer_list<const char*> paths) {
  for (const char* path : paths) {
    if (access(path, X_OK) == 0) return path;
  }
  return std::nullopt;
}

JailPlan PlanOf(const SandboxLimits& limits) {
  JailPlan plan;
  plan.wall = limits.wall;
  plan.memory_bytes = std::max(limits.memory_bytes, kMinMemory);
  plan.tasks = std::max<std::size_t>(limits.tasks, 1);
  plan.processes = limits.processes;
  plan.out_bytes = plan.err_bytes = limits.output_bytes;
  plan.disk_bytes = limits.disk_bytes;
  plan.open_files = limits.open_files;
  plan.read_only = {"/usr/bin", "/usr/lib", "/usr/lib64",      "/bin",
                    "/lib",     "/lib64",   "/etc/ld.so.cache"};
  return plan;
}

/// An allocation that was refused ends a program in ways of its language.
bool OutOfMemory(const JailResult& result) {
  if (result.exit_code == 128 + SIGKILL) return true;  // by the kernel, as nobody else did
  if (result.exit_code == 0) return false;
  const std::string_view tail =
      std::string_view(result.err)
          .substr(result.err.size() - std::min<std::size_t>(result.err.size(), 512));
  return tail.find("\nMemoryError") != std::string_view::npos ||
         tail.find("std::bad_alloc") != std::string_view::npos;
}

RunResult Describe(JailResult ran) {
  RunResult result;
  if (ran.output_limit) {
    result.status = RunStatus::kOutputLimit;
  } else if (ran.timed_out || ran.exit_code == 128 + SIGXCPU) {
    result.status = RunStatus::kTimeout;
  } else if (OutOfMemory(ran)) {
    result.status = RunStatus::kMemory;
  } else if (ran.exit_code > 128 && ran.exit_code < 128 + NSIG) {
    result.status = RunStatus::kSignaled;
    result.signal = ran.exit_code - 128;
  }
  result.exit_code = ran.exit_code;
  result.out = std::move(ran.out);
  result.err = std::move(ran.err);
  result.seconds = ran.seconds;
  return result;
}

Result<RunResult> RunPython(const Program& program, const SandboxLimits& limits) {
  const auto python = FirstThatRuns({"/usr/bin/python3", "/usr/local/bin/python3"});
  if (!python) return Fail("python3 is missing", "sandbox", "install the package python3");
  JailPlan plan = PlanOf(limits);
  if (python->starts_with("/usr/local")) {
    plan.read_only.insert(plan.read_only.end(), {"/usr/local/bin", "/usr/local/lib"});
  }
  // Alone, without what the machine's owner installed, and without its byte-code written.
  plan.command = {*python, "-I", "-S", "-B", "-X", "utf8", "/program/main.py"};
  plan.files = {{"/program/main.py", program.source}};
  plan.input = program.input;
  auto ran = RunInJail(plan);
  if (!ran) return Fail(std::move(ran));
  return Describe(std::move(*ran));
}

Result<RunResult> RunCpp(const Program& program, const SandboxLimits& limits) {
  const auto compiler = FirstThatRuns({"/usr/bin/g++", "/usr/local/bin/g++"});
  if (!compiler) return Fail("g++ is missing", "sandbox", "install the package g++");
  JailPlan plan = PlanOf(limits);
  plan.wall = limits.compile_wall;
  plan.memory_bytes = limits.compile_memory_bytes;
  plan.tasks = 16;
  plan.processes = true;
  plan.disk_bytes = 4 * kMaxBinary;
  plan.out_bytes = kMaxBinary;
  plan.read_only.insert(plan.read_only.end(),
                        {"/usr/include", "/usr/libexec", "/etc/alternatives"});
  if (compiler->starts_with("/usr/local")) plan.read_only.emplace_back("/usr/local");
  plan.command = {"/bin/sh", "-c",
                  fmt::format("{} -std=c++20 -O1 -pipe -pthread -fmax-errors=5 -o /tmp/program "
                              "/program/main.cc && exec cat /tmp/program",
                              *compiler)};
  plan.files = {{"/program/main.cc", program.source}};
  auto compiled = RunInJail(plan);
  if (!compiled) return Fail(std::move(compiled));
  const double compile_seconds = compiled->seconds;
  if (compiled->exit_code != 0 || compiled->timed_out || compiled->output_limit) {
    const bool out_of_time = compiled->timed_out;
    RunResult refused = Describe(std::move(*compiled));
    refused.status = RunStatus::kCompileError;
    refused.out.clear();
    if (out_of_time) refused.err += "\nthe compiler ran out of time";
    refused.compile_seconds = compile_seconds;
    return refused;
  }
  plan = PlanOf(limits);
  plan.command = {"/program/main"};
  plan.files = {{"/program/main", std::move(compiled->out)}};
  plan.input = program.input;
  auto ran = RunInJail(plan);
  if (!ran) return Fail(std::move(ran));
  RunResult result = Describe(std::move(*ran));
  result.compile_seconds = compile_seconds;
  return result;
}

}  // namespace

std::string_view Name(RunStatus status) {
  switch (status) {
    case RunStatus::kExited:
      return "exited";
    case RunStatus::kSignaled:
      return "signaled";
    case RunStatus::kTimeout:
      return "timeout";
    case RunStatus::kOutputLimit:
      return "output limit";
    case RunStatus::kMemory:
      return "memory";
    case RunStatus::kCompileError:
      break;
  }
  return "compile error";
}

Result<RunResult> RunProgram(const Program& program, const SandboxLimits& limits) {
  if (program.source.size() > kMaxSource || program.input.size() > kMaxBinary) {
    return Fail(fmt::format("a program of {} bytes with {} bytes of input is too large",
                            program.source.size(), program.input.size()),
                "sandbox", fmt::format("send at most {} and {}", kMaxSource, kMaxBinary));
  }
  return program.language == Language::kPython ? RunPython(program, limits)
                                               : RunCpp(program, limits);
}

Status SandboxAvailable() {
  SandboxLimits limits;
  limits.wall = std::chrono::seconds(20);
  auto ran = RunProgram({Language::kPython, "print('ready')", ""}, limits);
  if (!ran) return Fail(std::move(ran));
  if (ran->out != "ready\n") {
    return Fail(fmt::format("a trial program did not run: {} {}", Name(ran->status), ran->err),
                "sandbox");
  }
  return {};
}

}  // namespace ergo::reasoning
