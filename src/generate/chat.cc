#include "generate/chat.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ergo::generate {
namespace {

std::string_view Role(const OrderedJson& message) {
  const auto role = message.find("role");
  if (role == message.end() || !role->is_string()) return {};
  return role->get_ref<const std::string&>();
}

bool IsSystem(const OrderedJson& message) {
  const std::string_view role = Role(message);
  return role == "system" || role == "developer";
}

Status CheckMessage(const OrderedJson& message) {
  if (message.is_object() && !Role(message).empty()) return {};
  return Fail("a message is not an object with a role", "chat",
              R"(write {"role": "user", "content": "…"})");
}

}  // namespace

Chat::Chat(std::shared_ptr<LanguageModel> model, ChatOptions options)
    : model_(std::move(model)), options_(std::move(options)) {
  SetSystem(options_.system);
}

Result<std::unique_ptr<Chat>> Chat::Create(std::shared_ptr<LanguageModel> model,
                                           ChatOptions options) {
  if (!model->HasChatTemplate()) {
    return Fail("has no chat template, so it can't chat", model->files().path,
                "give it plain text to continue instead (ergo run --raw)");
  }
  return std::unique_ptr<Chat>(new Chat(std::move(model), std::move(options)));
}

Status Chat::Add(OrderedJson message) {
  if (auto valid = CheckMessage(message); !valid) return valid;
  messages_.push_back(std::move(message));
  return {};
}

Status Chat::SetMessages(OrderedJson messages) {
  if (!messages.is_array()) return Fail("the messages are not an array", "chat");
  for (const OrderedJson& message : messages) {
    if (auto valid = CheckMessage(message); !valid) return valid;
  }
  messages_ = std::move(messages);
  return {};
}

std::size_t Chat::SystemMessages() const {
  std::size_t count = 0;
  while (count < messages_.size() && IsSystem(messages_[count])) ++count;
  return count;
}

void Chat::SetSystem(const std::string& text) {
  messages_.erase(messages_.begin(),
                  messages_.begin() + static_cast<std::ptrdiff_t>(SystemMessages()));
  if (text.empty()) return;
  messages_.insert(messages_.begin(), OrderedJson({{"role", "system"}, {"content", text}}));
}

void Chat::Clear() {
  messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(SystemMessages()),
                  messages_.end());
}

std::optional<std::string> Chat::TakeBackTurn() {
  for (std::size_t i = messages_.size(); i-- > SystemMessages();) {
    if (Role(messages_[i]) != "user") continue;
    const auto content = messages_[i].find("content");
    std::string text;
    if (content != messages_[i].end() && content->is_string()) text = content->get<std::string>();
    messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(i), messages_.end());
    return text;
  }
  return std::nullopt;
}

bool Chat::DropOldestTurn() {
  const std::size_t first = SystemMessages();
  std::size_t next = first + 1;
  while (next < messages_.size() && Role(messages_[next]) != "user") ++next;
  if (next >= messages_.size()) return false;
  messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(first),
                  messages_.begin() + static_cast<std::ptrdiff_t>(next));
  return true;
}

Result<std::vector<TokenId>> Chat::Encode(const AnswerOptions& options, std::size_t* dropped) {
  const std::size_t context = model_->context();
  const std::size_t room = std::min(options.max_tokens.value_or(context), context / 4);
  while (true) {
    auto prompt = model_->EncodeChat({messages_, options_.tools, options_.variables, true});
    if (!prompt) return prompt;
    const std::size_t before = messages_.size();
    if (options_.policy == ContextPolicy::kDrop && prompt->size() + room > context &&
        DropOldestTurn()) {
      *dropped += before - messages_.size();
      continue;
    }
    if (prompt->size() <= context) return prompt;
    const bool may_help = options_.policy == ContextPolicy::kStop;
    return Fail(fmt::format("the context is full: the messages take {} of {} tokens",
                            prompt->size(), context),
                "chat",
                may_help ? "start anew, or let the oldest turns go (--context-policy drop)"
                         : "shorten the last message or choose a longer context");
  }
}

Result<ChatReply> Chat::Reply(const AnswerOptions& options, const OnText& on_text) {
  if (messages_.size() == SystemMessages()) {
    return Fail("there is no message to answer", "chat", "write one");
  }
  OrderedJson before = messages_;
  ChatReply reply;
  const auto answered = [&]() -> Status {
    const auto prompt = Encode(options, &reply.dropped_messages);
    if (!prompt) return tl::unexpected(prompt.error());
    auto answer = Answer(*model_, *prompt, options, on_text);
    if (!answer) return Fail(std::move(answer));
    // The last token was drawn and not computed.
    tokens_used_ = prompt->size() + std::max<std::size_t>(answer->tokens.size(), 1) - 1;
    reply.answer = std::move(*answer);
    return {};
  }();
  const bool nothing =
      answered && reply.answer.finish_reason == FinishReason::kCancel && reply.answer.text.empty();
  if (!answered || nothing) {
    messages_ = std::move(before);
    reply.dropped_messages = 0;
    if (!answered) return tl::unexpected(answered.error());
    return reply;
  }
  messages_.push_back({{"role", "assistant"}, {"content", reply.answer.text}});
  return reply;
}

Result<ChatReply> Chat::Send(std::string_view text, const AnswerOptions& options,
                             const OnText& on_text) {
  messages_.push_back({{"role", "user"}, {"content", std::string(text)}});
  const std::size_t asked = messages_.size();
  auto reply = Reply(options, on_text);
  const bool nothing = !reply || (reply->answer.finish_reason == FinishReason::kCancel &&
                                  reply->answer.text.empty());
  if (nothing) messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(asked - 1));
  return reply;
}

}  // namespace ergo::generate
