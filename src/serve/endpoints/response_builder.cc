#include "serve/endpoints/response_builder.h"

#include <utility>

#include "serve/endpoints/reply_parts.h"

namespace ergo::serve {

void ResponseBuilder::Tell(std::string_view type, OrderedJson fields) {
  if (!on_event_) return;
  OrderedJson event = {{"type", type}, {"sequence_number", number_++}};
  event.update(fields);
  on_event_(event);
}

void ResponseBuilder::Begin() {
  response_["status"] = "in_progress";
  Tell("response.created", {{"response", response_}});
  Tell("response.in_progress", {{"response", response_}});
}

/// Where the open item stands.
OrderedJson ResponseBuilder::Place() const {
  return {{"item_id", item_id_}, {"output_index", response_["output"].size()}};
}

OrderedJson ResponseBuilder::Part() const {
  if (open_ == Kind::kReasoning) return {{"type", "reasoning_text"}, {"text", text_}};
  return {{"type", "output_text"},
          {"text", text_},
          {"annotations", OrderedJson::array()},
          {"logprobs", OrderedJson::array()}};
}

void ResponseBuilder::AddItem(const OrderedJson& item) {
  Tell("response.output_item.added",
       {{"output_index", response_["output"].size()}, {"item", item}});
}

void ResponseBuilder::ItemDone(const OrderedJson& item) {
  Tell("response.output_item.done", {{"output_index", response_["output"].size()}, {"item", item}});
  response_["output"].push_back(item);
}

void ResponseBuilder::Open(Kind kind) {
  Close();
  open_ = kind;
  text_.clear();
  OrderedJson item;
  if (kind == Kind::kReasoning) {
    item_id_ = NewReplyId("rs_");
    item = {{"id", item_id_}, {"type", "reasoning"}, {"summary", OrderedJson::array()}};
  } else {
    item_id_ = NewReplyId("msg_");
    item = {{"id", item_id_}, {"type", "message"}, {"role", "assistant"}};
  }
  item["status"] = "in_progress";
  item["content"] = OrderedJson::array();
  AddItem(item);
  OrderedJson added = Place();
  added["content_index"] = 0;
  added["part"] = Part();
  Tell("response.content_part.added", std::move(added));
}

void ResponseBuilder::AddText(Kind kind, const std::string& text) {
  if (text.empty()) return;
  if (open_ != kind) Open(kind);
  text_ += text;
  OrderedJson delta = Place();
  delta["content_index"] = 0;
  delta["delta"] = text;
  if (kind == Kind::kReasoning) return Tell("response.reasoning_text.delta", std::move(delta));
  delta["logprobs"] = OrderedJson::array();
  Tell("response.output_text.delta", std::move(delta));
}

void ResponseBuilder::Close() {
  if (open_ == Kind::kNone) return;
  const bool reasoning = open_ == Kind::kReasoning;
  OrderedJson done = Place();
  done["content_index"] = 0;
  OrderedJson part_done = done;
  done["text"] = text_;
  if (!reasoning) done["logprobs"] = OrderedJson::array();
  Tell(reasoning ? "response.reasoning_text.done" : "response.output_text.done", std::move(done));
  part_done["part"] = Part();
  Tell("response.content_part.done", std::move(part_done));
  OrderedJson item = {{"id", item_id_}};
  if (reasoning) {
    item["type"] = "reasoning";
    item["summary"] = OrderedJson::array();
  } else {
    item["type"] = "message";
    item["role"] = "assistant";
  }
  item["status"] = "completed";
  item["content"] = OrderedJson::array({Part()});
  ItemDone(item);
  open_ = Kind::kNone;
}

void ResponseBuilder::Call(const ToolCall& call) {
  Close();
  item_id_ = NewReplyId("fc_");
  OrderedJson item = {{"id", item_id_},    {"type", "function_call"}, {"call_id", call.id},
                      {"name", call.name}, {"arguments", ""},         {"status", "in_progress"}};
  AddItem(item);
  OrderedJson delta = Place();
  OrderedJson done = delta;
  delta["delta"] = call.arguments;
  Tell("response.function_call_arguments.delta", std::move(delta));
  done["name"] = call.name;
  done["arguments"] = call.arguments;
  Tell("response.function_call_arguments.done", std::move(done));
  item["arguments"] = call.arguments;
  item["status"] = "completed";
  ItemDone(item);
}

void ResponseBuilder::End(const GenerationOutcome& outcome) {
  Close();
  const bool cut = outcome.choices.front().finish_reason == "length";
  response_["status"] = cut ? "incomplete" : "completed";
  if (cut) response_["incomplete_details"] = {{"reason", "max_output_tokens"}};
  const generate::Usage& usage = outcome.usage;
  response_["usage"] = {{"input_tokens", usage.prompt_tokens},
                        {"input_tokens_details", {{"cached_tokens", usage.cached_tokens}}},
                        {"output_tokens", usage.completion_tokens},
                        {"output_tokens_details", {{"reasoning_tokens", outcome.thought_tokens}}},
                        {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
  AddExtras(outcome, &response_);
  Tell(cut ? "response.incomplete" : "response.completed", {{"response", response_}});
}

void ResponseBuilder::Fail(const std::string& code, const std::string& message) {
  Close();
  response_["status"] = "failed";
  response_["error"] = {{"code", code.empty() ? "server_error" : code}, {"message", message}};
  Tell("response.failed", {{"response", response_}});
}

}  // namespace ergo::serve
