#include "serve/endpoints/reply_parts.h"

#include "reasoning/trace/recorder.h"
#include "serve/endpoints/openai_fields.h"

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
  (*reply)["timings"] = TimingsJson(outcome.timings);
  if (!outcome.trace_id.empty()) (*reply)["trace_id"] = outcome.trace_id;
  if (!outcome.verdict.is_null()) (*reply)["verdict"] = outcome.verdict;
}

}  // namespace ergo::serve
