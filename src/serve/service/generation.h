// From a request to its answers, whatever the API and the transport: the seam that chat,
// completions, messages, NDJSON and RPC handlers share.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "generate/language_model.h"
#include "generate/session.h"
#include "serve/access/principal.h"
#include "serve/service/effort.h"
#include "serve/service/failure.h"
#include "serve/tool_calls/tool_call.h"

namespace ergo::serve {

class Service;
struct ServedModel;

struct GenerationRequest {
  /// As generate::GenerateRequest::prompt. Text is taken as it stands (`raw`), or as one message.
  std::variant<std::string, std::vector<generate::TokenId>, generate::ChatInput> prompt;
  bool raw = false;
  generate::AnswerOptions options = {};  ///< OptionsFor
  std::size_t choices = 1;
  std::size_t best_of = 0;  ///< answers that are drawn, of which the likeliest `choices` are kept
  std::optional<ToolUse> tools = {};
  Effort effort = {};  ///< how much to reason; nothing: the plain model
  std::optional<std::chrono::milliseconds> time = {};  ///< most of it, from now on
};

/// Something new of one of the choices.
struct GenerationEvent {
  std::size_t choice = 0;
  std::string thought = {};
  std::string text = {};
  std::vector<generate::TokenScore> logprobs = {};
  std::vector<ToolCall> calls = {};     ///< complete ones
  std::string_view finish_reason = {};  ///< "stop", "length", "tool_calls"; empty: goes on
};

/// One choice as a whole.
struct GenerationChoice {
  std::string thought = {};
  std::string text = {};
  std::vector<generate::TokenScore> logprobs = {};
  std::vector<ToolCall> calls = {};
  std::string_view finish_reason = {};
  bool context_full = false;
  std::string stop_sequence = {};  ///< the one that ended the answer, if one did
};

struct GenerationOutcome {
  std::vector<GenerationChoice> choices = {};
  generate::Usage usage = {};      ///< completion tokens of all choices
  std::size_t thought_tokens = 0;  ///< of the completion tokens
  generate::Timings timings = {};  ///< of the first choice
  std::string trace_id = {};       ///< of answers that were reasoned
  /// Of these, the steps that the answer rests on: [{"node", "text", "verdict", "reason"}, …].
  OrderedJson steps = nullptr;
  OrderedJson verdict = nullptr;  ///< of these: confidence, verified, uncertainty
  bool cached = false;            ///< taken from the cache of answers (cache/)
};

/// A request that is being answered. One reader at a time, any thread. Destroying it cancels what
/// still runs and gives its memory back within a step.
class Generation {
 public:
  enum class News {
    kEvent,
    kNothing,  ///< so far; on_news tells when to look again
    kEnd,      ///< outcome() is there
  };

  virtual ~Generation() = default;
  /// Never waits.
  virtual News Take(GenerationEvent* event) = 0;
  virtual void Cancel() = 0;
  /// After kEnd, once. Failure: what went wrong after the start; `kTimeout` if the time was over.
  virtual Served<GenerationOutcome> Outcome() = 0;

  std::size_t prompt_tokens = 0;  ///< known from the start on
};

/// Begins to answer. Takes a moment (templates, grammars): call it on a worker, which is where
/// handlers run. `on_news` is called on threads of the engine: only post from it (Follow does).
/// Failures: context overflow with the numbers, bad options, schema or tools, over a budget of the
/// principal, queue full.
Served<std::shared_ptr<Generation>> StartGeneration(Service& service, const Principal& principal,
                                                    const std::shared_ptr<ServedModel>& model,
                                                    GenerationRequest request,
                                                    std::function<void()> on_news);

/// Tokens of the request's prompt as StartGeneration would compute them: for counting.
Served<std::vector<generate::TokenId>> EncodeFor(const ServedModel& model,
                                                 const GenerationRequest& request);

}  // namespace ergo::serve
