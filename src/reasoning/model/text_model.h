// What reasoning needs of a language model: places in a text that can be gone on from, many in one
// batch. A scripted one stands in for it in tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ergo::reasoning {

struct Message {
  std::string role;  ///< "system", "user" or "assistant"
  std::string text;
};

struct Prompt {
  std::vector<Message> messages;
  std::string answer_start = {};  ///< the assistant's answer begins with it
};

/// A place in an answer. While one lives, the model keeps what it has computed up to it; branches
/// share what they have in common.
class Branch {
 public:
  virtual ~Branch() = default;
  /// Of the answer, from its start (Prompt::answer_start included) to here.
  virtual std::string_view text() const = 0;
};
using BranchPtr = std::shared_ptr<const Branch>;

/// How to draw a continuation.
struct Draw {
  std::size_t max_tokens = 256;
  float temperature = 0.0f;
  float top_p = 1.0f;
  std::uint64_t seed = 0;
  std::vector<std::string> stop = {};  ///< end it and are not part of its text
  std::string grammar = {};            ///< GBNF that the continuation must match; empty: none
  bool logprobs = false;               ///< of the tokens
};

struct Continuation {
  BranchPtr from;
  std::string append = {};  ///< text that stands before what is drawn
  Draw draw = {};
};

struct DrawnToken {
  std::string text;      ///< may be part of a character
  double logprob = 0.0;  ///< of the model, before temperature and masks
};

enum class DrawEnd {
  kEnd,     ///< of the answer, by the model
  kStop,    ///< a stop string, or the grammar is complete
  kLength,  ///< max_tokens, or the context is full
  kCancel,
};

struct Drawn {
  BranchPtr branch;                       ///< behind all that was drawn, a stop string included
  std::string text;                       ///< what was drawn, without a stop string
  std::vector<DrawnToken> logprobs = {};  ///< if asked for
  DrawEnd end = DrawEnd::kEnd;
  std::size_t tokens = 0;  ///< drawn
  std::size_t cached = 0;  ///< of what it began with, already computed
  std::size_t given = 0;   ///< tokens that it began with
};

/// Hears how continuation `index` ended, while the others go on. What it returns, if anything, is
/// drawn in its place and is heard under the same index; after a cancel it is not.
using HearDrawn =
    std::function<std::optional<Continuation>(std::size_t index, Result<Drawn> drawn)>;

/// Any thread; calls of several threads ride in the same steps.
class TextModel {
 public:
  virtual ~TextModel() = default;
  virtual std::string name() const = 0;
  virtual std::string hash() const = 0;    ///< of the weights; may be empty
  virtual std::string family() const = 0;  ///< "qwen2", "llama" …: for prompts

  /// The start of an answer. Errors: the prompt is longer than the context, no chat template.
  virtual Result<BranchPtr> Begin(const Prompt& prompt) = 0;
  /// All of them in one batch. `hear` is called in this thread.
  virtual void ContinueEach(std::vector<Continuation> continuations, const HearDrawn& hear,
                            const std::function<bool()>& cancelled) = 0;
  /// Natural logarithm of the probability that each text follows.
  virtual Result<std::vector<double>> Score(const BranchPtr& from,
                                            std::span<const std::string> texts) = 0;
};

}  // namespace ergo::reasoning
