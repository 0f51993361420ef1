#include "generate/perplexity.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/compute_pool.h"

namespace ergo::generate {
namespace {

/// Rows of logits that are held at once: a vocabulary may have 262,144 tokens.
constexpr std::size_t kRows = 64;

double LogSum(std::span<const float> logits) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit - largest));
  return std::log(sum) + static_cast<double>(largest);
}

std::size_t Largest(std::span<const float> logits) {
  return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

struct RowScore {
  double loss = 0.0;
  double reference_loss = 0.0;
  double divergence = 0.0;
  bool same_choice = false;
};

/// `reference` is empty where there is none.
RowScore ScoreRow(std::span<const float> logits, std::span<const float> reference,
                  std::size_t next) {
  RowScore score;
  const double log_sum = LogSum(logits);
  score.loss = log_sum - static_cast<double>(logits[next]);
  if (reference.empty()) return score;
  const double reference_sum = LogSum(reference);
  score.reference_loss = reference_sum - static_cast<double>(reference[next]);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double log_p = static_cast<double>(reference[i]) - reference_sum;
    const double log_q = static_cast<double>(logits[i]) - log_sum;
    score.divergence += std::exp(log_p) * (log_p - log_q);
  }
  score.same_choice = Largest(logits) == Largest(reference);
  return score;
}

/// One engine's sequence, given back at the end.
class OwnSequence {
 public:
  explicit OwnSequence(runtime::Engine& engine) : engine_(engine), id_(engine.Add()) {}
  ~OwnSequence() { engine_.Release(id_); }
  OwnSequence(const OwnSequence&) = delete;
  OwnSequence& operator=(const OwnSequence&) = delete;

  Status Append(std::span<const std::int32_t> tokens) { return engine_.Append(id_, tokens); }
  Result<runtime::Logits> Step(std::span<const std::int32_t> tokens) {
    const runtime::Work work = {id_, tokens, runtime::LogitRows::kAll};
    return engine_.Step({&work, 1});
  }

 private:
  runtime::Engine& engine_;
  runtime::SequenceId id_;
};

/// Scores the tokens of `window` after the first half and one.
Status ScoreWindow(runtime::Engine& engine, runtime::Engine* reference,
                   std::span<const std::int32_t> window, PerplexityResult* result) {
  const std::size_t first = window.size() / 2;
  OwnSequence sequence(engine);
  std::optional<OwnSequence> other;
  if (reference != nullptr) other.emplace(*reference);
  if (auto done = sequence.Append(window.first(first)); !done) return done;
  if (other) {
    if (auto done = other->Append(window.first(first)); !done) return done;
  }
  // The last token's logits are about a token outside.
  for (std::size_t begin = first; begin + 1 < window.size(); begin += kRows) {
    const std::size_t rows = std::min(kRows, window.size() - 1 - begin);
    const auto part = window.subspan(begin, rows);
    const auto logits = sequence.Step(part);
    if (!logits) return tl::unexpected(logits.error());
    runtime::Logits expected;
    if (other) {
      const auto computed = other->Step(part);
      if (!computed) return tl::unexpected(computed.error());
      expected = *computed;
    }
    std::vector<RowScore> scores(rows);
    ComputePool& pool = ComputePool::Shared();
    pool.Run(pool.size(), [&](Worker& worker) {
      for (std::size_t i = worker.Claim(); i < rows; i = worker.Claim()) {
        scores[i] = ScoreRow(logits->Row(i), other ? expected.Row(i) : std::span<const float>(),
                             static_cast<std::size_t>(window[begin + i + 1]));
      }
    });
    for (const RowScore& score : scores) {
      result->loss.Add(score.loss);
      if (!other) continue;
      result->reference_loss.Add(score.reference_loss);
      result->divergence.Add(score.divergence);
      if (score.same_choice) ++result->same_choice;
    }
  }
  return {};
}

Status CheckSizes(const runtime::Engine& engine, const runtime::Engine* reference,
                  std::span<const std::int32_t> tokens, const PerplexityOptions& options) {
  std::size_t longest = engine.context();
  const std::size_t vocabulary = engine.model().config().vocabulary;
  if (reference != nullptr) {
    longest = std::min(longest, reference->context());
    const std::size_t other = reference->model().config().vocabulary;
    if (other != vocabulary) {
      return Fail(fmt::format("the models have {} and {} tokens", vocabulary, other), "perplexity",
                  "compare models of one vocabulary");
    }
  }
  if (options.window < 3 || options.window > longest) {
    return Fail(fmt::format("a window of {} tokens can't be scored", options.window), "perplexity",
                fmt::format("choose 3 to {}", longest));
  }
  if (tokens.size() < options.window) {
    return Fail(
        fmt::format("{} tokens do not fill one window of {}", tokens.size(), options.window),
        "perplexity", "give a longer text or a smaller window");
  }
  for (const std::int32_t token : tokens) {
    if (token >= 0 && static_cast<std::size_t>(token) < vocabulary) continue;
    return Fail(fmt::format("the model has no token {}", token), "perplexity");
  }
  return {};
}

}  // namespace

double Mean::error() const {
  if (count_ < 2) return 0.0;
  const auto n = static_cast<double>(count_);
  return std::sqrt(std::max(0.0, squares_ / n - value() * value()) / (n - 1.0));
}

Result<PerplexityResult> MeasurePerplexity(runtime::Engine& engine, runtime::Engine* reference,
                                           std::span<const std::int32_t> tokens,
                                           const PerplexityOptions& options,
                                           const PerplexityProgress& progress) {
  if (auto valid = CheckSizes(engine, reference, tokens, options); !valid) {
    return Fail(std::move(valid));
  }
  const std::size_t windows = std::min(tokens.size() / options.window, options.most_windows);
  PerplexityResult result;
  result.window = options.window;
  for (std::size_t w = 0; w < windows; ++w) {
    const auto source = tokens.subspan(w * options.window, options.window);
    std::vector<std::int32_t> window(source.begin(), source.end());
    if (options.bos) window[0] = *options.bos;
    if (auto done = ScoreWindow(engine, reference, window, &result); !done) {
      return Fail(std::move(done));
    }
    ++result.windows;
    if (progress && !progress(result, windows)) return Fail("interrupted", "perplexity");
  }
  return result;
}

}  // namespace ergo::generate
