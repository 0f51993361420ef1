#include "cli/reasoned_answer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/cli.h"
#include "cli/terminal.h"
#include "reasoning/derive/answer_value.h"
#include "reasoning/model/engine_model.h"
#include "reasoning/strategies/effort.h"
#include "reasoning/strategies/strategy.h"
#include "reasoning/trace/step_text.h"
#include "reasoning/trace/store.h"
#include "reasoning/trace/store_writer.h"
#include "reasoning/verify/logic_question.h"

namespace ergo::cli {
namespace {

using reasoning::NodeKind;
using reasoning::Trace;
using reasoning::TraceEvent;
using reasoning::TraceNode;
using reasoning::Verdict;

constexpr std::size_t kBarWidth = 20;
/// Below this an answer says that it is not certain.
constexpr double kUncertain = 0.5;

Style StyleOf(Verdict verdict) {
  if (verdict == Verdict::kRefuted) return Style::kRed;
  return verdict == Verdict::kVerified ? Style::kGreen : Style::kDim;
}

std::string StepLine(const TraceNode& node, int fd) {
  const Verdict verdict = reasoning::VerdictOf(node);
  std::string line = Styled(StyleOf(verdict), std::string(reasoning::MarkOf(verdict)), fd) + " " +
                     reasoning::StepText(node);
  const std::string reason = reasoning::RefutationOf(node);
  if (!reason.empty()) line += Styled(Style::kDim, "  (" + reason + ")", fd);
  return line + "\n";
}

/// Follows the events of an answer on a terminal's last line.
class LiveView {
 public:
  LiveView(std::size_t tokens, bool shown) : most_(tokens), shown_(shown) {}
  ~LiveView() { Clear(); }

  void Follow(const TraceEvent& event) {
    if (!shown_) return;
    if (event.type == "node") Node(event.patch);
    if (event.type == "stage") stage_ = event.patch.value("name", "");
    Draw();
  }
  void Clear() {
    if (drawn_) static_cast<void>(::write(STDERR_FILENO, "\r\x1b[K", 4));
    drawn_ = false;
  }

 private:
  void Node(const OrderedJson& patch) {
    if (const auto text = patch.find("text"); text != patch.end() && text->is_string()) {
      ++nodes_;
      tokens_ += patch.contains("tokens") ? patch["tokens"].size() : 0;
    }
    const auto checks = patch.find("verification");
    if (checks == patch.end() || !checks->is_array()) return;
    for (const auto& check : *checks) {
      const std::string status = check.value("status", "");
      verified_ += status == "verified" ? 1 : 0;
      refuted_ += status == "refuted" ? 1 : 0;
    }
  }
  void Draw() {
    const std::size_t filled =
        std::min(kBarWidth, tokens_ * kBarWidth / std::max<std::size_t>(most_, 1));
    const std::string line = fmt::format(
        "\r\x1b[K{} {} steps  ✓ {}  ✗ {}  [{}{}] {} of {} tokens", stage_, nodes_, verified_,
        refuted_, std::string(filled, '#'), std::string(kBarWidth - filled, '-'), tokens_, most_);
    static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
    drawn_ = true;
  }

  std::size_t most_;
  bool shown_;
  bool drawn_ = false;
  std::string stage_;
  std::size_t nodes_ = 0;
  std::size_t tokens_ = 0;
  std::size_t verified_ = 0;
  std::size_t refuted_ = 0;
};

/// Writes the events of an answer to the store. An answer does not depend on whether that works.
class TraceKeeper {
 public:
  TraceKeeper() : store_(reasoning::TraceStore::Open(reasoning::StoreOptions::FromEnvironment())) {
    if (!store_) {
      Note("the trace is not kept: " + store_.error().Message());
      return;
    }
    if (!(*store_)->notice().empty()) Note((*store_)->notice());
    writer_ = std::make_unique<reasoning::StoreWriter>(store_->get());
  }

  reasoning::OnTraceEvent Listener() {
    return writer_ ? writer_->Listener() : reasoning::OnTraceEvent();
  }
  /// Waits until all of it is kept and says where.
  void Finish(const std::string& id, bool says) {
    if (!writer_) return;
    writer_->Flush();
    if (Status kept = writer_->status(); !kept) {
      Note("the trace is not kept: " + kept.error().Message());
    } else if (says) {
      Note("trace " + id + " (ergo trace show)");
    }
  }

 private:
  Result<std::unique_ptr<reasoning::TraceStore>> store_;
  std::unique_ptr<reasoning::StoreWriter> writer_;
};

std::string Shown(const reasoning::Answer& answer) {
  const int fd = STDOUT_FILENO;
  std::string text;
  for (const TraceNode* step : reasoning::StepsOfAnswer(answer.trace)) text += StepLine(*step, fd);
  if (text.empty()) text = answer.text + "\n";
  if (answer.value.empty()) return text;
  text += "\n" + Styled(Style::kBold, answer.value, fd);
  std::string how;
  if (answer.confidence) how = fmt::format("confidence {:.0f}%", 100.0 * *answer.confidence);
  if (answer.verified) how += ", verified";
  if (!how.empty()) text += Styled(Style::kDim, "  (" + how + ")", fd);
  text += "\n";
  for (const reasoning::TraceConflict& conflict : answer.trace.conflicts) {
    text += Styled(Style::kDim, conflict.reason, fd) + "\n";
  }
  const bool doubt = answer.confidence.value_or(1.0) < kUncertain;
  if (!answer.uncertainty.empty()) {
    text +=
        Styled(Style::kDim, (doubt ? "not certain: " : "note: ") + answer.uncertainty, fd) + "\n";
  }
  return text;
}

OrderedJson Json(const reasoning::Answer& answer) {
  OrderedJson json = ToJson(answer.trace);
  // The fields that the plain model's answers have, so that one reader serves both.
  json["choices"] =
      OrderedJson::array({{{"index", 0},
                           {"text", answer.value.empty() ? answer.text : answer.value},
                           {"finish_reason", "stop"},
                           {"logprobs", nullptr}}});
  json["usage"] = {{"completion_tokens", answer.trace.budget.tokens}};
  json["timings"] = {{"total_ms", answer.trace.budget.ms}};
  return json;
}

}  // namespace

void AddEffortOption(Options& options, EffortChoice* choice) {
  options.Choice("--effort", &choice->effort, "none|low|medium|high|auto",
                 "how much to reason; none: the plain model");
}

void AddStrategyOptions(Options& options, EffortChoice* choice) {
  std::string names;
  for (const reasoning::Strategy* strategy : reasoning::Strategies()) {
    names += (names.empty() ? "" : "|") + std::string(strategy->name);
  }
  options.Choice("--strategy", &choice->strategy, names,
                 "how to reason, whatever the question (auto)");
  options.Number("--max-steps", &choice->max_steps, "N", "most steps of a derivation",
                 {1, 1 << 20});
  options.Number("--budget-tokens", &choice->budget_tokens, "N",
                 "most tokens to draw, discarded ones included", {1, 1 << 30});
}

Result<bool> Reasons(const EffortChoice& choice, bool plain, const std::string& question) {
  if (choice.effort == "none") {
    if (choice.strategy.empty()) return false;
    return Fail("--strategy needs an effort", "run", "leave out --effort none");
  }
  if (plain) {
    if (!choice.given()) return false;
    return Fail("options of the plain model do not go with reasoning", "run",
                "leave out --effort and --strategy, or give --effort none");
  }
  if (choice.given()) return true;
  reasoning::Question asked;
  asked.text = question;
  return reasoning::KindOf(asked) != reasoning::AnswerKind::kText ||
         reasoning::TakeApart("", question, {}).has_value();
}

Result<int> AnswerWithReasoning(const std::shared_ptr<generate::LanguageModel>& model,
                                const ReasonedRequest& request) {
  const reasoning::EffortLevel& effort = reasoning::EffortLevelOf(request.effort.effort);
  reasoning::SolveSettings settings;
  settings.limits.tokens = static_cast<std::size_t>(
      request.effort.budget_tokens.value_or(static_cast<std::int64_t>(effort.tokens)));
  if (request.effort.max_steps) {
    settings.limits.steps = static_cast<std::size_t>(*request.effort.max_steps);
  }
  settings.seed = request.seed;
  settings.cancelled = InterruptGuard::Requested;

  TraceKeeper keeper;
  LiveView view(settings.limits.tokens, !request.json && IsTerminal(STDERR_FILENO));
  settings.on_event = [&view, keep = keeper.Listener()](const TraceEvent& event) {
    if (keep) keep(event);
    view.Follow(event);
  };

  const auto text_model = reasoning::MakeEngineModel(model);
  reasoning::Question question;
  question.text = request.question;
  const std::string_view strategy =
      request.effort.strategy.empty() ? effort.strategy : std::string_view(request.effort.strategy);
  auto answer = reasoning::Solve(*text_model, strategy, question, settings);
  settings.on_event = {};
  view.Clear();
  if (!answer) return Fail(std::move(answer));
  const std::string shown =
      request.json
          ? Json(*answer).dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n"
          : Shown(*answer);
  if (Status printed = Print(shown); !printed) return Fail(std::move(printed));
  keeper.Finish(answer->trace.id, !request.json);
  return InterruptGuard::Requested() ? kInterrupted : kOk;
}

void KeepPlainAnswer(const generate::LanguageModel& model, const std::string& question,
                     const generate::GenerateResult& result) {
  TraceKeeper keeper;
  Trace head;
  head.question = question;
  head.model_name = std::filesystem::path(model.files().path).filename().string();
  head.model_hash = model.digest();
  head.strategy = "plain";
  reasoning::Recorder trace(std::move(head), keeper.Listener());
  TraceNode asked;
  asked.kind = NodeKind::kQuestion;
  asked.text = question;
  const std::string from = trace.Add(std::move(asked));
  TraceNode node;
  node.kind = NodeKind::kAnswer;
  node.text = result.text;
  double sum = 0.0;
  for (const generate::TokenScore& score : result.logprobs) {
    sum += static_cast<double>(score.logprob);
    node.tokens.push_back({model.tokenizer().PieceBytes(score.token),
                           static_cast<double>(score.logprob), std::nullopt});
  }
  const double each =
      result.logprobs.empty() ? 0.0 : std::exp(sum / static_cast<double>(result.logprobs.size()));
  node.confidence.token = each;
  trace.Link({from, trace.Add(std::move(node)), reasoning::EdgeType::kPremise, 1.0});
  OrderedJson end = OrderedJson::object();
  end["budget"] = {{"tokens", result.tokens.size()},
                   {"calls", 1},
                   {"ms", result.timings.first_token_ms + result.timings.decode_ms}};
  end["status"] = "answered";
  end["answer"] = result.text;
  end["uncertainty"] = "nothing in it was checked";
  trace.Set(std::move(end));
  Note(
      fmt::format("nothing in it was checked; the model gave its tokens {:.0f}% each", 100 * each));
  keeper.Finish(trace.id(), true);
}

}  // namespace ergo::cli
