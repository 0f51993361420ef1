#include <fmt/format.h>

#include <array>
#include <chrono>
#include <utility>

#include "base/utf8.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/eval/calibration.h"
#include "reasoning/stage/work.h"
#include "reasoning/strategies/list.h"

namespace ergo::reasoning {
namespace {

/// Bytes of a question; a context of 128k tokens holds no more.
constexpr std::size_t kMostQuestion = std::size_t{1} << 20;

const std::array kStrategies = {&kAutoStrategy,      &kBeamStrategy,    &kBestOfNStrategy,
                                &kDecomposeStrategy, &kDirectStrategy,  &kMajorityStrategy,
                                &kMctsStrategy,      &kProgramStrategy, &kProgressiveStrategy};

Status CheckQuestion(const Question& question) {
  constexpr const char* kWhere = "question";
  if (question.text.find_first_not_of(" \t\r\n") == std::string::npos) {
    return Fail("the question is empty", kWhere, "ask something");
  }
  if (question.text.size() + question.context.size() > kMostQuestion) {
    return Fail(fmt::format("it has more than {} bytes", kMostQuestion), kWhere, "shorten it");
  }
  for (const std::string* text : {&question.text, &question.context}) {
    if (const auto at = FindInvalidUtf8(*text)) {
      return Fail(fmt::format("byte {} is not UTF-8", *at), kWhere, "convert it to UTF-8");
    }
  }
  return {};
}

OrderedJson SettingsJson(const SolveSettings& settings) {
  OrderedJson json = OrderedJson::object();
  json["temperature"] = settings.temperature;
  if (settings.limits.tokens != Limits::kNoLimit) json["budget_tokens"] = settings.limits.tokens;
  if (settings.limits.steps != Limits::kNoLimit) json["max_steps"] = settings.limits.steps;
  return json;
}

/// Below this an answer says that it is not certain.
constexpr double kCertain = 0.5;

/// Replaces the strategy's own confidence by the calibrated one.
void Calibrate(std::string_view strategy, const std::string& model, Recorder* trace,
               Answer* answer) {
  answer->trace = trace->Document();
  const double chance = eval::Calibrate(eval::FeaturesOf(*answer), model, strategy);
  answer->confidence = chance;
  if (chance < kCertain && answer->uncertainty.empty()) {
    answer->uncertainty = "little speaks for it: no exact check, and few derivations agree";
  }
  for (const TraceNode& node : answer->trace.nodes) {
    if (node.kind != NodeKind::kAnswer) continue;
    OrderedJson fields = OrderedJson::object();
    fields["confidence"] = {{"calibrated", chance}};
    trace->Update(node.id, std::move(fields));
  }
}

std::string StatusOf(const Answer& answer, const Budget& budget) {
  if (budget.Cancelled()) return "cancelled";
  return answer.uncertainty.empty() ? "answered" : "uncertain";
}

}  // namespace

std::span<const Strategy* const> Strategies() { return kStrategies; }

const Strategy* FindStrategy(std::string_view name) {
  for (const Strategy* strategy : kStrategies) {
    if (strategy->name == name) return strategy;
  }
  return nullptr;
}

Result<Answer> Solve(TextModel& model, std::string_view strategy, const Question& question,
                     const SolveSettings& settings) {
  const Strategy* const found = FindStrategy(strategy);
  if (found == nullptr) {
    std::string names;
    for (const Strategy* one : kStrategies) {
      names += (names.empty() ? "" : ", ") + std::string(one->name);
    }
    return Fail(fmt::format("there is no strategy '{}'", strategy), "--strategy",
                "one of " + names);
  }
  if (Status valid = CheckQuestion(question); !valid) return Fail(std::move(valid));

  const auto start = Limits::Clock::now();
  Trace head;
  head.owner = settings.owner;
  head.question =
      question.context.empty() ? question.text : question.context + "\n\n" + question.text;
  head.model_name = model.name();
  head.model_hash = model.hash();
  head.strategy = std::string(found->name);
  head.settings = SettingsJson(settings);
  head.seed = settings.seed;
  Recorder trace(std::move(head), settings.on_event);
  Budget budget(settings.limits, settings.cancelled);
  Work work(model, question, settings, trace, budget);
  trace.Add(
      {.id = {}, .kind = NodeKind::kQuestion, .text = question.text, .formal = {}, .value = {}});

  Result<Answer> answer = found->solve(work);
  const double ms = std::chrono::duration<double, std::milli>(Limits::Clock::now() - start).count();
  OrderedJson end = OrderedJson::object();
  end["budget"] = {{"tokens", budget.tokens_spent()},
                   {"calls", budget.calls_spent()},
                   {"ms", ms},
                   {"kv_reused", work.tokens_reused()}};
  if (!answer) {
    end["status"] = "failed";
    end["uncertainty"] = answer.error().Message();
    trace.Set(std::move(end));
    return answer;
  }
  Calibrate(found->name, model.name(), &trace, &*answer);
  end["status"] = StatusOf(*answer, budget);
  end["answer"] = answer->value.empty() ? answer->text : answer->value;
  if (answer->confidence) end["confidence"] = *answer->confidence;
  if (!answer->uncertainty.empty()) end["uncertainty"] = answer->uncertainty;
  trace.Set(std::move(end));
  answer->trace = trace.Document();
  return answer;
}

}  // namespace ergo::reasoning
