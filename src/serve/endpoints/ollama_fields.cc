#include "serve/endpoints/ollama_fields.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <utility>

#include "serve/endpoints/openai_fields.h"
#include "serve/endpoints/reply_parts.h"
#include "serve/endpoints/template_messages.h"
#include "serve/service/effort.h"
#include "serve/service/sampling_fields.h"

namespace ergo::serve {
namespace {

using Clock = std::chrono::steady_clock;

std::int64_t Nanoseconds(double milliseconds) {
  return static_cast<std::int64_t>(milliseconds * 1e6);
}

class OllamaFollower final : public Follower {
 public:
  OllamaFollower(CallPtr call, std::string model, PutOllama put)
      : call_(std::move(call)), model_(std::move(model)), put_(put) {}

  std::shared_ptr<ReplyStream> Begin() override {
    if (Field(call_->body, "stream", true)) stream_ = call_->Stream("application/x-ndjson");
    return stream_;
  }

  void Take(GenerationEvent event) override {
    if (!stream_) return;
    if (event.thought.empty() && event.text.empty() && event.calls.empty()) return;
    OrderedJson line = OllamaHead(model_);
    put_(event, &line);
    line["done"] = false;
    stream_->Write(JsonLine(line));
  }

  void End(Served<GenerationOutcome> outcome) override {
    if (!outcome) {
      if (!stream_) return call_->Fail(outcome.error());
      stream_->Write(JsonLine(call_->endpoint.errors->body(outcome.error())));
      return stream_->Finish();
    }
    GenerationEvent whole;
    if (!stream_) {
      const GenerationChoice& choice = outcome->choices.front();
      whole.thought = choice.thought;
      whole.text = choice.text;
      whole.calls = choice.calls;
    }
    OrderedJson last = OllamaHead(model_);
    put_(whole, &last);
    AddOllamaEnd(*outcome, Clock::now() - began_, &last);
    if (!stream_) return call_->Send(last);
    stream_->Write(JsonLine(last));
    stream_->Finish();
  }

 private:
  CallPtr call_;
  std::string model_;
  PutOllama put_;
  Clock::time_point began_ = Clock::now();
  std::shared_ptr<ReplyStream> stream_;
};

SamplingFields ReadOptions(const OrderedJson& options) {
  // The names that differ; the others are those of OpenAI's servers.
  OrderedJson body = options;
  const std::pair<const char*, const char*> names[] = {{"num_predict", "max_tokens"},
                                                       {"repeat_penalty", "repetition_penalty"}};
  for (const auto& [theirs, ours] : names) {
    const auto found = options.find(theirs);
    if (found != options.end()) body[ours] = *found;
  }
  SamplingFields fields = ReadSampling(body);
  // -1 and -2: until the context is full.
  if (fields.max_tokens && *fields.max_tokens < 0) fields.max_tokens.reset();
  return fields;
}

}  // namespace

Served<std::shared_ptr<ServedModel>> OllamaModel(Service& service, const std::string& name) {
  constexpr std::string_view kTag = ":latest";
  auto model = service.models().Acquire(name);
  if (model || !name.ends_with(kTag)) return model;
  return service.models().Acquire(name.substr(0, name.size() - kTag.size()));
}

Served<GenerationRequest> ReadOllama(const ServedModel& model, const OrderedJson& body) {
  auto options =
      OptionsFor(*model.model, ReadOptions(Field(body, "options", OrderedJson::object())));
  if (!options) return tl::unexpected(options.error());
  const OrderedJson format = Field(body, "format", OrderedJson(""));
  if (format.is_object() || format == "json") {
    auto constraint =
        JsonAnswers(model, format.is_object() ? format : OrderedJson(nullptr), "format");
    if (!constraint) return tl::unexpected(constraint.error());
    options->constraint = *std::move(constraint);
  }
  auto effort = ReadEffort(body);
  if (!effort) return tl::unexpected(effort.error());
  GenerationRequest request;
  request.options = *std::move(options);
  request.effort = *std::move(effort);
  return request;
}

OrderedJson OllamaVariables(const OrderedJson& body) {
  const auto think = body.find("think");
  if (think == body.end() || think->is_null()) return nullptr;
  return {{"enable_thinking", think->is_boolean() ? think->get<bool>() : true}};
}

std::string OllamaTime() {
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (now - seconds).count());
}

OrderedJson OllamaHead(std::string_view model) {
  return {{"model", model}, {"created_at", OllamaTime()}};
}

void AddOllamaEnd(const GenerationOutcome& outcome, std::chrono::nanoseconds total,
                  OrderedJson* reply) {
  OrderedJson& json = *reply;
  json["done"] = true;
  const std::string_view reason = outcome.choices.front().finish_reason;
  json["done_reason"] = reason == "length" ? "length" : "stop";
  json["total_duration"] = total.count();
  json["load_duration"] = 0;
  json["prompt_eval_count"] = outcome.usage.prompt_tokens;
  json["prompt_eval_duration"] = Nanoseconds(outcome.timings.prompt_ms);
  json["eval_count"] = outcome.usage.completion_tokens;
  json["eval_duration"] = Nanoseconds(outcome.timings.decode_ms);
  if (!outcome.trace_id.empty()) json["trace_id"] = outcome.trace_id;
  if (!outcome.verdict.is_null()) json["verdict"] = outcome.verdict;
}

OrderedJson OllamaDetails(const ServedModel& model) {
  const formats::ModelFiles& files = model->files();
  const bool gguf = files.kind == formats::ModelFiles::Kind::kGguf;
  std::uint64_t parameters = 0;
  for (const auto& tensor : files.tensors) {
    parameters += static_cast<std::uint64_t>(tensor.elements());
  }
  const std::string& family = model->model().config().architecture;
  const double millions = static_cast<double>(parameters) / 1e6;
  OrderedJson details = {{"parent_model", ""}, {"format", gguf ? "gguf" : "safetensors"}};
  details["family"] = family;
  details["families"] = OrderedJson::array({family});
  details["parameter_size"] = millions >= 1000.0 ? fmt::format("{:.1f}B", millions / 1000)
                                                 : fmt::format("{:.2f}M", millions);
  details["quantization_level"] = "";
  return details;
}

std::unique_ptr<Follower> FollowOllama(CallPtr call, std::string model, PutOllama put) {
  return std::make_unique<OllamaFollower>(std::move(call), std::move(model), put);
}

}  // namespace ergo::serve
