// POST /v1/generate: a prompt in, its output back.
#include <utility>

#include "serve/endpoints/all.h"
#include "serve/endpoints/answer.h"
#include "serve/endpoints/reply_parts.h"
#include "serve/service/text_generation.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kRequest = R"json({
  "type": "object",
  "required": ["prompt", "max_tokens"],
  "properties": {
    "model": {"$ref": "#/components/schemas/ModelName"},
    "prompt": {"description": "One message; with raw the text as it stands",
               "type": "string", "minLength": 1},
    "max_tokens": {"type": "integer", "minimum": 1, "maximum": 1073741824},
    "max_steps": {"description": "Most steps of a derivation, with an effort",
                  "type": ["integer", "null"], "minimum": 1, "maximum": 1048576},
    "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
    "seed": {"type": ["integer", "null"], "minimum": 0, "maximum": 9007199254740991},
    "effort": {"$ref": "#/components/schemas/ReasoningEffort"},
    "expert_selection": {"description": "For models that have experts: which of them may be used",
                         "type": ["string", "array", "object", "null"]},
    "raw": {"type": ["boolean", "null"]},
    "stream": {"type": ["boolean", "null"]}
  }
})json";

constexpr std::string_view kReply = R"json({
  "type": "object",
  "required": ["output"],
  "properties": {
    "output": {"type": "string"}, "model": {"type": "string"},
    "finish_reason": {"type": "string", "enum": ["stop", "length", "cancel"]},
    "reasoning_chain": {"type": "array", "items": {
      "type": "object", "required": ["text", "verdict"], "properties": {
        "text": {"type": "string"}, "verdict": {"type": "string"}, "reason": {"type": "string"}}}},
    "trace_id": {"type": "string"}, "verified": {"type": "boolean"},
    "confidence": {"type": ["number", "null"]},
    "warnings": {"type": "array", "items": {"type": "string"}},
    "usage": {"$ref": "#/components/schemas/Usage"},
    "timings": {"$ref": "#/components/schemas/Timings"}
  }
})json";

class GenerateFollower final : public Follower {
 public:
  GenerateFollower(CallPtr call, std::shared_ptr<ServedModel> model, TextRequest request)
      : call_(std::move(call)), model_(std::move(model)), request_(std::move(request)) {}

  std::shared_ptr<ReplyStream> Begin() override {
    if (request_.stream) stream_ = call_->Stream("text/event-stream");
    return stream_;
  }
  void Take(GenerationEvent event) override {
    if (!stream_) return;
    if (!event.thought.empty()) Write({{"reasoning", event.thought}});
    if (!event.text.empty()) Write({{"output", event.text}});
  }
  void Ping() override {
    if (stream_) stream_->Write(": ping\n\n");
  }
  void End(Served<GenerationOutcome> outcome) override {
    if (!outcome) {
      if (!stream_) return call_->Fail(outcome.error());
      Write(call_->endpoint.errors->body(outcome.error()));
      return stream_->Finish();
    }
    OrderedJson reply = ToJson(ReplyOf(*model_, request_, *outcome));
    if (!stream_) return call_->Send(reply);
    reply["done"] = true;
    Write(reply);
    stream_->Finish();
  }

 private:
  void Write(const OrderedJson& event) { stream_->Write(ServerEvent("", event)); }

  CallPtr call_;
  std::shared_ptr<ServedModel> model_;
  TextRequest request_;
  std::shared_ptr<ReplyStream> stream_;
};

void Handle(const CallPtr& call) {
  TextRequest request = TextRequestFromJson(call->body);
  auto model = call->service.models().Acquire(request.model);
  if (!model) return call->Fail(model.error());
  auto generation = GenerationOf(**model, request);
  if (!generation) return call->Fail(generation.error());
  Answer(call, *model, *std::move(generation),
         std::make_unique<GenerateFollower>(call, *model, std::move(request)));
}

}  // namespace

const Endpoint kGenerate = {.method = "POST",
                            .path = "/v1/generate",
                            .summary = "Answer a prompt",
                            .request = kRequest,
                            .reply = kReply,
                            .stream_type = "text/event-stream",
                            .handle = Handle};

}  // namespace ergo::serve
