// What a sequence is asked to do, and what the engine's loop knows about it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/engine.h"
#include "runtime/logit_hook.h"
#include "runtime/sample/sampler.h"
#include "runtime/schedule/token_stream.h"
#include "runtime/speculate/draft_model.h"
#include "runtime/speculate/proposer.h"
#include "runtime/speculate/speculation_control.h"

namespace ergo::runtime {

struct SequenceOptions {
  using Clock = std::chrono::steady_clock;

  SamplingParams sampling = {};
  std::size_t max_tokens = std::numeric_limits<std::size_t>::max();  ///< drawn
  std::vector<std::int32_t> stop_tokens = {};                        ///< each ends the sequence
  std::unique_ptr<LogitHook> hook = {};                              ///< may be empty
  std::string name_space = {};  ///< whose cached prefixes it may read and adds to
  int priority = 0;             ///< higher ones are admitted first and pre-empted last
  std::optional<Clock::time_point> deadline = {};
  bool speculate = true;     ///< results are the same either way
  bool keep = false;         ///< after its end it can be forked and scored until it is dropped
  std::size_t unread = 256;  ///< tokens that may wait for the reader; then the sequence pauses
  /// Called on the engine's thread when there are new tokens in the stream, and at its end. Must be
  /// brief and wait for nothing.
  std::function<void()> on_news = {};
};

/// Log-probabilities of continuations: one row for each, one number for each of its tokens.
using Scores = std::vector<std::vector<float>>;

/// One call of Score. Its base computes the row before the first tokens; the others follow.
struct ScoreJob {
  std::vector<std::vector<std::int32_t>> continuations;
  Scores scores;
  std::size_t left = 0;  ///< continuations that are not finished
  std::string name_space;
  int priority = 0;
  std::promise<Result<Scores>> promise;
  bool answered = false;

  void Answer(Result<Scores> result) {
    if (answered) return;
    answered = true;
    promise.set_value(std::move(result));
  }
};

/// A sequence as the loop sees it.
struct Live {
  enum class State {
    kWaiting,  ///< for admission; has no keys and values, or those of a fork
    kRunning,
    kIdle,  ///< ended and kept
    kGone,
  };

  Live(std::uint64_t number, SequenceOptions wanted)
      : id(number), options(std::move(wanted)), sampler(options.sampling) {}

  std::size_t drawn() const { return tokens.size() - end.given_tokens; }

  std::uint64_t id;
  SequenceOptions options;
  Sampler sampler;
  State state = State::kWaiting;
  std::vector<std::int32_t> tokens;  ///< given and drawn
  SequenceId kv = 0;                 ///< the engine's sequence; 0: none
  std::size_t known = 0;  ///< where texts part that begin like this one; 0: no place, or past it
  std::uint64_t arrival = 0;  ///< order of submission
  std::shared_ptr<TokenStream> stream;
  SequenceEnd end;
  std::chrono::steady_clock::time_point submitted;
  std::chrono::steady_clock::time_point admitted;
  bool started = false;  ///< was admitted once

  std::uint64_t last_step = 0;         ///< that it took part in
  std::unique_ptr<Proposer> proposer;  ///< empty: no speculation
  SequenceSpeculation speculation;
  DraftPlace draft;
  Proposal proposal;              ///< in the present step
  std::vector<std::int32_t> fed;  ///< the last token and the proposed ones of this step

  std::shared_ptr<ScoreJob> job;  ///< of a sequence that scores instead of drawing
  /// Of the job; kBase: the sequence before all continuations.
  std::size_t continuation = kBase;
  static constexpr std::size_t kBase = static_cast<std::size_t>(-1);
};

}  // namespace ergo::runtime
