#include "serve/service/reasoned_generation.h"

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <queue>
#include <set>
#include <utility>

#include "reasoning/model/engine_model.h"
#include "reasoning/strategies/effort.h"
#include "reasoning/strategies/strategy.h"
#include "reasoning/trace/fold.h"
#include "reasoning/trace/step_text.h"
#include "serve/service/service.h"

namespace ergo::serve {
namespace {

using reasoning::TraceNode;

/// The text of a message whose content is text or parts of text.
std::string ContentOf(const OrderedJson& message) {
  const auto content = message.find("content");
  if (content == message.end()) return {};
  if (content->is_string()) return content->get<std::string>();
  std::string text;
  if (!content->is_array()) return text;
  for (const OrderedJson& part : *content) text += part.value("text", "");
  return text;
}

std::optional<reasoning::Question> QuestionOf(const GenerationRequest& request) {
  reasoning::Question question;
  if (const auto* text = std::get_if<std::string>(&request.prompt)) question.text = *text;
  if (const auto* chat = std::get_if<generate::ChatInput>(&request.prompt)) {
    if (!chat->messages.is_array() || chat->messages.empty()) return std::nullopt;
    for (std::size_t i = 0; i + 1 < chat->messages.size(); ++i) {
      const std::string content = ContentOf(chat->messages[i]);
      if (!content.empty()) question.context += content + "\n";
    }
    question.text = ContentOf(chat->messages.back());
  }
  if (question.text.empty()) return std::nullopt;
  return question;
}

OrderedJson StepsJson(const reasoning::Trace& trace) {
  OrderedJson steps = OrderedJson::array();
  for (const TraceNode* node : reasoning::StepsOfAnswer(trace)) {
    OrderedJson step = {{"node", node->id}, {"text", reasoning::StepText(*node)}};
    step["verdict"] = reasoning::Name(reasoning::VerdictOf(*node));
    const std::string reason = reasoning::RefutationOf(*node);
    if (!reason.empty()) step["reason"] = reason;
    steps.push_back(std::move(step));
  }
  return steps;
}

/// What the worker says and the reader takes.
struct Shared {
  std::mutex mutex;
  std::queue<GenerationEvent> events;
  std::optional<Served<GenerationOutcome>> outcome;
  std::atomic<bool> cancelled = false;
  std::function<void()> on_news;

  void Put(GenerationEvent event) {
    {
      const std::lock_guard lock(mutex);
      events.push(std::move(event));
    }
    if (on_news) on_news();
  }
};

/// Makes lines of steps: each once its checks have spoken, the rest at the end.
class StepLines {
 public:
  explicit StepLines(Shared* shared) : shared_(shared) {}

  void Follow(const reasoning::TraceEvent& event) {
    if (!fold_.Add(event) || event.type != "node") return;
    const TraceNode* node = fold_.Find(event.patch.value("id", ""));
    if (node != nullptr && !node->verification.empty()) Show(*node);
  }
  void Rest() {
    for (const TraceNode* node : reasoning::StepsOfAnswer(fold_.trace())) Show(*node);
  }

 private:
  void Show(const TraceNode& node) {
    const bool step =
        node.kind != reasoning::NodeKind::kQuestion && node.kind != reasoning::NodeKind::kAnswer;
    const std::string text = reasoning::StepText(node);
    if (!step || text.empty() || !shown_.insert(node.id).second) return;
    std::string line(reasoning::MarkOf(reasoning::VerdictOf(node)));
    line += " " + text;
    const std::string reason = reasoning::RefutationOf(node);
    if (!reason.empty()) line += "  (" + reason + ")";
    GenerationEvent event;
    event.thought = line + "\n";
    thought += event.thought;
    shared_->Put(std::move(event));
  }

  Shared* shared_;
  reasoning::TraceFold fold_;
  std::set<std::string> shown_;

 public:
  std::string thought;
};

/// One answer to be reasoned.
class Reasoning {
 public:
  Reasoning(GenerationStart start, GenerationRequest request, reasoning::Question question,
            std::shared_ptr<Shared> shared)
      : start_(std::move(start)),
        request_(std::move(request)),
        question_(std::move(question)),
        shared_(std::move(shared)) {}

  void Run();

 private:
  reasoning::SolveSettings Settings(StepLines* lines);
  GenerationOutcome OutcomeOf(const reasoning::Answer& answer, std::string thought);

  GenerationStart start_;
  GenerationRequest request_;
  reasoning::Question question_;
  std::shared_ptr<Shared> shared_;
};

reasoning::SolveSettings Reasoning::Settings(StepLines* lines) {
  const reasoning::EffortLevel& level = reasoning::EffortLevelOf(request_.effort.name);
  reasoning::SolveSettings settings;
  settings.limits.tokens = request_.effort.budget_tokens.value_or(level.tokens);
  if (request_.effort.max_steps) settings.limits.steps = *request_.effort.max_steps;
  if (request_.options.deadline) settings.limits.until = *request_.options.deadline;
  settings.seed = request_.options.sampling.seed;
  settings.owner = start_.principal.owner;
  settings.cancelled = [shared = shared_] { return shared->cancelled.load(); };
  reasoning::OnTraceEvent keep;
  if (auto* writer = start_.service.trace_writer()) keep = writer->Listener();
  settings.on_event = [keep, lines](const reasoning::TraceEvent& event) {
    if (keep) keep(event);
    lines->Follow(event);
  };
  return settings;
}

GenerationOutcome Reasoning::OutcomeOf(const reasoning::Answer& answer, std::string thought) {
  GenerationOutcome outcome;
  GenerationChoice choice;
  choice.thought = std::move(thought);
  choice.text = answer.value.empty() ? answer.text : answer.value;
  choice.finish_reason = shared_->cancelled ? "cancel" : "stop";
  outcome.choices.push_back(std::move(choice));
  outcome.usage.prompt_tokens = start_.prompt_tokens;
  outcome.usage.completion_tokens = answer.trace.budget.tokens;
  outcome.usage.thought_tokens = answer.trace.budget.tokens;
  outcome.thought_tokens = answer.trace.budget.tokens;
  outcome.timings.decode_ms = answer.trace.budget.ms;
  outcome.trace_id = answer.trace.id;
  outcome.steps = StepsJson(answer.trace);
  outcome.verdict = {{"verified", answer.verified}};
  outcome.verdict["confidence"] = answer.confidence ? OrderedJson(*answer.confidence) : nullptr;
  outcome.verdict["uncertainty"] = answer.uncertainty;
  return outcome;
}

void Reasoning::Run() {
  const auto model = reasoning::MakeEngineModel(start_.model->model, start_.principal.owner,
                                                start_.principal.priority);
  const reasoning::EffortLevel& level = reasoning::EffortLevelOf(request_.effort.name);
  const std::string_view strategy =
      request_.effort.strategy.empty() ? level.strategy : request_.effort.strategy;
  StepLines lines(shared_.get());
  auto answer = reasoning::Solve(*model, strategy, question_, Settings(&lines));
  std::optional<Served<GenerationOutcome>> result;
  if (answer) {
    lines.Rest();
    GenerationOutcome outcome = OutcomeOf(*answer, lines.thought);
    GenerationEvent event;
    event.text = outcome.choices.front().text;
    event.finish_reason = outcome.choices.front().finish_reason;
    CountOutcome(start_, outcome);
    shared_->Put(std::move(event));
    result = std::move(outcome);
  } else {
    start_.ticket = nullptr;
    result = Refuse(answer.error());
  }
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->outcome = std::move(result);
  }
  if (shared_->on_news) shared_->on_news();
}

class ReasonedGeneration final : public Generation {
 public:
  ReasonedGeneration(std::shared_ptr<Shared> shared, std::size_t tokens)
      : shared_(std::move(shared)) {
    prompt_tokens = tokens;
  }
  ~ReasonedGeneration() override { shared_->cancelled = true; }

  News Take(GenerationEvent* event) override {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->events.empty()) return shared_->outcome ? News::kEnd : News::kNothing;
    *event = std::move(shared_->events.front());
    shared_->events.pop();
    return News::kEvent;
  }
  void Cancel() override { shared_->cancelled = true; }
  Served<GenerationOutcome> Outcome() override {
    const std::lock_guard lock(shared_->mutex);
    return std::move(*shared_->outcome);
  }

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace

Served<std::shared_ptr<Generation>> StartReasoned(GenerationStart start,
                                                  GenerationRequest request) {
  if (request.choices > 1 || request.tools || request.options.constraint) {
    return Refuse(FailureKind::kInvalid,
                  "an answer that is reasoned is one text: n, tools and response_format go with "
                  "effort none only",
                  "invalid_value", "effort");
  }
  if (!request.effort.strategy.empty() &&
      reasoning::FindStrategy(request.effort.strategy) == nullptr) {
    return Refuse(FailureKind::kInvalid, "there is no such strategy", "invalid_value", "strategy");
  }
  auto question = QuestionOf(request);
  if (!question) {
    return Refuse(FailureKind::kInvalid, "the last message has no text to reason about",
                  "invalid_value", "messages");
  }
  Service& service = start.service;
  auto shared = std::make_shared<Shared>();
  shared->on_news = std::move(start.on_news);
  auto generation = std::make_shared<ReasonedGeneration>(shared, start.prompt_tokens);
  auto work = std::make_shared<Reasoning>(std::move(start), std::move(request),
                                          *std::move(question), shared);
  if (!service.reasoners().Post([work = std::move(work)] { work->Run(); })) {
    ++service.metrics().refused;
    Failure failure = {
        FailureKind::kTooMany, "too many answers wait to be reasoned", "queue_full", {}, 5};
    return tl::unexpected(std::move(failure));
  }
  return generation;
}

}  // namespace ergo::serve
