// `ergo perplexity`: how well a model predicts a text, and how far a fast path is from the
// reference.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/mapped_file.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/engine_choice.h"
#include "cli/terminal.h"
#include "runtime/engine.h"
#include "tokenizer/tokenizer.h"

namespace ergo::cli {

namespace {

constexpr std::size_t kMostInput = std::size_t{1} << 30;
/// Rows of logits that are held at once: a vocabulary may have 262,144 tokens.
constexpr std::size_t kRows = 64;

struct Settings {
  EngineChoice engine;
  std::string file;
  std::string against;
  std::optional<std::int64_t> window;
  std::optional<std::int64_t> windows;
  bool json = false;
};

/// Sum, mean and its standard error.
struct Mean {
  double sum = 0;
  double squares = 0;
  std::size_t count = 0;

  void Add(double value) {
    sum += value;
    squares += value * value;
    ++count;
  }
  double value() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
  double error() const {
    if (count < 2) return 0;
    const auto n = static_cast<double>(count);
    return std::sqrt(std::max(0.0, squares / n - value() * value()) / (n - 1));
  }
};

struct Scores {
  Mean loss;            ///< -log p of the text's token
  Mean reference_loss;  ///< the same by the reference
  Mean divergence;      ///< KL(reference || fast), in nats
  std::size_t same_choice = 0;
};

double LogSum(std::span<const float> logits) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit - largest));
  return std::log(sum) + static_cast<double>(largest);
}

std::size_t Largest(std::span<const float> logits) {
  return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

void ScoreRow(std::span<const float> logits, std::int32_t next, Scores* scores) {
  const double log_sum = LogSum(logits);
  scores->loss.Add(log_sum - static_cast<double>(logits[static_cast<std::size_t>(next)]));
}

void ScoreRowAgainst(std::span<const float> logits, std::span<const float> reference,
                     std::int32_t next, Scores* scores) {
  const double log_sum = LogSum(logits);
  const double reference_sum = LogSum(reference);
  const auto token = static_cast<std::size_t>(next);
  scores->reference_loss.Add(reference_sum - static_cast<double>(reference[token]));
  double divergence = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double log_p = static_cast<double>(reference[i]) - reference_sum;
    const double log_q = static_cast<double>(logits[i]) - log_sum;
    divergence += std::exp(log_p) * (log_p - log_q);
  }
  scores->divergence.Add(divergence);
  if (Largest(logits) == Largest(reference)) ++scores->same_choice;
}

struct Evaluator {
  runtime::Engine* engine = nullptr;
  runtime::Engine* reference = nullptr;  ///< or nullptr

  /// Scores the rows from `first` on, but for the last.
  Status Window(std::span<const std::int32_t> tokens, std::size_t first, Scores* scores) const;
};

Status Evaluator::Window(std::span<const std::int32_t> tokens, std::size_t first,
                         Scores* scores) const {
  std::vector<runtime::Engine*> engines = {engine};
  if (reference) engines.push_back(reference);
  std::vector<runtime::SequenceId> sequences;
  for (runtime::Engine* each : engines) {
    sequences.push_back(each->Add());
    if (first == 0) continue;
    if (Status done = each->Append(sequences.back(), tokens.first(first)); !done) return done;
  }
  for (std::size_t row = first; row < tokens.size(); row += kRows) {
    const std::size_t rows = std::min(kRows, tokens.size() - row);
    std::vector<runtime::Logits> logits;
    for (std::size_t e = 0; e < engines.size(); ++e) {
      const runtime::Work work = {sequences[e], tokens.subspan(row, rows),
                                  runtime::LogitRows::kAll};
      auto computed = engines[e]->Step(std::span(&work, 1));
      if (!computed) return tl::unexpected(computed.error());
      logits.push_back(*computed);
    }
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t position = row + i;
      if (position + 1 >= tokens.size()) continue;
      ScoreRow(logits[0].Row(i), tokens[position + 1], scores);
      if (reference)
        ScoreRowAgainst(logits[0].Row(i), logits[1].Row(i), tokens[position + 1], scores);
    }
  }
  for (std::size_t e = 0; e < engines.size(); ++e) engines[e]->Release(sequences[e]);
  return {};
}

struct Text {
  std::vector<std::int32_t> tokens;
  std::optional<std::int32_t> bos;  ///< takes the place of each window's first token
};

Result<std::string> ReadInput(const Settings& settings) {
  return settings.file.empty() ? ReadStdin(kMostInput) : ReadFile(settings.file, kMostInput);
}

Result<Text> ReadText(const Settings& settings, const LoadedModel& loaded) {
  const Result<std::string> input = ReadInput(settings);
  if (!input) return tl::unexpected(input.error());
  const auto tokenizer = tokenizer::Tokenizer::Load(loaded.files);
  if (!tokenizer) return tl::unexpected(tokenizer.error());
  Text text;
  text.tokens = tokenizer->Encode(*input);
  if (tokenizer->adds_bos()) text.bos = tokenizer->bos();
  return text;
}

std::string Report(const Scores& scores, std::size_t windows, std::size_t window, bool bos) {
  const double perplexity = std::exp(scores.loss.value());
  std::string text =
      fmt::format("perplexity {:.4f} ± {:.4f}\n", perplexity, perplexity * scores.loss.error());
  if (scores.divergence.count > 0) {
    const double reference = std::exp(scores.reference_loss.value());
    text += fmt::format(
        "reference  {:.4f}; this is {:+.3f}%\n"
        "mean KL divergence from the reference {:.6f} ± {:.6f} nats\n"
        "same most likely token {:.2f}%\n",
        reference, 100 * (perplexity / reference - 1), scores.divergence.value(),
        scores.divergence.error(),
        100.0 * static_cast<double>(scores.same_choice) /
            static_cast<double>(scores.divergence.count));
  }
  text += fmt::format(
      "{} windows of {} tokens; in each, the tokens after the first {} are scored ({} in all); "
      "{}\n",
      windows, window, window / 2 + 1, scores.loss.count,
      bos ? "each window begins with BOS in place of its first token" : "no BOS");
  return text;
}

OrderedJson JsonReport(const Scores& scores, std::size_t windows, std::size_t window, bool bos) {
  OrderedJson report;
  const double perplexity = std::exp(scores.loss.value());
  report["perplexity"] = perplexity;
  report["perplexity_error"] = perplexity * scores.loss.error();
  if (scores.divergence.count > 0) {
    report["reference_perplexity"] = std::exp(scores.reference_loss.value());
    report["mean_kl_divergence"] = scores.divergence.value();
    report["mean_kl_divergence_error"] = scores.divergence.error();
    report["same_choice"] =
        static_cast<double>(scores.same_choice) / static_cast<double>(scores.divergence.count);
  }
  report["windows"] = windows;
  report["window"] = window;
  report["first_scored"] = window / 2 + 1;
  report["scored"] = scores.loss.count;
  report["bos"] = bos;
  return report;
}

Result<std::unique_ptr<runtime::Engine>> MakeEngine(const model::Model& model,
                                                    const EngineChoice& choice,
                                                    std::size_t window) {
  runtime::EngineOptions options;
  options.context = window;
  options.threads = ThreadsOf(choice);
  return runtime::Engine::Create(model, options);
}

/// Scores every window of the text; gives their number.
Result<std::size_t> ScoreAll(const Evaluator& evaluator, const Text& text, const Settings& settings,
                             Scores* scores) {
  const auto window = static_cast<std::size_t>(settings.window.value_or(512));
  std::size_t windows = text.tokens.size() / window;
  if (settings.windows) windows = std::min(windows, static_cast<std::size_t>(*settings.windows));
  if (windows == 0) {
    return Fail(fmt::format("{} tokens do not fill one window of {}", text.tokens.size(), window),
                settings.file.empty() ? "standard input" : settings.file,
                "give a longer text or a smaller window with -c");
  }
  for (std::size_t w = 0; w < windows; ++w) {
    std::vector<std::int32_t> tokens(
        text.tokens.begin() + static_cast<std::ptrdiff_t>(w * window),
        text.tokens.begin() + static_cast<std::ptrdiff_t>((w + 1) * window));
    if (text.bos) tokens[0] = *text.bos;
    if (Status done = evaluator.Window(tokens, window / 2, scores); !done) {
      return tl::unexpected(done.error());
    }
    if (InterruptGuard::Requested()) return Fail("interrupted", "perplexity");
    if (IsTerminal(2)) {
      fmt::print(stderr, "\r\033[Kwindow {} of {}: {:.4f} so far", w + 1, windows,
                 std::exp(scores->loss.value()));
    }
  }
  if (IsTerminal(2)) fmt::print(stderr, "\r\033[K");
  return windows;
}

Result<int> Perplexity(const Settings& settings) {
  const InterruptGuard guard;
  const Result<LoadedModel> loaded = LoadModel(settings.engine);
  if (!loaded) return tl::unexpected(loaded.error());
  const Result<Text> text = ReadText(settings, *loaded);
  if (!text) return tl::unexpected(text.error());
  const auto window = static_cast<std::size_t>(settings.window.value_or(512));
  auto engine = MakeEngine(*loaded->model, settings.engine, window);
  if (!engine) return tl::unexpected(engine.error());
  Evaluator evaluator;
  evaluator.engine = engine->get();

  Result<LoadedModel> other;
  Result<std::unique_ptr<runtime::Engine>> other_engine;
  if (!settings.against.empty()) {
    EngineChoice choice = settings.engine;
    choice.quant.clear();
    choice.compute = settings.against;
    other = LoadModel(choice);
    if (!other) return tl::unexpected(other.error());
    other_engine = MakeEngine(*other->model, choice, window);
    if (!other_engine) return tl::unexpected(other_engine.error());
    evaluator.reference = other_engine->get();
  }

  Scores scores;
  const Result<std::size_t> windows = ScoreAll(evaluator, *text, settings, &scores);
  if (InterruptGuard::Requested()) return kInterrupted;
  if (!windows) return tl::unexpected(windows.error());
  const bool bos = text->bos.has_value();
  const std::string report = settings.json
                                 ? JsonReport(scores, *windows, window, bos).dump(2) + '\n'
                                 : Report(scores, *windows, window, bos);
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
