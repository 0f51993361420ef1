// One answer in the making, taken part by part without waiting: what a server with thousands of
// them follows, and what Answer and GenerateChoices are made of.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "generate/language_model.h"
#include "generate/session.h"

namespace ergo::generate {

/// What one or more tokens added to the answer; the texts may be empty while characters or stop
/// strings are incomplete.
struct AnswerPart {
  std::string thought = {};
  std::string text = {};
  std::vector<TokenScore> logprobs = {};  ///< of the tokens, if AnswerOptions asks for them
  std::size_t tokens = 0;
};

/// One reader at a time, any thread. Destroying it drops the sequence and its memory.
class AnswerStream {
 public:
  using Clock = std::chrono::steady_clock;

  enum class News {
    kPart,
    kNothing,  ///< so far; on_news tells when to look again
    kEnd,      ///< Conclude has the result
  };

  /// Begins to answer `prompt`, tokenized already. `on_news` is called on the engine's thread
  /// whenever there may be something new to Take: be brief there, never wait for the engine, and
  /// hold nothing whose destruction does (the last reference to the model).
  /// AnswerOptions::on_thought and ::cancelled are not looked at. `model` must outlive the stream.
  /// Errors: bad options, the prompt is longer than the context; what comes later is told by
  /// Conclude.
  static Result<std::unique_ptr<AnswerStream>> Start(LanguageModel& model,
                                                     std::vector<TokenId> prompt,
                                                     const AnswerOptions& options,
                                                     std::function<void()> on_news = {});
  ~AnswerStream();
  AnswerStream(const AnswerStream&) = delete;
  AnswerStream& operator=(const AnswerStream&) = delete;

  /// What is there, `most` tokens at most. Never waits.
  News Take(AnswerPart* part, std::size_t most = 64);
  /// The same for one token, waiting until `until` for it; kNothing if none came.
  News Wait(AnswerPart* part, Clock::time_point until);

  /// Ends the answer after the present step, with kCancel; kEnd follows.
  void Cancel();

  /// Once, after kEnd. Errors: no room for keys and values, a stop of the engine.
  Result<GenerateResult> Conclude();

 private:
  class Run;
  explicit AnswerStream(std::unique_ptr<Run> run);
  std::unique_ptr<Run> run_;
};

}  // namespace ergo::generate
