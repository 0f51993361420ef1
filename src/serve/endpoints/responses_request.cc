#include "serve/endpoints/responses_request.h"

#include <fmt/format.h>

#include <utility>

#include "base/utf8.h"
#include "serve/endpoints/openai_fields.h"
#include "serve/endpoints/template_messages.h"
#include "serve/service/effort.h"
#include "serve/service/sampling_fields.h"

namespace ergo::serve {
namespace {

tl::unexpected<Failure> RefuseItem(const std::string& place, const std::string& type) {
  return Refuse(FailureKind::kInvalid,
                fmt::format("{}: {} cannot be read here; send text", place, QuoteForMessage(type)),
                "unsupported_content", place);
}

/// Text, or parts of it.
Served<std::string> TextOf(const OrderedJson& content, const std::string& place) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (!content.is_array()) return text;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const std::string type = content[i].value("type", "");
    if (type != "input_text" && type != "output_text" && type != "text" &&
        type != "reasoning_text" && type != "summary_text") {
      return RefuseItem(fmt::format("{}[{}]", place, i), type);
    }
    text += content[i].value("text", "");
  }
  return text;
}

/// Makes messages of items: what the assistant said, thought and called in a row is one turn.
class ItemReader {
 public:
  explicit ItemReader(TemplateMessages* messages) : messages_(messages) {}

  Served<void> Read(const OrderedJson& item, const std::string& place) {
    const std::string type = item.value("type", "message");
    if (type == "message") return ReadMessage(item, place);
    if (type == "function_call") {
      auto arguments = ParseOrderedJson(Field<std::string>(item, "arguments", "{}"), place);
      turn_.calls.push_back(TemplateMessages::CallOf(
          Field<std::string>(item, "call_id", {}), Field<std::string>(item, "name", {}),
          arguments ? *std::move(arguments) : OrderedJson::object()));
      return {};
    }
    if (type == "reasoning") {
      const auto content = item.find("content");
      const auto text =
          TextOf(content == item.end() ? OrderedJson() : *content, place + ".content");
      if (!text) return tl::unexpected(text.error());
      turn_.thought += *text;
      return {};
    }
    if (type != "function_call_output") return RefuseItem(place, type);
    Flush();
    const auto output = TextOf(item.value("output", OrderedJson()), place + ".output");
    if (!output) return tl::unexpected(output.error());
    if (messages_->AddResult(Field<std::string>(item, "call_id", {}), *output)) return {};
    return Refuse(FailureKind::kInvalid, place + ".call_id: no function_call before it has this id",
                  "invalid_value", place + ".call_id");
  }

  void Flush() {
    if (!turn_.text.empty() || !turn_.calls.empty()) messages_->AddTurn(std::move(turn_));
    turn_ = {};
  }

 private:
  Served<void> ReadMessage(const OrderedJson& item, const std::string& place) {
    const auto text = TextOf(item.value("content", OrderedJson()), place + ".content");
    if (!text) return tl::unexpected(text.error());
    const std::string role = item.value("role", "user");
    if (role == "assistant") {
      if (!turn_.calls.empty()) Flush();
      turn_.text += *text;
      return {};
    }
    Flush();
    messages_->AddText(role == "developer" ? "system" : role, *text);
    return {};
  }

  TemplateMessages* messages_;
  TemplateMessages::Turn turn_;
};

/// In this API tools are flat; their other fields are those of chat completions.
Served<std::optional<ToolUse>> ReadFlatTools(const OrderedJson& body) {
  OrderedJson chat = OrderedJson::object();
  const auto tools = body.find("tools");
  if (tools != body.end() && tools->is_array()) {
    chat["tools"] = OrderedJson::array();
    for (std::size_t i = 0; i < tools->size(); ++i) {
      const OrderedJson& tool = (*tools)[i];
      if (tool["type"] != "function") {
        return Refuse(FailureKind::kInvalid,
                      fmt::format("tools[{}].type: only functions, which the client runs, are "
                                  "supported",
                                  i),
                      "unsupported_value", fmt::format("tools[{}].type", i));
      }
      if (!tool.contains("name")) {
        return Refuse(FailureKind::kInvalid, fmt::format("tools[{}].name: is required", i),
                      "invalid_value", fmt::format("tools[{}].name", i));
      }
      chat["tools"].push_back({{"type", "function"}, {"function", tool}});
    }
  }
  const auto choice = body.find("tool_choice");
  if (choice != body.end() && choice->is_object()) {
    chat["tool_choice"] = {{"type", "function"},
                           {"function", {{"name", choice->value("name", "")}}}};
  } else if (choice != body.end()) {
    chat["tool_choice"] = *choice;
  }
  if (body.contains("parallel_tool_calls")) {
    chat["parallel_tool_calls"] = body["parallel_tool_calls"];
  }
  return ReadTools(chat);
}

Served<generate::AnswerOptions> ReadAnswerOptions(const ServedModel& model,
                                                  const OrderedJson& body) {
  SamplingFields fields = ReadSampling(body);
  const auto most = body.find("max_output_tokens");
  if (most != body.end() && !most->is_null()) fields.max_tokens = most->get<std::int64_t>();
  auto options = OptionsFor(*model.model, fields);
  if (!options) return options;
  const OrderedJson text = Field(body, "text", OrderedJson::object());
  const OrderedJson format = Field(text, "format", OrderedJson::object());
  const std::string type = format.value("type", "text");
  if (type == "text") return options;
  const OrderedJson schema =
      type == "json_schema" ? format.value("schema", OrderedJson::object()) : OrderedJson();
  auto constraint = JsonAnswers(model, schema, "text.format");
  if (!constraint) return tl::unexpected(constraint.error());
  options->constraint = *std::move(constraint);
  return options;
}

}  // namespace

Served<ResponsesRequest> ReadResponses(const ServedModel& model, const OrderedJson& body,
                                       const OrderedJson& before) {
  ResponsesRequest request;
  const OrderedJson& input = body["input"];
  if (input.is_string()) {
    request.input.push_back({{"type", "message"}, {"role", "user"}, {"content", input}});
  } else {
    request.input = input;
  }
  TemplateMessages messages;
  messages.Append(before);
  ItemReader reader(&messages);
  for (std::size_t i = 0; i < request.input.size(); ++i) {
    auto read = reader.Read(request.input[i], fmt::format("input[{}]", i));
    if (!read) return tl::unexpected(read.error());
  }
  reader.Flush();
  request.conversation = std::move(messages).Take();

  TemplateMessages whole;
  const std::string instructions = Field<std::string>(body, "instructions", {});
  if (!instructions.empty()) whole.AddText("system", instructions);
  whole.Append(request.conversation);
  generate::ChatInput chat;
  chat.messages = std::move(whole).Take();
  const ThinkWish think = ReadThinkWish(body);
  if (think.enabled) chat.variables = {{"enable_thinking", *think.enabled}};
  request.generation.prompt = std::move(chat);

  auto tools = ReadFlatTools(body);
  if (!tools) return tl::unexpected(tools.error());
  request.generation.tools = *std::move(tools);
  auto options = ReadAnswerOptions(model, body);
  if (!options) return tl::unexpected(options.error());
  request.generation.options = *std::move(options);
  auto effort = ReadEffort(body);
  if (!effort) return tl::unexpected(effort.error());
  request.generation.effort = *std::move(effort);
  return request;
}

}  // namespace ergo::serve
