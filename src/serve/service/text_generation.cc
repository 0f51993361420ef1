#include "serve/service/text_generation.h"

#include <utility>

#include "serve/service/effort.h"
#include "serve/service/models.h"
#include "serve/service/sampling_fields.h"

namespace ergo::serve {
namespace {

template <typename T>
void Read(const OrderedJson& body, const char* name, T* value) {
  const auto found = body.find(name);
  if (found != body.end() && !found->is_null()) *value = found->get<T>();
}

template <typename T>
void Read(const OrderedJson& body, const char* name, std::optional<T>* value) {
  const auto found = body.find(name);
  if (found != body.end() && !found->is_null()) *value = found->get<T>();
}

}  // namespace

TextRequest TextRequestFromJson(const OrderedJson& body) {
  TextRequest request;
  Read(body, "model", &request.model);
  Read(body, "prompt", &request.prompt);
  Read(body, "max_tokens", &request.max_tokens);
  Read(body, "max_steps", &request.max_steps);
  Read(body, "temperature", &request.temperature);
  Read(body, "seed", &request.seed);
  Read(body, "effort", &request.effort);
  Read(body, "raw", &request.raw);
  Read(body, "stream", &request.stream);
  const auto experts = body.find("expert_selection");
  request.chooses_experts = experts != body.end() && !experts->is_null();
  return request;
}

OrderedJson ToJson(const TextReply& reply) {
  OrderedJson json = {
      {"output", reply.output}, {"model", reply.model}, {"finish_reason", reply.finish_reason}};
  if (reply.reasoned) {
    json["reasoning_chain"] = OrderedJson::array();
    for (const TextStep& step : reply.reasoning_chain) {
      OrderedJson entry = {{"text", step.text}, {"verdict", step.verdict}};
      if (!step.reason.empty()) entry["reason"] = step.reason;
      json["reasoning_chain"].push_back(std::move(entry));
    }
    json["trace_id"] = reply.trace_id;
    json["verified"] = reply.verified;
    json["confidence"] = reply.confidence ? OrderedJson(*reply.confidence) : OrderedJson(nullptr);
  }
  if (!reply.warnings.empty()) json["warnings"] = reply.warnings;
  json["usage"] = {
      {"prompt_tokens", reply.usage.prompt_tokens},
      {"completion_tokens", reply.usage.completion_tokens},
      {"total_tokens", reply.usage.prompt_tokens + reply.usage.completion_tokens},
      {"prompt_tokens_details", {{"cached_tokens", reply.usage.cached_tokens}}},
      {"completion_tokens_details", {{"reasoning_tokens", reply.usage.thought_tokens}}}};
  const generate::Timings& timings = reply.timings;
  json["timings"] = {{"queue_ms", timings.queue_ms},
                     {"prompt_ms", timings.prompt_ms},
                     {"first_token_ms", timings.first_token_ms},
                     {"decode_ms", timings.decode_ms},
                     {"prompt_tokens_per_second", timings.prompt_tokens_per_second},
                     {"decode_tokens_per_second", timings.decode_tokens_per_second}};
  return json;
}

Served<GenerationRequest> GenerationOf(const ServedModel& model, const TextRequest& request) {
  SamplingFields fields;
  fields.max_tokens = request.max_tokens;
  fields.temperature = request.temperature;
  fields.seed = request.seed;
  auto options = OptionsFor(*model.model, fields);
  if (!options) return tl::unexpected(options.error());
  OrderedJson effort = OrderedJson::object();
  if (!request.effort.empty()) effort["effort"] = request.effort;
  if (request.max_steps) effort["max_steps"] = *request.max_steps;
  auto how = ReadEffort(effort);
  if (!how) return tl::unexpected(how.error());
  GenerationRequest generation;
  generation.prompt = request.prompt;
  generation.raw = request.raw;
  generation.options = *std::move(options);
  generation.effort = *std::move(how);
  return generation;
}

TextReply ReplyOf(const ServedModel& model, const TextRequest& request,
                  const GenerationOutcome& outcome) {
  TextReply reply;
  reply.model = model.name;
  reply.output = outcome.choices.front().text;
  reply.finish_reason = outcome.choices.front().finish_reason;
  reply.reasoned = !outcome.trace_id.empty();
  reply.trace_id = outcome.trace_id;
  if (outcome.steps.is_array()) {
    for (const OrderedJson& step : outcome.steps) {
      reply.reasoning_chain.push_back(
          {step.value("text", ""), step.value("verdict", ""), step.value("reason", "")});
    }
  }
  if (outcome.verdict.is_object()) {
    Read(outcome.verdict, "verified", &reply.verified);
    Read(outcome.verdict, "confidence", &reply.confidence);
  }
  if (request.chooses_experts) {
    reply.warnings.push_back("expert_selection: " + model.name +
                             " has no experts to choose from; it was not used");
  }
  if (request.max_steps && !reply.reasoned) {
    reply.warnings.push_back("max_steps: without an effort there are no steps; it was not used");
  }
  reply.usage = outcome.usage;
  reply.timings = outcome.timings;
  return reply;
}

}  // namespace ergo::serve
