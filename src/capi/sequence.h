// What the handle of a sequence stands for.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "capi/boundary.h"
#include "capi/model_state.h"
#include "capi/settings.h"

namespace ergo::capi {

/// A sequence as its caller sees it: the tokens that were given, and of those that the engine has
/// drawn the ones that were read. The engine may be ahead of that; forks and scores are not.
class Sequence {
 public:
  using Clock = std::chrono::steady_clock;

  /// `tokens` are known and fit into the context. Failures: options that can't be.
  static Outcome<std::unique_ptr<Sequence>> Submit(std::shared_ptr<ModelState> model,
                                                   std::span<const std::int32_t> tokens,
                                                   const ergo_sequence_options* options);
  Sequence(const Sequence&) = delete;
  Sequence& operator=(const Sequence&) = delete;
  ~Sequence();

  Outcome<std::unique_ptr<Sequence>> Fork(std::size_t position,
                                          std::span<const std::int32_t> appended,
                                          const ergo_sequence_options* options);
  Outcome<runtime::Scores> Score(std::vector<std::vector<std::int32_t>> continuations);
  void Stop();
  void Drop();

  /// Reads a token: ERGO_OK, ERGO_ENDED or ERGO_TIMEOUT. Failures: another thread is reading; what
  /// went wrong in the engine.
  Outcome<ergo_status> Next(Clock::time_point until, const ergo_token** token);
  /// Reads to the end.
  Outcome<ergo_status> Generate(ergo_on_token on_token, void* user);

  Outcome<ergo_end> End() const;
  std::vector<std::int32_t> tokens() const;
  std::size_t position() const;
  ModelState& model() const { return *model_; }

 private:
  /// What a sequence begins with.
  struct Start {
    std::vector<std::int32_t> tokens;
    std::size_t text = 0;         ///< tokens before the text that its pieces go on with
    std::size_t constrained = 0;  ///< tokens before the constrained text
  };
  Sequence(std::shared_ptr<ModelState> model, Settings settings, Start start);

  bool draws() const { return settings_.max_tokens > 0; }
  Outcome<Settings> SettingsOfFork(const ergo_sequence_options* options);
  /// The hook of a fork at `position`, perhaps none; moves `start->constrained`.
  Outcome<std::unique_ptr<runtime::LogitHook>> HookOfFork(const Settings& settings,
                                                          std::size_t position, Start* start) const;
  Outcome<void> CheckAlive() const;
  Outcome<ergo_status> Read(Clock::time_point until);
  void Take(const runtime::DrawnToken& drawn);
  Outcome<ergo_status> Finish();
  void EndEarly();

  const std::shared_ptr<ModelState> model_;
  const Settings settings_;
  const std::size_t given_;
  const std::size_t text_;
  const std::size_t constrained_;
  std::atomic<std::uint64_t> children_{0};

  std::mutex reading_;  ///< held by the one who reads; guards what follows
  tokenizer::StreamDecoder decoder_;
  std::string piece_;
  std::vector<ergo_alternative> alternatives_;
  ergo_token token_ = {};
  bool ended_early_ = false;  ///< its reader had enough

  mutable std::mutex mutex_;  ///< guards what follows; held for moments
  std::vector<std::int32_t> tokens_;
  bool dropped_ = false;
  std::optional<runtime::SequenceEnd> end_;  ///< once everything was read

  runtime::Stream stream_;
};

}  // namespace ergo::capi

struct ergo_sequence {
  std::unique_ptr<ergo::capi::Sequence> sequence;
};
