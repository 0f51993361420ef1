// A conversation that computes only what each turn adds.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "generate/language_model.h"
#include "generate/session.h"

namespace ergo::generate {

/// What to do when the messages don't leave enough of the context for an answer.
enum class ContextPolicy {
  kStop,  ///< refuse
  kDrop,  ///< forget the oldest turns, but no system message
};

struct ChatOptions {
  std::string system = {};  ///< first message; empty: none of ours, the template may have its own
  OrderedJson tools = nullptr;      ///< as in ChatInput
  OrderedJson variables = nullptr;  ///< as in ChatInput
  ContextPolicy policy = ContextPolicy::kStop;
};

struct ChatReply {
  GenerateResult answer;
  std::size_t dropped_messages = 0;  ///< forgotten to make room
};

/// What the engine's cache of prefixes holds of earlier turns is not computed again. One caller at
/// a time.
class Chat {
 public:
  /// Error: the model has no chat template.
  static Result<std::unique_ptr<Chat>> Create(std::shared_ptr<LanguageModel> model,
                                              ChatOptions options = {});
  Chat(const Chat&) = delete;
  Chat& operator=(const Chat&) = delete;

  /// Adds the person's message and answers. On an error, and if the answer is cancelled before its
  /// first character, the messages are as before. With kDrop, the oldest turns go until a quarter
  /// of the context (or max_tokens, if less) is left for the answer. An answer that fills the
  /// context ends there under both policies; GenerateResult::context_full says so.
  Result<ChatReply> Send(std::string_view text, const AnswerOptions& options,
                         const OnText& on_text = {});

  /// Answers the messages as they are: after a tool's result, or another answer to the last
  /// question. Error: there are none.
  Result<ChatReply> Reply(const AnswerOptions& options, const OnText& on_text = {});

  /// The conversation, with its system message: [{"role": …, "content": …}, …].
  const OrderedJson& messages() const { return messages_; }
  /// Adds a message. Error: not an object with a role.
  Status Add(OrderedJson message);
  /// Puts another conversation in place. Error: not an array of objects with roles.
  Status SetMessages(OrderedJson messages);
  /// Replaces the system message; empty removes it.
  void SetSystem(const std::string& text);
  /// Forgets all but the system messages.
  void Clear();
  /// Takes the last message of the person back, with what came after it; gives its text, if there
  /// was one.
  std::optional<std::string> TakeBackTurn();

  void set_policy(ContextPolicy policy) { options_.policy = policy; }
  /// Tokens of the context that the conversation took after the last answer.
  std::size_t tokens_used() const { return tokens_used_; }
  LanguageModel& model() { return *model_; }

 private:
  Chat(std::shared_ptr<LanguageModel> model, ChatOptions options);
  std::size_t SystemMessages() const;
  bool DropOldestTurn();
  /// Tokens of the messages, after dropping what the policy lets drop.
  Result<std::vector<TokenId>> Encode(const AnswerOptions& options, std::size_t* dropped);

  std::shared_ptr<LanguageModel> model_;
  ChatOptions options_;
  OrderedJson messages_ = OrderedJson::array();
  std::size_t tokens_used_ = 0;
};

}  // namespace ergo::generate
