// A conversation as chat templates expect it, whatever the API that it came through.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/json.h"
#include "serve/service/failure.h"
#include "serve/service/generation.h"
#include "serve/service/models.h"
#include "serve/tool_calls/tool_call.h"

namespace ergo::serve {

/// Gathers messages. Turns of one role that follow each other become one where they are plain text:
/// many templates insist on turns.
class TemplateMessages {
 public:
  void AddText(const std::string& role, const std::string& text);
  /// What the assistant said, called and (kept only beside calls) thought before it.
  struct Turn {
    std::string text = {};
    std::string thought = {};
    OrderedJson calls = OrderedJson::array();  ///< of CallOf
  };
  void AddTurn(Turn turn);
  /// Of the call with this id, which must have come before. False: there is none.
  [[nodiscard]] bool AddResult(const std::string& call_id, const std::string& text);

  /// {"id", "type", "function": {"name", "arguments": object}}
  static OrderedJson CallOf(const std::string& id, const std::string& name, OrderedJson arguments);

  /// Messages that were taken from another such conversation.
  void Append(const OrderedJson& messages);

  bool empty() const { return messages_.empty(); }
  const OrderedJson& messages() const { return messages_; }
  OrderedJson Take() && { return std::move(messages_); }

 private:
  OrderedJson messages_ = OrderedJson::array();
};

/// [{"type": "function", "function": {…}}, …]; null for none.
OrderedJson TemplateTools(std::span<const Tool> tools);

/// What an answer must look like: JSON of `schema`, or with null any JSON object.
Served<std::shared_ptr<const generate::constrain::Constraint>> JsonAnswers(
    const ServedModel& model, const OrderedJson& schema, const std::string& param);

/// Sets the prompt to tokens: the chat, and behind it the beginning of the answer that the client
/// has written.
Served<void> SetPrefilled(const ServedModel& model, const generate::ChatInput& chat,
                          const std::string& beginning, GenerationRequest* request);

}  // namespace ergo::serve
