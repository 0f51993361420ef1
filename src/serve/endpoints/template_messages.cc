#include "serve/endpoints/template_messages.h"

#include <string_view>
#include <vector>

#include "generate/constrain/compile.h"
#include "generate/constrain/constraint.h"

namespace ergo::serve {
namespace {

bool IsPlain(const OrderedJson& message, std::string_view role) {
  return role != "tool" && message["role"] == role && !message.contains("tool_calls") &&
         message["content"].is_string();
}

}  // namespace

void TemplateMessages::AddText(const std::string& role, const std::string& text) {
  if (!messages_.empty() && IsPlain(messages_.back(), role)) {
    auto& before = messages_.back()["content"].get_ref<std::string&>();
    before += (before.empty() || text.empty() ? "" : "\n\n") + text;
    return;
  }
  messages_.push_back({{"role", role}, {"content", text}});
}

void TemplateMessages::AddTurn(Turn turn) {
  if (turn.calls.empty()) return AddText("assistant", turn.text);
  OrderedJson message = {{"role", "assistant"}, {"content", std::move(turn.text)}};
  if (!turn.thought.empty()) message["reasoning_content"] = std::move(turn.thought);
  message["tool_calls"] = std::move(turn.calls);
  messages_.push_back(std::move(message));
}

bool TemplateMessages::AddResult(const std::string& call_id, const std::string& text) {
  for (auto message = messages_.rbegin(); message != messages_.rend(); ++message) {
    const auto calls = message->find("tool_calls");
    if (calls == message->end()) continue;
    for (const OrderedJson& call : *calls) {
      if (call["id"] != call_id) continue;
      messages_.push_back({{"role", "tool"},
                           {"tool_call_id", call_id},
                           {"name", call["function"]["name"]},
                           {"content", text}});
      return true;
    }
  }
  return false;
}

void TemplateMessages::Append(const OrderedJson& messages) {
  for (const OrderedJson& message : messages) {
    const auto role = message["role"].get<std::string>();
    if (IsPlain(message, role)) {
      AddText(role, message["content"].get<std::string>());
    } else {
      messages_.push_back(message);
    }
  }
}

OrderedJson TemplateMessages::CallOf(const std::string& id, const std::string& name,
                                     OrderedJson arguments) {
  return {{"id", id},
          {"type", "function"},
          {"function", {{"name", name}, {"arguments", std::move(arguments)}}}};
}

OrderedJson TemplateTools(std::span<const Tool> tools) {
  if (tools.empty()) return nullptr;
  OrderedJson list = OrderedJson::array();
  for (const Tool& tool : tools) {
    list.push_back({{"type", "function"},
                    {"function",
                     {{"name", tool.name},
                      {"description", tool.description},
                      {"parameters", tool.parameters}}}});
  }
  return list;
}

Served<std::shared_ptr<const generate::constrain::Constraint>> JsonAnswers(
    const ServedModel& model, const OrderedJson& schema, const std::string& param) {
  namespace constrain = generate::constrain;
  auto grammar = schema.is_null() ? constrain::CompileAnyJsonObject()
                                  : constrain::CompileParsedJsonSchema(schema);
  if (!grammar) return Refuse(grammar.error(), param);
  auto table = model->token_table();
  if (!table) return Refuse(table.error(), param);
  auto constraint = constrain::Constraint::Create(*std::move(grammar), *std::move(table));
  if (!constraint) return Refuse(constraint.error(), param);
  return *std::move(constraint);
}

Served<void> SetPrefilled(const ServedModel& model, const generate::ChatInput& chat,
                          const std::string& beginning, GenerationRequest* request) {
  auto tokens = model->EncodeChat(chat);
  if (!tokens) return Refuse(tokens.error(), "messages");
  const auto more =
      model->tokenizer().Encode(beginning, {.add_special = false, .parse_special = false});
  tokens->insert(tokens->end(), more.begin(), more.end());
  request->prompt = *std::move(tokens);
  return {};
}

}  // namespace ergo::serve
