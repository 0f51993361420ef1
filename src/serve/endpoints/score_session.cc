// POST /v1/sessions/{id}/score: how likely texts are behind a place.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "serve/endpoints/all.h"
#include "serve/endpoints/session_parts.h"

namespace ergo::serve {
namespace {

using Tokens = std::vector<generate::TokenId>;

constexpr std::string_view kRequest = R"json({
  "type": "object",
  "required": ["continuations"],
  "properties": {
    "from": {"type": "string", "maxLength": 64, "default": "b0"},
    "continuations": {"type": "array", "minItems": 1, "maxItems": 1024, "items": {
      "anyOf": [{"type": "string", "minLength": 1}, {"$ref": "#/components/schemas/TokenIds"}]}}
  }
})json";

constexpr std::string_view kReply = R"json({
  "type": "object", "required": ["scores"],
  "properties": {
    "scores": {"type": "array", "items": {"type": "object", "required": ["logprob"], "properties": {
      "index": {"type": "integer"}, "tokens": {"$ref": "#/components/schemas/TokenIds"},
      "logprobs": {"type": "array", "items": {"type": "number"}},
      "logprob": {"type": "number"}, "mean_logprob": {"type": "number"}}}},
    "usage": {"type": "object", "properties": {"scored_tokens": {"type": "integer"}}}}
})json";

/// JSON has no infinity; this stands for the logarithm of a probability of 0.
constexpr float kLeast = static_cast<float>(reasoning::kLeastLogprob);

OrderedJson ScoreJson(std::size_t index, const Tokens& tokens, std::vector<float> logprobs) {
  double sum = 0.0;
  for (float& logprob : logprobs) {
    if (!(logprob > kLeast)) logprob = kLeast;
    sum += static_cast<double>(logprob);
  }
  return {{"index", index},
          {"tokens", tokens},
          {"logprobs", logprobs},
          {"logprob", sum},
          {"mean_logprob", sum / static_cast<double>(logprobs.size())}};
}

void Score(const SessionWork& work, const Place& from, const std::vector<Tokens>& texts) {
  // What the place has not computed yet is scored too, and its part left out.
  std::vector<Tokens> continuations;
  std::size_t scored = 0;
  for (const Tokens& text : texts) {
    Tokens whole = from.pending;
    whole.insert(whole.end(), text.begin(), text.end());
    scored += whole.size();
    continuations.push_back(std::move(whole));
  }
  if (work.cancelled()) return;
  auto rows = generate::ScoreAfter(**work.session->model(), from.branch, continuations,
                                   work.session->owner());
  if (!rows) return work.call->Fail(EngineFailure(rows.error()));
  work.Count({.prompt_tokens = scored});
  OrderedJson scores = OrderedJson::array();
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const std::vector<float>& row = (*rows)[i];
    const auto own = static_cast<std::ptrdiff_t>(std::min(from.pending.size(), row.size()));
    scores.push_back(ScoreJson(i, texts[i], {row.begin() + own, row.end()}));
  }
  work.call->Send(
      OrderedJson{{"scores", std::move(scores)}, {"usage", {{"scored_tokens", scored}}}});
}

void Handle(const CallPtr& call) {
  auto session = SessionOf(call);
  if (!session) return call->Fail(session.error());
  auto from = (*session)->Find(call->body.value("from", "b0"), "from");
  if (!from) return call->Fail(from.error());
  const ServedModel& model = *(*session)->model();
  std::vector<Tokens> texts;
  for (const OrderedJson& text : call->body["continuations"]) {
    const std::string param = fmt::format("continuations[{}]", texts.size());
    auto tokens = TokensOf(model, text, param);
    if (!tokens) return call->Fail(tokens.error());
    if (tokens->empty()) {
      return call->Fail({FailureKind::kInvalid, param + ": is empty", "invalid_value", param, {}});
    }
    if (auto fits = CheckPlace(model, from->tokens() + tokens->size(), param); !fits) {
      return call->Fail(fits.error());
    }
    texts.push_back(*std::move(tokens));
  }
  StartSessionWork(call, *session,
                   [place = *std::move(from), all = std::move(texts)](const SessionWork& work) {
                     Score(work, place, all);
                   });
}

}  // namespace

const Endpoint kScoreSession = {.method = "POST",
                                .path = "/v1/sessions/{id}/score",
                                .summary = "Log-probabilities of texts behind a branch",
                                .request = kRequest,
                                .reply = kReply,
                                .handle = Handle};

}  // namespace ergo::serve
