// POST /v1/rerank: documents by how well they fit a query.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "generate/branch.h"
#include "serve/endpoints/all.h"
#include "serve/endpoints/openai_fields.h"
#include "serve/endpoints/session_parts.h"
#include "serve/endpoints/waiting_work.h"

namespace ergo::serve {
namespace {

using Tokens = std::vector<generate::TokenId>;

constexpr std::string_view kRequest = R"json({
  "type": "object",
  "required": ["query", "documents"],
  "properties": {
    "model": {"$ref": "#/components/schemas/ModelName"},
    "query": {"type": "string", "minLength": 1},
    "documents": {"type": "array", "minItems": 1, "maxItems": 1024, "items": {"anyOf": [
      {"type": "string"},
      {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}]}},
    "top_n": {"type": ["integer", "null"], "minimum": 1, "maximum": 1024},
    "return_documents": {"type": ["boolean", "null"]}
  }
})json";

constexpr std::string_view kReply = R"json({
  "type": "object", "required": ["model", "results", "usage"],
  "properties": {
    "id": {"type": "string"}, "model": {"type": "string"},
    "results": {"type": "array", "items": {
      "type": "object", "required": ["index", "relevance_score"],
      "properties": {"index": {"type": "integer"}, "relevance_score": {"type": "number"},
                     "document": {"type": "object", "properties": {"text": {"type": "string"}}}}}},
    "usage": {"type": "object", "properties": {"total_tokens": {"type": "integer"}}}}
})json";

/// What the query stands behind: ranking by the query's likelihood (Ponte and Croft 1998).
std::string FramedDocument(const std::string& text) {
  return "Passage: " + text + "\nQuestion that the passage answers:";
}

struct Ranking {
  std::shared_ptr<ServedModel> model;
  std::vector<std::string> texts;
  std::vector<Tokens> documents;  ///< framed
  Tokens query;
};

struct Ranked {
  std::size_t index = 0;
  double score = 0.0;
};

OrderedJson ReplyOf(const Call& call, const Ranking& ranking, std::vector<Ranked> ranked,
                    std::size_t tokens) {
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
  ranked.resize(std::min(ranked.size(), Field(call.body, "top_n", ranked.size())));
  const bool texts = Field(call.body, "return_documents", false);
  OrderedJson results = OrderedJson::array();
  for (const Ranked& entry : ranked) {
    OrderedJson result = {{"index", entry.index}, {"relevance_score", entry.score}};
    if (texts) result["document"] = {{"text", ranking.texts[entry.index]}};
    results.push_back(std::move(result));
  }
  OrderedJson reply = {{"id", ReplyId("rerank-", call)}, {"model", ranking.model->name}};
  reply["results"] = std::move(results);
  reply["usage"] = {{"prompt_tokens", tokens}, {"total_tokens", tokens}};
  return reply;
}

void Rank(const WaitingWork& work, const Ranking& ranking) {
  std::vector<Ranked> ranked;
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < ranking.documents.size(); ++i) {
    if (work.cancelled()) return;
    const auto rows =
        generate::ScoreAfter(*ranking.model->model, generate::Branch(ranking.documents[i]),
                             {ranking.query}, work.call->principal->owner);
    if (!rows) return work.call->Fail(EngineFailure(rows.error()));
    double sum = 0.0;
    for (const float logprob : rows->front()) sum += static_cast<double>(logprob);
    // The geometric mean of the probabilities of the query's tokens.
    ranked.push_back({i, std::exp(sum / static_cast<double>(ranking.query.size()))});
    tokens += ranking.documents[i].size() + ranking.query.size();
  }
  work.Count({.prompt_tokens = tokens});
  work.call->Send(ReplyOf(*work.call, ranking, std::move(ranked), tokens));
}

void Handle(const CallPtr& call) {
  auto model = call->service.models().Acquire(call->body.value("model", ""));
  if (!model) return call->Fail(model.error());
  Ranking ranking = {*model, {}, {}, {}};
  const auto& tokenizer = (**model)->tokenizer();
  ranking.query = tokenizer.Encode(" " + call->body["query"].get<std::string>(),
                                   {.add_special = false, .parse_special = false});
  for (const OrderedJson& document : call->body["documents"]) {
    const std::string param = fmt::format("documents[{}]", ranking.texts.size());
    ranking.texts.push_back(document.is_string() ? document.get<std::string>()
                                                 : document["text"].get<std::string>());
    ranking.documents.push_back(
        tokenizer.Encode(FramedDocument(ranking.texts.back()), {.parse_special = false}));
    const std::size_t tokens = ranking.documents.back().size() + ranking.query.size();
    if (auto fits = CheckPlace(**model, tokens, param); !fits) return call->Fail(fits.error());
  }
  StartWaitingWork(call, *model, [ranking = std::move(ranking)](const WaitingWork& work) {
    Rank(work, ranking);
  });
}

}  // namespace

const Endpoint kRerank = {.method = "POST",
                          .path = "/v1/rerank",
                          .summary = "Sort documents by how well they fit a query",
                          .request = kRequest,
                          .reply = kReply,
                          .handle = Handle};

}  // namespace ergo::serve
