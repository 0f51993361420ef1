#include "serve/endpoints/sampling_body.h"

#include <charconv>
#include <string>

namespace ergo::serve {
namespace {

/// Ids are names of members: what is no number is passed on as an id that no model has.
std::int32_t TokenOf(const std::string& name) {
  std::int32_t id = -1;
  const char* end = name.data() + name.size();
  const auto [read, error] = std::from_chars(name.data(), end, id);
  return error == std::errc() && read == end ? id : -1;
}

}  // namespace

SamplingFields ReadSamplingBody(const OrderedJson& body) {
  SamplingFields fields;
  ReadField(body, "max_tokens", &fields.max_tokens);
  ReadField(body, "temperature", &fields.temperature);
  ReadField(body, "top_p", &fields.top_p);
  ReadField(body, "top_k", &fields.top_k);
  ReadField(body, "min_p", &fields.min_p);
  ReadField(body, "typical_p", &fields.typical_p);
  ReadField(body, "repetition_penalty", &fields.repetition_penalty);
  ReadField(body, "frequency_penalty", &fields.frequency_penalty);
  ReadField(body, "presence_penalty", &fields.presence_penalty);
  ReadField(body, "seed", &fields.seed);
  std::optional<bool> ignore_end;
  ReadField(body, "ignore_eos", &ignore_end);
  fields.ignore_end = ignore_end.value_or(false);
  const auto stop = body.find("stop");
  if (stop != body.end() && stop->is_string()) fields.stop.push_back(*stop);
  if (stop != body.end() && stop->is_array()) {
    for (const OrderedJson& text : *stop) fields.stop.push_back(text);
  }
  const auto bias = body.find("logit_bias");
  if (bias != body.end() && bias->is_object()) {
    for (const auto& [name, value] : bias->items()) {
      fields.logit_bias.emplace_back(TokenOf(name), value.get<float>());
    }
  }
  return fields;
}

}  // namespace ergo::serve
