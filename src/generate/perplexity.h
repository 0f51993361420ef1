// How well a model predicts a text, and how far one way of computing it is from another.
//
// The rules are those of llama.cpp's perplexity tool, so that numbers compare: windows of N tokens
// without overlap, a rest that fills none left out; if the tokenizer adds BOS, it takes the place
// of each window's first token; of each window the tokens after the first N/2 + 1 are scored.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "runtime/engine.h"

namespace ergo::generate {

/// Mean of values that come one by one, with its standard error.
class Mean {
 public:
  void Add(double value) {
    sum_ += value;
    squares_ += value * value;
    ++count_;
  }
  std::size_t count() const { return count_; }
  double value() const { return count_ == 0 ? 0.0 : sum_ / static_cast<double>(count_); }
  double error() const;

 private:
  double sum_ = 0.0;
  double squares_ = 0.0;
  std::size_t count_ = 0;
};

struct PerplexityOptions {
  std::size_t window = 512;  ///< tokens; at least 3, at most the engine's context
  std::size_t most_windows = std::numeric_limits<std::size_t>::max();
  std::optional<std::int32_t> bos = {};  ///< takes the place of each window's first token
};

struct PerplexityResult {
  Mean loss;  ///< -log p of the text's tokens, in nats
  // Only with a reference:
  Mean reference_loss;          ///< the same by the reference
  Mean divergence;              ///< KL(reference || model) of each scored position, in nats
  std::size_t same_choice = 0;  ///< positions where both have the same most likely token
  std::size_t windows = 0;
  std::size_t window = 0;

  double perplexity() const { return std::exp(loss.value()); }
  /// Standard error of perplexity(), to first order.
  double perplexity_error() const { return perplexity() * loss.error(); }
  double reference_perplexity() const { return std::exp(reference_loss.value()); }
};

/// Called after each window with the scores so far and the number of windows in all; false ends the
/// measurement with the error "interrupted".
using PerplexityProgress = std::function<bool(const PerplexityResult& so_far, std::size_t windows)>;

/// Scores `tokens` (the whole text, encoded once) by `engine`, and side by side by `reference`
/// unless that is nullptr; no logits are kept. Each engine needs room for one sequence of a window.
/// Errors: less text than one window, vocabularies that differ, a window of wrong size.
Result<PerplexityResult> MeasurePerplexity(runtime::Engine& engine, runtime::Engine* reference,
                                           std::span<const std::int32_t> tokens,
                                           const PerplexityOptions& options = {},
                                           const PerplexityProgress& progress = {});

}  // namespace ergo::generate
