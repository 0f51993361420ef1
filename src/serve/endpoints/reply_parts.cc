#include "serve/endpoints/reply_parts.h"

#include "reasoning/trace/recorder.h"

namespace ergo::serve {

std::string JsonText(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string ServerEvent(std::string_view name, const OrderedJson& data) {
  std::string text;
  if (!name.empty()) text.append("event: ").append(name).append("\n");
  return text + "data: " + JsonText(data) + "\n\n";
}

std::string JsonLine(const OrderedJson& json) { return JsonText(json) + "\n"; }

std::string NewReplyId(std::string_view prefix) {
  return std::string(prefix) + reasoning::NewTraceId();
}

void AddExtras(const GenerationOutcome& outcome, OrderedJson* reply) {
  const generate::Timings& timings = outcome.timings;
  (*reply)["timings"] = {{"queue_ms", timings.queue_ms},
                         {"prompt_ms", timings.prompt_ms},
                         {"first_token_ms", timings.first_token_ms},
                         {"decode_ms", timings.decode_ms},
                         {"prompt_tokens_per_second", timings.prompt_tokens_per_second},
                         {"decode_tokens_per_second", timings.decode_tokens_per_second}};
  if (!outcome.trace_id.empty()) (*reply)["trace_id"] = outcome.trace_id;
  if (!outcome.verdict.is_null()) (*reply)["verdict"] = outcome.verdict;
}

}  // namespace ergo::serve
