// `ergo bench`: speed of prompts and of decoding.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/engine_choice.h"
#include "cli/terminal.h"
#include "kernels/roof/roof.h"
#include "runtime/engine.h"

namespace ergo::cli {

namespace {

struct Settings {
  EngineChoice engine;
  std::vector<std::int64_t> prompts;
  std::vector<std::int64_t> answers;
  std::vector<std::int64_t> batches;
  std::optional<std::int64_t> shared_prefix;
  std::optional<std::int64_t> repetitions;
  bool json = false;
};

struct Test {
  std::string name;
  std::size_t prompt = 0;  ///< tokens computed at once, or
  std::size_t answer = 0;  ///< tokens one after the other
  std::size_t batch = 1;
  std::size_t prefix = 0;  ///< tokens that the sequences of an answer have in common
};

struct Measured {
  Test test;
  std::vector<double> rates;  ///< tokens per second over all sequences, sorted
  double wall = 0;            ///< of the memory; 0: does not apply
  double int8_share = 0;      ///< of the int8 peak; 0: does not apply
  Residency residency;
};

using Clock = std::chrono::steady_clock;

/// Tokens without meaning, the same in every run.
std::vector<std::int32_t> Tokens(std::size_t count, std::size_t vocabulary, std::uint64_t seed) {
  std::vector<std::int32_t> tokens(count);
  std::uint64_t state = seed + 1;
  for (std::int32_t& token : tokens) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    token = static_cast<std::int32_t>((state >> 33) % vocabulary);
  }
  return tokens;
}

/// One run of a test; gives tokens per second. `origin` holds the shared prefix.
Result<double> RunOnce(runtime::Engine& engine, const Test& test, runtime::SequenceId origin) {
  const std::size_t vocabulary = engine.model().config().vocabulary;
  std::vector<std::vector<std::int32_t>> tokens;
  std::vector<runtime::Work> works(test.batch);
  const std::size_t count = std::max(test.prompt, test.answer);
  for (std::size_t b = 0; b < test.batch; ++b) tokens.push_back(Tokens(count, vocabulary, b));
  for (runtime::Work& work : works) {
    const auto fork = engine.Fork(origin, test.prefix);
    if (!fork) return tl::unexpected(fork.error());
    work.sequence = *fork;
  }

  Status status;
  const auto start = Clock::now();
  if (test.prompt > 0) {
    for (std::size_t b = 0; b < test.batch; ++b) works[b].tokens = tokens[b];
    const auto logits = engine.Step(works);
    if (!logits) status = tl::unexpected(logits.error());
  }
  for (std::size_t i = 0; i < test.answer && status; ++i) {
    for (std::size_t b = 0; b < test.batch; ++b) works[b].tokens = std::span(&tokens[b][i], 1);
    const auto logits = engine.Step(works);
    if (!logits) status = tl::unexpected(logits.error());
  }
  const std::chrono::duration<double> took = Clock::now() - start;
  for (const runtime::Work& work : works) engine.Release(work.sequence);
  if (!status) return tl::unexpected(status.error());
  return static_cast<double>(count * test.batch) / took.count();
}

Result<Measured> Measure(const model::Model& model, const Settings& settings, const Test& test) {
  runtime::EngineOptions options;
  options.context = test.prefix + std::max(test.prompt, test.answer) + 1;
  options.sequences = test.batch + 1;
  options.threads = ThreadsOf(settings.engine);
  auto engine = runtime::Engine::Create(model, options);
  if (!engine) return tl::unexpected(engine.error());
  Measured measured;
  measured.test = test;
  const runtime::SequenceId origin = (*engine)->Add();
  if (test.prefix > 0) {
    const auto tokens = Tokens(test.prefix, model.config().vocabulary, test.batch);
    if (Status done = (*engine)->Append(origin, tokens); !done) return tl::unexpected(done.error());
  }
  const Result<double> warm_up = RunOnce(**engine, test, origin);
  if (!warm_up) return tl::unexpected(warm_up.error());
  for (std::int64_t r = 0; r < settings.repetitions.value_or(5); ++r) {
    if (InterruptGuard::Requested()) return Fail("interrupted", "bench");
    const Result<double> rate = RunOnce(**engine, test, origin);
    if (!rate) return tl::unexpected(rate.error());
    measured.rates.push_back(*rate);
  }
  std::sort(measured.rates.begin(), measured.rates.end());
  measured.residency = MeasureResidency();
  return measured;
}

double Median(const std::vector<double>& sorted) {
  const std::size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/// Tokens per second if only reading took time: every step reads the weights and the shared prefix
/// once, and for each sequence the keys and values of half the answer on average.
double MemoryWall(const model::Model& model, const Test& test, double bandwidth) {
  if (test.answer == 0) return 0;
  const auto each = static_cast<double>(model.kv_bytes_per_token());
  const auto batch = static_cast<double>(test.batch);
  const double tokens =
      static_cast<double>(test.prefix) + batch * static_cast<double>(test.answer) / 2;
  return bandwidth * batch / (static_cast<double>(model.bytes_per_token()) + tokens * each);
}

/// The median's operations per second over the int8 peak.
double Int8Share(const model::Model& model, const Measured& measured, double peak) {
  const std::size_t prompt = measured.test.prompt;
  if (prompt == 0 || peak == 0) return 0;
  const double each = model.PromptOperations(prompt) / static_cast<double>(prompt);
  return Median(measured.rates) * each / peak;
}

struct Environment {
  std::string model;
  std::string path;
  std::uint64_t weight_bytes = 0;
  double bandwidth = 0;
  double int8_peak = 0;  ///< operations per second
  int threads = 0;
};

OrderedJson Row(const Measured& measured, const Environment& environment) {
  OrderedJson row;
  row["test"] = measured.test.name;
  row["batch"] = measured.test.batch;
  row["shared_prefix"] = measured.test.prefix;
  row["tokens_per_second"] = {{"median", Median(measured.rates)},
                              {"min", measured.rates.front()},
                              {"max", measured.rates.back()}};
  row["threads"] = environment.threads;
  row["cpu"] = FeatureNames(HostCpu());
  row["cpu_path"] = environment.path;
  row["rss_bytes"] = measured.residency.now;
  row["peak_rss_bytes"] = measured.residency.peak;
  row["memory_wall_tokens_per_second"] =
      measured.wall > 0 ? OrderedJson(measured.wall) : OrderedJson(nullptr);
  row["int8_peak_share"] =
      measured.int8_share > 0 ? OrderedJson(measured.int8_share) : OrderedJson(nullptr);
  row["int8_peak_operations_per_second"] = environment.int8_peak;
  row["read_bandwidth_bytes_per_second"] = environment.bandwidth;
  row["weight_bytes"] = environment.weight_bytes;
  row["repetitions"] = measured.rates.size();
  row["model"] = environment.model;
  return row;
}

std::string Table(const std::vector<Measured>& all, const Environment& environment) {
  std::string text = fmt::format(
      "{}\n{} path, {} threads, {:.1f} MB of weights, memory reads {:.1f} GB/s, int8 peak {:.0f} "
      "GOP/s\n\n"
      "{:<8} {:>5} {:>11} {:>9} {:>9} {:>8} {:>8}\n",
      environment.model, environment.path, environment.threads,
      static_cast<double>(environment.weight_bytes) / 1e6, environment.bandwidth / 1e9,
      environment.int8_peak / 1e9, "test", "batch", "tokens/s", "min", "max", "of wall", "RSS");
  for (const Measured& measured : all) {
    const double median = Median(measured.rates);
    const double of_wall = measured.wall > 0 ? median / measured.wall : measured.int8_share;
    const std::string share = of_wall > 0 ? fmt::format("{:.0f}%", 100 * of_wall) : "";
    text += fmt::format("{:<8} {:>5} {:>11.1f} {:>9.1f} {:>9.1f} {:>8} {:>5.0f} MB\n",
                        measured.test.name, measured.test.batch, median, measured.rates.front(),
                        measured.rates.back(), share,
                        static_cast<double>(measured.residency.now) / 1e6);
  }
  return text;
}

std::vector<Test> TestsOf(const Settings& settings) {
  const auto prompts = settings.prompts.empty() ? std::vector<std::int64_t>{512} : settings.prompts;
  const auto answers = settings.answers.empty() ? std::vector<std::int64_t>{128} : settings.answers;
  const auto batches = settings.batches.empty() ? std::vector<std::int64_t>{1} : settings.batches;
  std::vector<Test> tests;
  for (const std::int64_t batch : batches) {
    const auto sequences = static_cast<std::size_t>(batch);
    for (const std::int64_t n : prompts) {
      if (n > 0)
        tests.push_back({fmt::format("pp{}", n), static_cast<std::size_t>(n), 0, sequences, 0});
    }
    for (const std::int64_t n : answers) {
      if (n > 0)
        tests.push_back({fmt::format("tg{}", n), 0, static_cast<std::size_t>(n), sequences,
                         static_cast<std::size_t>(settings.shared_prefix.value_or(0))});
    }
  }
  return tests;
}

Result<int> Bench(const Settings& settings) {
  const InterruptGuard guard;
  const Result<CpuPath> path = ChooseCpuPath();
  if (!path) return tl::unexpected(path.error());
  const std::vector<Test> tests = TestsOf(settings);
  if (tests.empty()) return Fail("there is nothing to measure", "bench", "give -p or -n above 0");
  const Result<LoadedModel> loaded = LoadModel(settings.engine);
  if (!loaded) return tl::unexpected(loaded.error());
  const model::Model& model = *loaded->model;
  Environment environment;
  environment.model = loaded->files.path;
  environment.path = Name(*path);
  environment.weight_bytes = model.bytes_per_token();
  environment.threads = ThreadsOf(settings.engine);
  environment.bandwidth = kernels::MeasureReadBandwidth(environment.threads);
  environment.int8_peak = kernels::MeasureInt8Peak(environment.threads);
  std::vector<Measured> all;
  for (const Test& test : tests) {
    Result<Measured> measured = Measure(model, settings, test);
    if (InterruptGuard::Requested()) return kInterrupted;
    if (!measured) return tl::unexpected(measured.error());
    all.push_back(std::move(*measured));
  }
  // A shared machine is not equally fast at all times: the better of two looks.
  environment.bandwidth =
      std::max(environment.bandwidth, kernels::MeasureReadBandwidth(environment.threads));
  environment.int8_peak =
      std::max(environment.int8_peak, kernels::MeasureInt8Peak(environment.threads));
  OrderedJson rows = OrderedJson::array();
  for (Measured& measured : all) {
    measured.wall = MemoryWall(model, measured.test, environment.bandwidth);
    measured.int8_share = Int8Share(model, measured, environment.int8_peak);
    rows.push_back(Row(measured, environment));
  }
  const std::string text = settings.json ? rows.dump(2) + '\n' : Table(all, environment);
  if (Status printed = Print(text); !printed) return tl::unexpected(printed.error());
  return kOk;
}

Action Prepare(Options& options) {
  const auto settings = std::make_shared<Settings>();
  options.Numbers("-p,--prompt", &settings->prompts, "N,…", "tokens of a prompt (512; 0: none)",
                  {0, 1e6});
  options.Numbers("-n,--tokens", &settings->answers, "N,…", "tokens decoded (128; 0: none)",
                  {0, 1e6});
  options.Numbers("-b,--batch", &settings->batches, "N,…", "independent sequences in a step (1)",
                  {1, 1024});
  options.Number("--shared-prefix", &settings->shared_prefix, "N",
                 "tgN: let the sequences be forks of one of N tokens (0)", {0, 1e6});
  options.Number("-r,--repetitions", &settings->repetitions, "N",
                 "runs of each test after a warm-up (5)", {1, 1000});
  options.Flag("--json", &settings->json, "print a JSON array with a row for each test");
  AddEngineOptions(options, &settings->engine);
  AddFormatOptions(options, &settings->engine);
  options.Note(
      "ppN is a prompt of N tokens, tgN decodes N tokens one after the other.\n"
      "The wall of tgN: tokens per second if a step cost nothing but reading the weights and the "
      "keys\n"
      "and values once; that of ppN: if all products ran at the int8 peak. Read bandwidth and peak "
      "are\n"
      "measured before and after the tests.");
  return [settings] { return Bench(*settings); };
}

}  // namespace

const Command kBench = {"bench", "[options]", "Measure the speed of prompts and answers", Prepare};

}  // namespace ergo::cli
