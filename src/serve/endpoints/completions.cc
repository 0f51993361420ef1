// OpenAI's older way: POST /v1/completions goes on from a text.
#include <utility>

#include "base/utf8.h"
#include "serve/endpoints/all.h"
#include "serve/endpoints/answer.h"
#include "serve/endpoints/chunk_writer.h"
#include "serve/endpoints/openai_fields.h"
#include "serve/endpoints/reply_parts.h"

namespace ergo::serve {
namespace {

/// OpenAI's default.
constexpr std::int64_t kMaxTokens = 16;

constexpr std::string_view kRequest = R"json({
  "type": "object",
  "required": ["prompt"],
  "properties": {
    "model": {"$ref": "#/components/schemas/ModelName"},
    "prompt": {"anyOf": [
      {"type": "string"},
      {"$ref": "#/components/schemas/TokenIds"},
      {"type": "array", "minItems": 1, "maxItems": 1, "items": {"type": "string"}}]},
    "stream": {"type": ["boolean", "null"]},
    "stream_options": {"$ref": "#/components/schemas/StreamOptions"},
    "echo": {"type": ["boolean", "null"]},
    "max_tokens": {"type": ["integer", "null"], "minimum": 1, "maximum": 1073741824},
    "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 128},
    "best_of": {"type": ["integer", "null"], "minimum": 1, "maximum": 128},
    "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
    "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "top_k": {"type": ["integer", "null"], "minimum": -1, "maximum": 1073741824},
    "min_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "typical_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "repetition_penalty": {"type": ["number", "null"], "minimum": 0.001, "maximum": 1000},
    "frequency_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
    "presence_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
    "seed": {"type": ["integer", "null"], "minimum": -9007199254740992, "maximum": 9007199254740992},
    "stop": {"$ref": "#/components/schemas/Stop"},
    "stop_token_ids": {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/TokenIds"}]},
    "ignore_eos": {"type": ["boolean", "null"]},
    "logit_bias": {"$ref": "#/components/schemas/LogitBias"},
    "logprobs": {"type": ["integer", "null"], "minimum": 0, "maximum": 100},
    "response_format": {"anyOf": [{"type": "null"}, {"type": "object", "required": ["type"],
      "properties": {"type": {"type": "string", "enum": ["text", "json_object", "json_schema", "regex"]},
                     "pattern": {"type": "string"}, "json_schema": {"type": "object"}}}]},
    "guided_json": {"type": ["object", "string", "null"]},
    "guided_regex": {"type": ["string", "null"]},
    "guided_grammar": {"type": ["string", "null"]},
    "guided_choice": {"anyOf": [{"type": "null"}, {"type": "array", "minItems": 1, "items": {"type": "string"}}]},
    "user": {"type": ["string", "null"]}
  }
})json";

constexpr std::string_view kReply = R"json({
  "type": "object",
  "required": ["id", "object", "created", "model", "choices", "usage"],
  "properties": {
    "id": {"type": "string"}, "object": {"const": "text_completion"}, "created": {"type": "integer"},
    "model": {"type": "string"},
    "choices": {"type": "array", "items": {"type": "object", "required": ["index", "text", "finish_reason"],
      "properties": {
        "index": {"type": "integer"}, "text": {"type": "string"},
        "logprobs": {"type": ["object", "null"]},
        "finish_reason": {"type": "string", "enum": ["stop", "length", "cancel"]}}}},
    "usage": {"$ref": "#/components/schemas/Usage"},
    "timings": {"$ref": "#/components/schemas/Timings"}
  }
})json";

/// The older shape: parallel lists. `offset` is that of the first token in the text.
OrderedJson LogprobsJson(const generate::LanguageModel& model,
                         const std::vector<generate::TokenScore>& scores, std::size_t* offset) {
  OrderedJson json = {{"tokens", OrderedJson::array()},
                      {"token_logprobs", OrderedJson::array()},
                      {"top_logprobs", OrderedJson::array()},
                      {"text_offset", OrderedJson::array()}};
  for (const generate::TokenScore& score : scores) {
    const std::string bytes = model.tokenizer().PieceBytes(score.token);
    json["tokens"].push_back(RepairUtf8(bytes));
    json["token_logprobs"].push_back(score.logprob);
    json["text_offset"].push_back(*offset);
    *offset += bytes.size();
    OrderedJson top = OrderedJson::object();
    for (const auto& other : score.top) {
      top[RepairUtf8(model.tokenizer().PieceBytes(other.token))] = other.logprob;
    }
    json["top_logprobs"].push_back(std::move(top));
  }
  return json;
}

struct Wish {
  bool logprobs = false;
  bool usage = false;
  std::string echo = {};  ///< stands before the answers
};

class Document final : public Follower {
 public:
  Document(CallPtr call, std::shared_ptr<ServedModel> model, Wish wish)
      : call_(std::move(call)), model_(std::move(model)), wish_(std::move(wish)) {}

  void End(Served<GenerationOutcome> outcome) override {
    if (!outcome) return call_->Fail(outcome.error());
    OrderedJson json = {{"id", ReplyId("cmpl-", *call_)},
                        {"object", "text_completion"},
                        {"created", UnixSeconds()},
                        {"model", model_->name}};
    json["choices"] = OrderedJson::array();
    for (const GenerationChoice& choice : outcome->choices) {
      OrderedJson item = {{"index", json["choices"].size()}};
      item["text"] = wish_.echo + choice.thought + choice.text;
      std::size_t offset = wish_.echo.size();
      item["logprobs"] =
          wish_.logprobs ? LogprobsJson(**model_, choice.logprobs, &offset) : OrderedJson(nullptr);
      item["finish_reason"] = choice.finish_reason;
      json["choices"].push_back(std::move(item));
    }
    json["usage"] = UsageJson(*outcome);
    json["timings"] = TimingsJson(outcome->timings);
    call_->Send(json);
  }

 private:
  CallPtr call_;
  std::shared_ptr<ServedModel> model_;
  Wish wish_;
};

class Chunks final : public Follower {
 public:
  Chunks(CallPtr call, std::shared_ptr<ServedModel> model, Wish wish)
      : call_(std::move(call)), model_(std::move(model)), wish_(std::move(wish)) {}

  std::shared_ptr<ReplyStream> Begin() override {
    writer_.emplace(call_->Stream("text/event-stream"),
                    ChunkHead{ReplyId("cmpl-", *call_), "text_completion", model_->name});
    return writer_->stream();
  }
  void Take(GenerationEvent event) override {
    if (offsets_.size() <= event.choice) offsets_.resize(event.choice + 1, kUnbegun);
    std::size_t& offset = offsets_[event.choice];
    std::string text;
    if (offset == kUnbegun) {
      offset = wish_.echo.size();
      text = wish_.echo;
    }
    text += event.thought + event.text;
    OrderedJson scores = nullptr;
    if (wish_.logprobs && !event.logprobs.empty()) {
      scores = LogprobsJson(**model_, event.logprobs, &offset);
    }
    if (!text.empty() || !scores.is_null() || !event.finish_reason.empty()) {
      writer_->Choice(event.choice, "\"text\":" + JsonText(text), scores, event.finish_reason);
    }
    writer_->Flush();
  }
  void Ping() override { writer_->Ping(); }
  void End(Served<GenerationOutcome> outcome) override {
    if (!outcome) {
      writer_->Error(call_->endpoint.errors->body(outcome.error()));
    } else if (wish_.usage) {
      writer_->Last({{"usage", UsageJson(*outcome)}, {"timings", TimingsJson(outcome->timings)}});
    }
    writer_->Done();
  }

 private:
  static constexpr std::size_t kUnbegun = static_cast<std::size_t>(-1);
  CallPtr call_;
  std::shared_ptr<ServedModel> model_;
  Wish wish_;
  std::optional<ChunkWriter> writer_;
  std::vector<std::size_t> offsets_;  ///< of the next token of each choice
};

Served<GenerationRequest> ReadRequest(const ServedModel& model, const OrderedJson& body) {
  GenerationRequest request;
  SamplingFields fields = ReadSampling(body);
  if (!fields.max_tokens) fields.max_tokens = kMaxTokens;
  const auto logprobs = body.find("logprobs");
  if (logprobs != body.end() && logprobs->is_number()) fields.logprobs = logprobs->get<int>();
  auto options = OptionsFor(*model.model, fields);
  if (!options) return tl::unexpected(options.error());
  request.options = std::move(*options);
  auto constraint = ReadFormat(*model.model, body);
  if (!constraint) return tl::unexpected(constraint.error());
  request.options.constraint = std::move(*constraint);
  request.raw = true;
  request.choices = Field<std::size_t>(body, "n", 1);
  request.best_of = Field<std::size_t>(body, "best_of", 0);
  const OrderedJson& prompt = body["prompt"];
  if (prompt.is_string()) {
    request.prompt = prompt.get<std::string>();
  } else if (!prompt.empty() && prompt[0].is_string()) {
    request.prompt = prompt[0].get<std::string>();
  } else {
    request.prompt = prompt.get<std::vector<generate::TokenId>>();
  }
  return request;
}

void Handle(const CallPtr& call) {
  const OrderedJson& body = call->body;
  const auto model = call->service.models().Acquire(Field<std::string>(body, "model", ""));
  if (!model) return call->Fail(model.error());
  auto request = ReadRequest(**model, body);
  if (!request) return call->Fail(request.error());
  Wish wish;
  wish.logprobs = request->options.logprobs.has_value();
  if (Field(body, "echo", false)) {
    if (const auto* text = std::get_if<std::string>(&request->prompt)) {
      wish.echo = *text;
    } else {
      const auto& ids = std::get<std::vector<generate::TokenId>>(request->prompt);
      for (const generate::TokenId id : ids) {
        if (id < static_cast<generate::TokenId>((*model)->model->tokenizer().size())) {
          wish.echo += (*model)->model->tokenizer().PieceBytes(id);
        }
      }
    }
  }
  std::unique_ptr<Follower> follower;
  if (Field(body, "stream", false)) {
    const auto options = body.find("stream_options");
    wish.usage =
        options != body.end() && options->is_object() && Field(*options, "include_usage", false);
    follower = std::make_unique<Chunks>(call, *model, std::move(wish));
  } else {
    follower = std::make_unique<Document>(call, *model, std::move(wish));
  }
  Answer(call, *model, std::move(*request), std::move(follower));
}

}  // namespace

const Endpoint kCompletions = {.method = "POST",
                               .path = "/v1/completions",
                               .summary = "Go on from a text (OpenAI)",
                               .errors = &kOpenAiErrors,
                               .request = kRequest,
                               .reply = kReply,
                               .stream_type = "text/event-stream",
                               .handle = Handle};

}  // namespace ergo::serve
