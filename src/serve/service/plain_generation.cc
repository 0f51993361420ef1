#include "serve/service/plain_generation.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "generate/answer_stream.h"
#include "serve/service/service.h"

namespace ergo::serve {
namespace {

using generate::AnswerStream;
using generate::GenerateResult;

/// One answer in the making.
struct Run {
  std::unique_ptr<AnswerStream> stream;
  std::optional<ToolCallReader> reader = {};
  GenerationChoice choice = {};
  std::optional<GenerateResult> result = {};
  double mean_logprob = 0.0;  ///< of the result's tokens, for KeepBest
};

/// The stop string that ended an answer, if one did.
std::string StopOf(const generate::LanguageModel& model, const generate::AnswerOptions& options,
                   const GenerateResult& result) {
  if (options.stop.empty() || result.finish_reason != generate::FinishReason::kStop) return {};
  const std::string all = model.tokenizer().Decode(result.tokens);
  std::size_t first = std::string::npos;
  std::string found;
  for (const std::string& stop : options.stop) {
    const std::size_t at = all.find(stop);
    if (at >= first) continue;
    first = at;
    found = stop;
  }
  return found;
}

double MeanLogprob(const GenerateResult& result) {
  double sum = 0.0;
  for (const auto& score : result.logprobs) sum += static_cast<double>(score.logprob);
  return sum / static_cast<double>(std::max<std::size_t>(result.logprobs.size(), 1));
}

class PlainGeneration final : public Generation {
 public:
  PlainGeneration(GenerationStart start, GenerationRequest request)
      : start_(std::move(start)),
        request_(std::move(request)),
        hides_logprobs_(!request_.options.logprobs),
        buffers_(request_.best_of > request_.choices) {
    prompt_tokens = start_.prompt_tokens;
  }

  Status Begin(const std::vector<generate::TokenId>& prompt, const ToolSyntax* syntax);
  News Take(GenerationEvent* event) override;
  void Cancel() override {
    cancelled_ = true;
    for (Run& run : runs_) run.stream->Cancel();
  }
  Served<GenerationOutcome> Outcome() override;

 private:
  bool TakeFrom(std::size_t index, GenerationEvent* event);
  void Add(Run& run, ToolCallReader::Found found, GenerationEvent* event) const;
  void Conclude(Run& run, GenerationEvent* event);
  News TakeBuffered(GenerationEvent* event);
  void KeepBest();

  GenerationStart start_;
  GenerationRequest request_;
  const bool hides_logprobs_;  ///< nobody asked for them; best_of needs them
  const bool buffers_;         ///< which answers are kept shows at the end
  std::vector<Run> runs_;
  std::size_t next_ = 0;  ///< whose turn it is
  std::size_t ended_ = 0;
  bool kept_ = false;
  std::size_t shown_ = 0;  ///< of the kept ones
  bool cancelled_ = false;
  std::size_t drawn_ = 0;
  std::size_t thought_ = 0;
  std::optional<Failure> failure_;
};

Status PlainGeneration::Begin(const std::vector<generate::TokenId>& prompt,
                              const ToolSyntax* syntax) {
  generate::AnswerOptions options = request_.options;
  if (buffers_ && !options.logprobs) options.logprobs = 0;
  const std::size_t count = std::max(request_.choices, request_.best_of);
  for (std::size_t i = 0; i < count; ++i) {
    options.sampling.seed = runtime::DeriveSeed(request_.options.sampling.seed, i);
    auto stream = AnswerStream::Start(*start_.model->model, prompt, options, start_.on_news);
    if (!stream) return Fail(std::move(stream));
    Run& run = runs_.emplace_back();
    run.stream = std::move(*stream);
    if (syntax != nullptr) run.reader.emplace(*syntax);
  }
  return {};
}

void PlainGeneration::Add(Run& run, ToolCallReader::Found found, GenerationEvent* event) const {
  const bool one = request_.tools && !request_.tools->parallel;
  event->text += found.text;
  run.choice.text += found.text;
  for (ToolCall& call : found.calls) {
    if (one && !run.choice.calls.empty()) break;
    run.choice.calls.push_back(call);
    event->calls.push_back(std::move(call));
  }
}

void PlainGeneration::Conclude(Run& run, GenerationEvent* event) {
  ++ended_;
  auto result = run.stream->Conclude();
  if (!result) {
    // The engine's own limits, not the request: no room for keys and values, or a stop.
    failure_ = Failure{FailureKind::kUnavailable, result.error().Message(), "engine", {}, 1};
    run.result.emplace();
    run.choice.finish_reason = "error";
    event->finish_reason = "error";
    return;
  }
  if (run.reader) Add(run, run.reader->Finish(), event);
  GenerationChoice& choice = run.choice;
  choice.finish_reason =
      choice.calls.empty() ? generate::Name(result->finish_reason) : "tool_calls";
  if (result->finish_reason == generate::FinishReason::kCancel && !cancelled_) {
    failure_ =
        Failure{FailureKind::kTimeout, "the time for this request is over", "timeout", {}, {}};
  }
  choice.context_full = result->context_full;
  choice.thought = result->thought;
  // A tag that nothing had opened makes a thought of what was handed out as text.
  if (!run.reader) choice.text = result->text;
  if (!hides_logprobs_) choice.logprobs = result->logprobs;
  choice.stop_sequence = StopOf(*start_.model->model, request_.options, *result);
  event->finish_reason = choice.finish_reason;
  drawn_ += result->usage.completion_tokens;
  thought_ += result->usage.thought_tokens;
  run.result = std::move(*result);
}

/// False if there is nothing new.
bool PlainGeneration::TakeFrom(std::size_t index, GenerationEvent* event) {
  Run& run = runs_[index];
  if (run.result) return false;
  *event = {};
  event->choice = index;
  generate::AnswerPart part;
  switch (run.stream->Take(&part)) {
    case AnswerStream::News::kNothing:
      return false;
    case AnswerStream::News::kEnd:
      Conclude(run, event);
      return true;
    case AnswerStream::News::kPart:
      break;
  }
  event->thought = std::move(part.thought);
  if (!hides_logprobs_) event->logprobs = std::move(part.logprobs);
  if (run.reader) {
    Add(run, run.reader->Push(part.text), event);
  } else {
    event->text = std::move(part.text);
  }
  return true;
}

void PlainGeneration::KeepBest() {
  kept_ = true;
  if (!failure_) {
    for (Run& run : runs_) run.mean_logprob = MeanLogprob(*run.result);
    std::stable_sort(runs_.begin(), runs_.end(),
                     [](const Run& a, const Run& b) { return a.mean_logprob > b.mean_logprob; });
  }
  runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(request_.choices), runs_.end());
}

Generation::News PlainGeneration::TakeBuffered(GenerationEvent* event) {
  if (!kept_) KeepBest();
  if (shown_ == runs_.size()) return News::kEnd;
  const GenerationChoice& choice = runs_[shown_].choice;
  *event = {shown_++,        choice.thought, choice.text,
            choice.logprobs, choice.calls,   choice.finish_reason};
  return News::kEvent;
}

Generation::News PlainGeneration::Take(GenerationEvent* event) {
  for (std::size_t tried = 0; tried < runs_.size() && ended_ < runs_.size();) {
    const std::size_t index = next_;
    next_ = (next_ + 1) % runs_.size();
    if (!TakeFrom(index, event)) {
      ++tried;
    } else if (buffers_) {
      tried = 0;
    } else {
      return News::kEvent;
    }
  }
  if (ended_ < runs_.size()) return News::kNothing;
  return buffers_ ? TakeBuffered(event) : News::kEnd;
}

Served<GenerationOutcome> PlainGeneration::Outcome() {
  GenerationOutcome outcome;
  const GenerateResult& first = *runs_.front().result;
  outcome.usage = first.usage;
  outcome.usage.prompt_tokens = start_.prompt_tokens;
  outcome.usage.completion_tokens = drawn_;
  outcome.usage.thought_tokens = thought_;
  outcome.thought_tokens = thought_;
  outcome.timings = first.timings;
  for (Run& run : runs_) outcome.choices.push_back(std::move(run.choice));
  CountOutcome(start_, outcome);
  if (failure_) return tl::unexpected(std::move(*failure_));
  return outcome;
}

void SendSpan(Service& service, const std::string& model,
              std::chrono::steady_clock::time_point began, const GenerationOutcome& outcome) {
  if (service.spans() == nullptr) return;
  GenerationSpan span;
  span.end = std::chrono::system_clock::now();
  span.begin = span.end - std::chrono::duration_cast<std::chrono::system_clock::duration>(
                              std::chrono::steady_clock::now() - began);
  span.model = model;
  for (const GenerationChoice& choice : outcome.choices) {
    span.finish_reasons.emplace_back(choice.finish_reason);
    if (choice.finish_reason == "error") span.error = "engine";
  }
  span.input_tokens = outcome.usage.prompt_tokens;
  span.cached_tokens = outcome.usage.cached_tokens;
  span.output_tokens = outcome.usage.completion_tokens;
  span.first_token_seconds = outcome.timings.first_token_ms / 1000.0;
  span.trace_id = outcome.trace_id;
  span.from_cache = outcome.cached;
  service.spans()->Add(std::move(span));
}

}  // namespace

void CountOutcome(GenerationStart& start, const GenerationOutcome& outcome) {
  const generate::Usage& usage = outcome.usage;
  if (start.ticket) start.ticket->Spend(usage.prompt_tokens + usage.completion_tokens);
  start.ticket = nullptr;
  ModelMetrics& metrics = start.service.metrics().Of(start.model->name);
  metrics.prompt_tokens += usage.prompt_tokens;
  metrics.generation_tokens += usage.completion_tokens;
  metrics.prefix_queries += usage.prompt_tokens;
  metrics.prefix_hits += usage.cached_tokens;
  for (const GenerationChoice& choice : outcome.choices) {
    metrics.CountFinish(choice.finish_reason == "cancel" ? "abort" : choice.finish_reason);
  }
  const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - start.began;
  metrics.request_seconds.Observe(whole.count());
  metrics.queue_seconds.Observe(outcome.timings.queue_ms / 1000.0);
  metrics.prompt_length.Observe(static_cast<double>(usage.prompt_tokens));
  metrics.answer_length.Observe(static_cast<double>(usage.completion_tokens));
  if (outcome.timings.first_token_ms > 0.0) {
    metrics.first_token_seconds.Observe(outcome.timings.first_token_ms / 1000.0);
  }
  if (outcome.timings.decode_tokens_per_second > 0.0) {
    metrics.between_tokens_seconds.Observe(1.0 / outcome.timings.decode_tokens_per_second);
  }
  SendSpan(start.service, start.model->name, start.began, outcome);
}

void CountLook(Service& service, const std::string& model,
               std::chrono::steady_clock::time_point began, const GenerationOutcome* found) {
  ModelMetrics& metrics = service.metrics().Of(model);
  ++metrics.answer_queries;
  if (found == nullptr) return;
  ++metrics.answer_hits;
  for (const GenerationChoice& choice : found->choices) metrics.CountFinish(choice.finish_reason);
  const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - began;
  metrics.request_seconds.Observe(whole.count());
  SendSpan(service, model, began, *found);
}

Served<std::shared_ptr<Generation>> StartPlain(GenerationStart start, GenerationRequest request,
                                               std::vector<generate::TokenId> prompt,
                                               const ToolSyntax* syntax) {
  auto generation = std::make_shared<PlainGeneration>(std::move(start), std::move(request));
  if (auto begun = generation->Begin(prompt, syntax); !begun) return Refuse(begun.error());
  return generation;
}

}  // namespace ergo::serve
