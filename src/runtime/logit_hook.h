// What steers the choice of a sequence's tokens from outside of the model.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace ergo::runtime {

/// State of one sequence, which moves on token by token: a constraint, a budget for thinking.
///
/// For each token either Forced() gives it, or Mask() is called with the logits that it is sampled
/// from; then Accept() is called with it. One thread at a time; copies made by Fork() are
/// independent and may be used from other threads.
class LogitHook {
 public:
  LogitHook() = default;
  virtual ~LogitHook() = default;
  LogitHook& operator=(const LogitHook&) = delete;

  /// Changes the logits of the next token in place: forbids (-inf) or shifts. One logit for each
  /// row of the model's output, which may be more or fewer than the tokenizer has ids.
  virtual void Mask(std::span<float> logits) = 0;

  /// The token that was chosen (or forced). False when the sequence must end after it: the
  /// constraint is complete and nothing may follow.
  virtual bool Accept(std::int32_t token) = 0;

  /// Tokens that must come next whatever the logits, empty if the choice is free. The scheduler
  /// appends them in one go and calls Accept for each.
  virtual std::vector<std::int32_t> Forced() { return {}; }

  /// A copy that goes its own way from here.
  virtual std::unique_ptr<LogitHook> Fork() const = 0;

 protected:
  LogitHook(const LogitHook&) = default;  ///< for Fork
};

}  // namespace ergo::runtime
