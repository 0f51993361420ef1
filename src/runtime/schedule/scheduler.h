// An engine for many callers: asynchronous sequences, forks and scores that ride in common steps.
//
// One thread per engine runs steps; calls only leave word for it. Every function may be called from
// any thread, and everything that is asked for ends with a result, a stop or an error that says
// why. A sequence's tokens are the same, bit for bit, whatever else is alive, wherever its prefix
// came from, and however often it was pre-empted.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "base/result.h"
#include "runtime/engine.h"
#include "runtime/schedule/engine_loop.h"
#include "runtime/schedule/mailbox.h"
#include "runtime/schedule/sequence.h"
#include "runtime/schedule/token_stream.h"

namespace ergo::runtime {

/// What a caller holds of a sequence. When the last copy is gone the sequence is dropped.
using Stream = std::shared_ptr<TokenStream>;

class Scheduler {
 public:
  explicit Scheduler(std::unique_ptr<Engine> engine, const LoopOptions& options = {});
  /// Ends what is alive with kStopped.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// A new sequence of `tokens`, and then of what is drawn. What is wrong with them is the stream's
  /// end.
  Stream Submit(std::vector<std::int32_t> tokens, SequenceOptions options);

  /// A new sequence that begins with the first `branch.position` tokens of a living one (all that
  /// it has when its turn comes, if not given) and goes on with `branch.appended`. It shares its
  /// keys and values and takes memory for its own tokens only. Its hook, if none is given, is a
  /// copy of its parent's, if it begins where that is and `branch.copies_hook`. For samples that
  /// differ give each its own seed (DeriveSeed).
  Stream Fork(EngineLoop::Branch branch, SequenceOptions options);

  /// Log-probabilities (of the model, natural logarithm) of the tokens of continuations of a
  /// sequence: all that it has when its turn comes. They are computed in common steps. Errors: no
  /// such sequence, more than the context, unknown tokens; a stop of the engine.
  std::future<Result<Scores>> Score(std::uint64_t base,
                                    std::vector<std::vector<std::int32_t>> continuations,
                                    int priority = 0);

  /// Ends a sequence after the present step; one that is to be kept stays.
  void Stop(std::uint64_t id);
  /// Ends it and gives its memory back. The same happens when nobody holds its stream any more.
  void Drop(std::uint64_t id);

  /// Runs `action` on the engine's thread between two steps and waits for it.
  void Between(const std::function<void(EngineLoop&)>& action);

  /// As of the last step.
  LoopStats stats();

  std::size_t context() const { return context_; }
  const model::Model& model() const { return model_; }

 private:
  void Run();
  Stream Handle(const std::shared_ptr<Live>& live);
  std::shared_ptr<Live> NewLive(SequenceOptions options);

  std::unique_ptr<EngineLoop> loop_;
  const model::Model& model_;
  const std::size_t context_;
  std::shared_ptr<Mailbox> mailbox_;
  std::atomic<std::uint64_t> next_id_{1};
  std::thread thread_;
};

/// A seed for the `number`-th branch of a sequence with `seed`, number 0 being the sequence itself.
std::uint64_t DeriveSeed(std::uint64_t seed, std::uint64_t number);

}  // namespace ergo::runtime
