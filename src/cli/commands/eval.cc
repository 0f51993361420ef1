// `ergo eval`: how often strategies are right, what it costs, and how sure the difference is.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/engine_choice.h"
#include "cli/terminal.h"
#include "reasoning/eval/calibration.h"
#include "reasoning/eval/report.h"
#include "reasoning/eval/runner.h"
#include "reasoning/eval/solver.h"
#include "reasoning/model/engine_model.h"
#include "reasoning/sandbox/sandbox.h"
#include "reasoning/strategies/strategy.h"

namespace ergo::cli {

namespace {

namespace eval = reasoning::eval;

constexpr std::int64_t kQuestions = 100;
constexpr std::int64_t kBudget = 1024;
constexpr std::int64_t kParallel = 8;
/// Between two lines of progress that do not go to a terminal.
constexpr double kQuietSeconds = 30;

struct Settings {
  EngineChoice engine;
  std::vector<std::string> words;
  std::vector<std::string> data;
  std::string strategies = "direct";
  std::string resume;
  std::string diagram;
  std::optional<std::int64_t> questions;
  std::optional<std::int64_t> budget;
  std::optional<std::int64_t> seed;
  std::optional<std::int64_t> parallel;
  std::optional<double> temperature;
  bool calibrate = false;
  bool json = false;
};

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// FILE of "FAMILY=FILE", or of a lone FILE if one family alone reads a file.
Result<std::string> FileFor(const eval::Family& family, const Settings& settings,
                            std::size_t reading) {
  if (!family.from_file) return std::string();
  std::string lone;
  for (const std::string& given : settings.data) {
    const std::string prefix = std::string(family.name) + "=";
    if (given.starts_with(prefix)) return given.substr(prefix.size());
    bool named = false;
    for (const eval::Family& other : eval::Families()) {
      named = named || given.starts_with(std::string(other.name) + "=");
    }
    if (!named) lone = given;
  }
  if (!lone.empty() && reading > 1) {
    return Fail("several families read a file; say which one reads this", "--data " + lone,
                fmt::format("--data {}={}", family.name, lone));
  }
  return lone;
}

Result<eval::ProgramRun> RunInSandbox(const std::string& source) {
  reasoning::Program program;
  program.source = source;
  const Result<reasoning::RunResult> ran = reasoning::RunProgram(program);
  if (!ran) return tl::unexpected(ran.error());
  return eval::ProgramRun{ran->ok(), ran->out};
}

Result<std::vector<eval::Task>> LoadTasks(const Settings& settings) {
  std::vector<eval::FamilyChoice> choices;
  std::size_t reading = 0;
  for (const std::string& word : settings.words) {
    for (const std::string& written : SplitAtCommas(word)) {
      Result<eval::FamilyChoice> choice = eval::ParseFamily(written);
      if (!choice) return Fail(std::move(choice));
      reading += choice->family->from_file ? 1 : 0;
      choices.push_back(std::move(*choice));
    }
  }
  std::vector<eval::Task> tasks;
  for (const eval::FamilyChoice& choice : choices) {
    const Result<std::string> file = FileFor(*choice.family, settings, reading);
    if (!file) return tl::unexpected(file.error());
    eval::Selection selection;
    selection.file = *file;
    selection.options = choice.options;
    selection.seed = static_cast<std::uint64_t>(settings.seed.value_or(0));
    selection.count = static_cast<std::size_t>(settings.questions.value_or(kQuestions));
    selection.run_python = RunInSandbox;
    Result<std::vector<eval::Item>> items = choice.family->load(selection);
    if (!items) return Fail(std::move(items));
    tasks.push_back({choice.name, std::move(*items)});
  }
  return tasks;
}

Result<std::vector<std::string>> ReadStrategies(const Settings& settings) {
  std::vector<std::string> strategies = SplitAtCommas(settings.strategies);
  std::string names(eval::kSolverName);
  for (const reasoning::Strategy* strategy : reasoning::Strategies()) {
    names += ", " + std::string(strategy->name);
  }
  for (const std::string& name : strategies) {
    if (name != eval::kSolverName && !reasoning::FindStrategy(name)) {
      return Fail("there is no strategy " + name, "--strategy", "one of " + names);
    }
  }
  if (strategies.empty()) return Fail("names none", "--strategy", "one of " + names);
  return strategies;
}

/// Programs of an answer are run: before hours of answering, not after, it is said if they cannot.
Status CheckSandbox(const std::vector<eval::Task>& tasks) {
  for (const eval::Task& task : tasks) {
    if (task.items.empty() || task.items.front().question.kind != reasoning::AnswerKind::kCode) {
      continue;
    }
    return reasoning::SandboxAvailable();
  }
  return {};
}

std::string TimeLeft(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

/// One line on a terminal that is written over; else a line now and then.
class ProgressLine {
 public:
  ~ProgressLine() {
    if (terminal_ && shown_) fmt::print(stderr, "\r\033[K");
  }
  void Show(const eval::Progress& progress) {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> since = now - last_;
    if (!terminal_ && progress.done < progress.of && since.count() < kQuietSeconds) return;
    last_ = now;
    shown_ = true;
    const std::string line = fmt::format(
        "{} of {}: {} by {}, {} of {} right; {} left", progress.done, progress.of, progress.family,
        progress.strategy, progress.right, progress.answered, TimeLeft(progress.seconds_left));
    std::fputs((terminal_ ? "\r\033[K" + line : line + "\n").c_str(), stderr);
    std::fflush(stderr);
  }

 private:
  const bool terminal_ = IsTerminal(STDERR_FILENO);
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

Result<reasoning::Answer> Answered(reasoning::TextModel* model, std::string_view strategy,
                                   const reasoning::Question& question,
                                   const reasoning::SolveSettings& settings) {
  if (strategy != eval::kSolverName) {
    return reasoning::Solve(*model, strategy, question, settings);
  }
  return eval::SolveWithoutModel(question).value_or(reasoning::Answer());
}

Status WriteDiagram(const std::string& path, const std::vector<eval::Row>& rows,
                    const std::string& model, std::uint64_t seed) {
  // The last strategy over all families: what is looked at is compared with what came before.
  const eval::Row& row = rows.back();
  std::ofstream file(path, std::ios::trunc);
  file << eval::ReliabilityDiagram(
      row.outcomes, fmt::format("{}: {} on {}", model, row.strategy, row.family), seed);
  file.flush();
  if (!file) return Fail("cannot write it", path);
  return {};
}

Status CalibrateAll(const std::vector<eval::Record>& records,
                    const std::vector<std::string>& strategies, const std::string& model) {
  const Result<std::string> home = eval::CalibrationHome();
  if (!home) return tl::unexpected(home.error());
  for (const std::string& strategy : strategies) {
    if (strategy == eval::kSolverName) continue;
    std::vector<eval::CalibrationExample> examples;
    std::vector<std::string> families;
    for (const eval::Record& record : records) {
      if (record.strategy != strategy || record.judgement == eval::Judgement::kNone) continue;
      examples.push_back({record.features, record.judgement == eval::Judgement::kRight});
      if (families.empty() || families.back() != record.family) families.push_back(record.family);
    }
    Result<eval::Calibration> fitted = eval::FitCalibration(examples);
    if (!fitted) {
      Note(fmt::format("{} is not calibrated: {}", strategy, fitted.error().Message()));
      continue;
    }
    fitted->model = model;
    fitted->strategy = strategy;
    fitted->families = families;
    if (Status saved = eval::SaveCalibration(*home, *fitted); !saved) return saved;
    Note(
        fmt::format("{} calibrated on {} answers: ECE {:.3f} before, {:.3f} after "
                    "(cross-validated); saved in {}",
                    strategy, fitted->questions, fitted->error_before, fitted->error_after,
                    eval::CalibrationPath(*home, model, strategy)));
  }
  return {};
}

Status Show(const Settings& settings, const std::vector<eval::Record>& records,
            const eval::Plan& plan, const std::string& model) {
  const std::vector<eval::Row> rows = eval::MakeRows(records, plan.limits.tokens, plan.seed);
  const std::string text =
      settings.json ? eval::ToJson(rows, plan.seed).dump(2) + '\n' : eval::Table(rows);
  if (Status printed = Print(text); !printed) return printed;
  if (settings.diagram.empty() || rows.empty()) return {};
  return WriteDiagram(settings.diagram, rows, model, plan.seed);
}

Result<int> ListFamilies() {
  std::string text;
  for (const eval::Family& family : eval::Families()) {
    text += fmt::format("{:<19} {}\n", family.name, family.summary);
    if (!family.options.empty()) text += fmt::format("{:<21} :{}\n", "", family.options);
  }
  if (Status printed = Print(text); !printed) return tl::unexpected(printed.error());
  return kOk;
}

Result<int> Run(const Settings& settings) {
  if (settings.words == std::vector<std::string>{"list"}) return ListFamilies();
  const InterruptGuard guard;
  eval::Plan plan;
  Result<std::vector<std::string>> strategies = ReadStrategies(settings);
  if (!strategies) return tl::unexpected(strategies.error());
  Result<std::vector<eval::Task>> tasks = LoadTasks(settings);
  if (!tasks) return tl::unexpected(tasks.error());
  if (Status ready = CheckSandbox(*tasks); !ready) return tl::unexpected(ready.error());
  plan.tasks = std::move(*tasks);
  plan.strategies = std::move(*strategies);
  plan.limits.tokens = static_cast<std::size_t>(settings.budget.value_or(kBudget));
  plan.seed = static_cast<std::uint64_t>(settings.seed.value_or(0));
  plan.parallel = static_cast<std::size_t>(settings.parallel.value_or(kParallel));
  if (settings.temperature) plan.temperature = static_cast<float>(*settings.temperature);
  plan.cancelled = InterruptGuard::Requested;
  ProgressLine line;
  plan.on_progress = [&line](const eval::Progress& progress) { line.Show(progress); };

  std::unique_ptr<reasoning::TextModel> model;
  const bool asks_model = std::any_of(plan.strategies.begin(), plan.strategies.end(),
                                      [](const auto& name) { return name != eval::kSolverName; });
  if (asks_model) {
    auto loaded = LoadLanguageModel(settings.engine);
    if (!loaded) return tl::unexpected(loaded.error());
    model = reasoning::MakeEngineModel(std::move(*loaded));
  }
  const std::string name = model ? model->name() : "none";
  std::unique_ptr<eval::Journal> journal;
  if (!settings.resume.empty()) {
    OrderedJson header;
    header["model"] = name;
    header["budget_tokens"] = plan.limits.tokens;
    header["temperature"] = plan.temperature;
    header["seed"] = plan.seed;
    auto opened = eval::Journal::Open(settings.resume, header);
    if (!opened) return tl::unexpected(opened.error());
    journal = std::move(*opened);
  }
  const auto solve = [&model](std::string_view strategy, const reasoning::Question& question,
                              const reasoning::SolveSettings& one) {
    return Answered(model.get(), strategy, question, one);
  };
  const auto records = eval::RunPlan(plan, solve, journal.get());
  if (!records) return tl::unexpected(records.error());
  if (Status shown = Show(settings, *records, plan, name); !shown) {
    return tl::unexpected(shown.error());
  }
  if (InterruptGuard::Requested()) return kInterrupted;
  if (settings.calibrate) {
    if (Status done = CalibrateAll(*records, plan.strategies, name); !done) {
      return tl::unexpected(done.error());
    }
  }
  return kOk;
}

Action Prepare(Options& options) {
  const auto settings = std::make_shared<Settings>();
  options.Arguments(&settings->words, 1, 100);
  options.Text("--strategy", &settings->strategies, "A,B,…",
               "how to answer (direct); \"solver\" asks no model");
  options.Texts("--data", &settings->data, "[FAMILY=]FILE", "the questions of a family");
  options.Number("-q,--questions", &settings->questions, "N",
                 fmt::format("of each family ({})", kQuestions), {1, 1e6});
  options.Number("--budget-tokens", &settings->budget, "N",
                 fmt::format("for each question, discarded samples included ({})", kBudget),
                 {1, 1 << 30});
  options.Number("--seed", &settings->seed, "S",
                 "of the questions that are made, and of answers (0)", {0, 1e15});
  AddEngineOptions(options, &settings->engine);
  options.Number("--parallel", &settings->parallel, "N",
                 fmt::format("questions side by side ({})", kParallel), {1, 1024});
  options.Text("--resume", &settings->resume, "FILE",
               "keep what is done in FILE, and go on with what is there");
  options.Flag("--calibrate", &settings->calibrate, "fit confidence on the answers, and save that");
  options.Text("--diagram", &settings->diagram, "FILE",
               "SVG of confidence against accuracy, for the last row");
  options.Flag("--json", &settings->json, "print an array of rows");
  options.Further();
  options.Number("--temp", &settings->temperature, "T", "of sampled answers (0.7)", {0, 10});
  AddContextOption(options, &settings->engine);
  AddMemoryOptions(options, &settings->engine);
  AddFormatOptions(options, &settings->engine);
  options.Note("Families and what can be chosen of them (chains:20:story): ergo eval list");
  return [settings] { return Run(*settings); };
}

}  // namespace

const Command kEval = {"eval", "[options] FAMILY[,FAMILY…] | list",
                       "Measure strategies on questions whose answers are known", Prepare};

}  // namespace ergo::cli
