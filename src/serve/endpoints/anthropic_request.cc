#include "serve/endpoints/anthropic_request.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "serve/endpoints/template_messages.h"
#include "serve/service/effort.h"
#include "serve/service/sampling_fields.h"

namespace ergo::serve {
namespace {

tl::unexpected<Failure> RefuseBlock(const OrderedJson& block, const std::string& place) {
  const auto type = block.value("type", "");
  return Refuse(FailureKind::kInvalid,
                fmt::format("{}: blocks of type \"{}\" cannot be read here; send text", place,
                            type.substr(0, 40)),
                "unsupported_content", place);
}

/// Text, or blocks of it.
Served<std::string> TextOf(const OrderedJson& content, const std::string& place) {
  if (content.is_null()) return std::string();
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const OrderedJson& block = content[i];
    if (block.value("type", "") != "text")
      return RefuseBlock(block, fmt::format("{}[{}]", place, i));
    text += (text.empty() ? "" : "\n") + block.value("text", "");
  }
  return text;
}

tl::unexpected<Failure> Missing(const std::string& place, const char* field) {
  return Refuse(FailureKind::kInvalid, fmt::format("{}.{}: is required", place, field),
                "invalid_value", place + "." + field);
}

/// One message of the person: texts and results of tools, in their order.
Served<void> AddUser(const OrderedJson& content, const std::string& place,
                     TemplateMessages* messages) {
  if (content.is_string()) {
    messages->AddText("user", content.get<std::string>());
    return {};
  }
  std::string text;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const OrderedJson& block = content[i];
    const std::string at = fmt::format("{}[{}]", place, i);
    const std::string type = block.value("type", "");
    if (type == "text") {
      text += (text.empty() ? "" : "\n") + block.value("text", "");
    } else if (type == "tool_result") {
      const std::string id = block.value("tool_use_id", "");
      auto result = TextOf(block.value("content", OrderedJson()), at + ".content");
      if (!result) return tl::unexpected(std::move(result).error());
      if (block.value("is_error", false)) *result = "Error: " + *result;
      if (!messages->AddResult(id, *result)) {
        return Refuse(FailureKind::kInvalid,
                      at + ".tool_use_id: no tool_use block before it has this id", "invalid_value",
                      at + ".tool_use_id");
      }
    } else {
      return RefuseBlock(block, at);
    }
  }
  if (!text.empty()) messages->AddText("user", text);
  return {};
}

Served<TemplateMessages::Turn> ReadTurn(const OrderedJson& content, const std::string& place) {
  TemplateMessages::Turn turn;
  if (content.is_string()) {
    turn.text = content.get<std::string>();
    return turn;
  }
  for (std::size_t i = 0; i < content.size(); ++i) {
    const OrderedJson& block = content[i];
    const std::string at = fmt::format("{}[{}]", place, i);
    const std::string type = block.value("type", "");
    if (type == "text") {
      turn.text += block.value("text", "");
    } else if (type == "thinking") {
      turn.thought += block.value("thinking", "");
    } else if (type == "tool_use") {
      if (!block.contains("id")) return Missing(at, "id");
      if (!block.contains("name")) return Missing(at, "name");
      turn.calls.push_back(TemplateMessages::CallOf(block.value("id", ""), block.value("name", ""),
                                                    block.value("input", OrderedJson::object())));
    } else if (type != "redacted_thinking") {
      return RefuseBlock(block, at);
    }
  }
  return turn;
}

struct Conversation {
  TemplateMessages messages;
  std::string beginning;  ///< of the answer, which the client has written
};

Served<Conversation> ReadConversation(const OrderedJson& body) {
  Conversation conversation;
  const auto system = TextOf(body.value("system", OrderedJson()), "system");
  if (!system) return tl::unexpected(system.error());
  if (!system->empty()) conversation.messages.AddText("system", *system);
  const OrderedJson& messages = body["messages"];
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string place = fmt::format("messages[{}].content", i);
    const OrderedJson& content = messages[i]["content"];
    if (messages[i]["role"] == "user") {
      if (auto added = AddUser(content, place, &conversation.messages); !added) {
        return tl::unexpected(added.error());
      }
      continue;
    }
    auto turn = ReadTurn(content, place);
    if (!turn) return tl::unexpected(turn.error());
    const bool last = i + 1 == messages.size();
    if (last && turn->calls.empty()) {
      conversation.beginning = turn->text;
    } else {
      conversation.messages.AddTurn(*std::move(turn));
    }
  }
  return conversation;
}

Served<std::optional<ToolUse>> ReadTools(const OrderedJson& body) {
  const auto tools = body.find("tools");
  if (tools == body.end() || tools->empty()) return std::nullopt;
  ToolUse use;
  for (std::size_t i = 0; i < tools->size(); ++i) {
    const OrderedJson& tool = (*tools)[i];
    const std::string type = tool.value("type", "custom");
    if (type != "custom") {
      return Refuse(FailureKind::kInvalid,
                    fmt::format("tools[{}].type: only tools that the client runs (\"custom\") are "
                                "supported",
                                i),
                    "unsupported_value", fmt::format("tools[{}].type", i));
    }
    use.tools.push_back({tool["name"], tool.value("description", ""),
                         tool.value("input_schema", OrderedJson::object())});
  }
  const OrderedJson choice = body.value("tool_choice", OrderedJson::object());
  const std::string type = choice.value("type", "auto");
  if (type == "none") use.choice = ToolChoice::kNone;
  if (type == "any") use.choice = ToolChoice::kRequired;
  if (type == "tool") {
    use.choice = ToolChoice::kNamed;
    use.name = choice.value("name", "");
  }
  use.parallel = !choice.value("disable_parallel_tool_use", false);
  return use;
}

Served<generate::AnswerOptions> ReadOptions(const ServedModel& model, const OrderedJson& body,
                                            const ThinkWish& think) {
  SamplingFields fields;
  if (body.contains("max_tokens")) fields.max_tokens = body["max_tokens"].get<std::int64_t>();
  if (body.contains("temperature")) fields.temperature = body["temperature"].get<double>();
  if (body.contains("top_p")) fields.top_p = body["top_p"].get<double>();
  if (body.contains("top_k")) fields.top_k = body["top_k"].get<std::int64_t>();
  if (body.contains("seed")) fields.seed = body["seed"].get<std::int64_t>();
  for (const OrderedJson& stop : body.value("stop_sequences", OrderedJson::array())) {
    fields.stop.push_back(stop);
  }
  fields.think_budget = think.budget;
  auto options = OptionsFor(*model.model, fields);
  if (!options) return options;
  const OrderedJson output = body.value("output_config", OrderedJson::object());
  const auto format = output.find("format");
  if (format != output.end() && format->is_object()) {
    auto constraint = JsonAnswers(model, format->value("schema", OrderedJson::object()),
                                  "output_config.format.schema");
    if (!constraint) return tl::unexpected(constraint.error());
    options->constraint = *std::move(constraint);
  }
  return options;
}

/// `effort`, or the API's own place for it.
Served<Effort> ReadMessagesEffort(const OrderedJson& body) {
  const OrderedJson output = body.value("output_config", OrderedJson::object());
  const auto effort = output.find("effort");
  if (body.contains("effort") || effort == output.end() || effort->is_null()) {
    return ReadEffort(body);
  }
  OrderedJson with = body;
  with["effort"] = *effort;
  return ReadEffort(with);
}

}  // namespace

Served<GenerationRequest> ReadMessages(const ServedModel& model, const OrderedJson& body) {
  auto conversation = ReadConversation(body);
  if (!conversation) return tl::unexpected(conversation.error());
  auto tools = ReadTools(body);
  if (!tools) return tl::unexpected(tools.error());
  auto effort = ReadMessagesEffort(body);
  if (!effort) return tl::unexpected(effort.error());
  const ThinkWish think = ReadThinkWish(body);
  auto options = ReadOptions(model, body, think);
  if (!options) return tl::unexpected(options.error());

  GenerationRequest request;
  request.options = *std::move(options);
  request.effort = *std::move(effort);
  request.tools = *std::move(tools);
  generate::ChatInput chat;
  chat.messages = std::move(conversation->messages).Take();
  const bool offered = request.tools && request.tools->choice != ToolChoice::kNone;
  if (offered) chat.tools = TemplateTools(request.tools->tools);
  // The API thinks only where it is asked to.
  chat.variables = {{"enable_thinking", think.enabled.value_or(false)}};
  if (conversation->beginning.empty()) {
    request.prompt = std::move(chat);
    return request;
  }
  if (request.effort.reasons()) {
    return Refuse(FailureKind::kInvalid,
                  "messages: with an effort the last message must be the user's", "invalid_value",
                  "messages");
  }
  if (auto set = SetPrefilled(model, chat, conversation->beginning, &request); !set) {
    return tl::unexpected(set.error());
  }
  return request;
}

}  // namespace ergo::serve
