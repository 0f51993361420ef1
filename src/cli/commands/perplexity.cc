// `ergo perplexity`: how well a model predicts a text, and how far a fast path is from the
// reference.
#include "generate/perplexity.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/mapped_file.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/engine_choice.h"
#include "cli/terminal.h"
#include "generate/language_model.h"

namespace ergo::cli {

namespace {

constexpr std::size_t kMostInput = std::size_t{1} << 30;

struct Settings {
  EngineChoice engine;
  std::string file;
  std::string against;
  std::optional<std::int64_t> window;
  std::optional<std::int64_t> windows;
  bool json = false;
};

double SameChoice(const generate::PerplexityResult& result) {
  return static_cast<double>(result.same_choice) / static_cast<double>(result.divergence.count());
}

std::string Report(const generate::PerplexityResult& result, bool bos) {
  std::string text =
      fmt::format("perplexity {:.4f} ± {:.4f}\n", result.perplexity(), result.perplexity_error());
  if (result.divergence.count() > 0) {
    text += fmt::format(
        "reference  {:.4f}; this is {:+.3f}%\n"
        "mean KL divergence from the reference {:.6f} ± {:.6f} nats\n"
        "same most likely token {:.2f}%\n",
        result.reference_perplexity(),
        100 * (result.perplexity() / result.reference_perplexity() - 1), result.divergence.value(),
        result.divergence.error(), 100 * SameChoice(result));
  }
  text += fmt::format(
      "{} windows of {} tokens; in each, the tokens after the first {} are scored ({} in all); "
      "{}\n",
      result.windows, result.window, result.window / 2 + 1, result.loss.count(),
      bos ? "each window begins with BOS in place of its first token" : "no BOS");
  return text;
}

std::string JsonReport(const generate::PerplexityResult& result, bool bos) {
  OrderedJson report;
  report["perplexity"] = result.perplexity();
  report["perplexity_error"] = result.perplexity_error();
  if (result.divergence.count() > 0) {
    report["reference_perplexity"] = result.reference_perplexity();
    report["mean_kl_divergence"] = result.divergence.value();
    report["mean_kl_divergence_error"] = result.divergence.error();
    report["same_choice"] = SameChoice(result);
  }
  report["windows"] = result.windows;
  report["window"] = result.window;
  report["first_scored"] = result.window / 2 + 1;
  report["scored"] = result.loss.count();
  report["bos"] = bos;
  return report.dump(2) + '\n';
}

/// The model that `compute` asks for, with room for one window.
Result<std::shared_ptr<generate::LanguageModel>> Load(EngineChoice choice, std::int64_t window) {
  choice.context = window;
  return LoadLanguageModel(choice);
}

bool ShowProgress(const generate::PerplexityResult& so_far, std::size_t windows) {
  if (IsTerminal(STDERR_FILENO)) {
    fmt::print(stderr, "\r\033[Kwindow {} of {}: {:.4f} so far", so_far.windows, windows,
               so_far.perplexity());
    if (so_far.windows == windows) fmt::print(stderr, "\r\033[K");
  }
  return !InterruptGuard::Requested();
}

Result<int> Perplexity(const Settings& settings) {
  const InterruptGuard guard;
  const Result<std::string> text =
      settings.file.empty() ? ReadStdin(kMostInput) : ReadFile(settings.file, kMostInput);
  if (!text) return tl::unexpected(text.error());
  const std::int64_t window = settings.window.value_or(512);
  const auto model = Load(settings.engine, window);
  if (!model) return tl::unexpected(model.error());
  std::shared_ptr<generate::LanguageModel> reference;
  if (!settings.against.empty()) {
    EngineChoice choice = settings.engine;
    choice.quant.clear();
    choice.kv.clear();
    choice.compute = settings.against;
    auto loaded = Load(choice, window);
    if (!loaded) return tl::unexpected(loaded.error());
    reference = std::move(*loaded);
  }

  const tokenizer::Tokenizer& tokenizer = (*model)->tokenizer();
  generate::PerplexityOptions options;
  options.window = static_cast<std::size_t>(window);
  if (settings.windows) options.most_windows = static_cast<std::size_t>(*settings.windows);
  if (tokenizer.adds_bos()) options.bos = tokenizer.bos();
  const auto engine = (*model)->NewEngine(options.window);
  if (!engine) return tl::unexpected(engine.error());
  std::unique_ptr<runtime::Engine> against;
  if (reference) {
    auto made = reference->NewEngine(options.window);
    if (!made) return tl::unexpected(made.error());
    against = std::move(*made);
  }
  const auto result = generate::MeasurePerplexity(**engine, against.get(), tokenizer.Encode(*text),
                                                  options, ShowProgress);
  if (InterruptGuard::Requested()) return kInterrupted;
  if (!result) return tl::unexpected(result.error());
  const bool bos = options.bos.has_value();
  const std::string report = settings.json ? JsonReport(*result, bos) : Report(*result, bos);
  if (Status printed = Print(report); !printed) return tl::unexpected(printed.error());
  return kOk;
}

Action Prepare(Options& options) {
  const auto settings = std::make_shared<Settings>();
  options.Text("-f,--file", &settings->file, "FILE", "the text (default: standard input)");
  options.Number("-c,--window", &settings->window, "N", "tokens of a window (512)", {2, 1 << 20});
  options.Number("--windows", &settings->windows, "N", "look at the first N windows only",
                 {1, 1e9});
  options.Choice("--against", &settings->against, "f32|fast",
                 "also compute this path: KL divergence from it");
  options.Flag("--json", &settings->json, "print one JSON object");
  AddEngineOptions(options, &settings->engine);
  AddFormatOptions(options, &settings->engine);
  options.Note(
      "Windows do not overlap, and a rest that fills none is left out. In a window of N tokens "
      "those\n"
      "after the first N/2 + 1 are scored. If the tokenizer adds BOS, it replaces each window's\n"
      "first token. These are the rules of llama-perplexity.");
  return [settings] { return Perplexity(*settings); };
}

}  // namespace

const Command kPerplexity = {"perplexity", "[options] < TEXT",
                             "Measure how well a text is predicted", Prepare};

}  // namespace ergo::cli
