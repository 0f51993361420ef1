#include "generate/chat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generate/testing/tiny_model.h"

namespace ergo::generate {
namespace {

using ::testing::HasSubstr;

class ChatTest : public ::testing::Test {
 protected:
  void SetUp() override { Start(256, {}); }

  void Start(std::size_t context, ChatOptions options) {
    chat_.reset();
    model_ = testing::LoadTiny(folder_, context);
    ASSERT_TRUE(model_);
    auto chat = Chat::Create(model_, std::move(options));
    ASSERT_TRUE(chat) << chat.error().Message();
    chat_ = std::move(*chat);
    testing::AllowOnly(*model_, "abcdefgh", &letters_.sampling);
    letters_.max_tokens = 8;
  }

  ChatReply Send(const std::string& text) {
    auto reply = chat_->Send(text, letters_);
    EXPECT_TRUE(reply) << reply.error().Message();
    return reply ? std::move(*reply) : ChatReply{};
  }

  /// The answer of a model that computes the whole conversation anew.
  std::string Fresh(const OrderedJson& messages) {
    const auto other = testing::LoadTiny(folder_, model_->context());
    GenerateRequest request;
    request.prompt = ChatInput{messages, {}, {}, true};
    request.options = letters_;
    auto result = Generate(*other, request);
    EXPECT_TRUE(result) << result.error().Message();
    return result ? result->text : "";
  }

  OrderedJson Messages() const { return chat_->messages(); }
  /// The conversation before its last answer.
  OrderedJson Question() const {
    OrderedJson messages = chat_->messages();
    messages.erase(messages.size() - 1);
    return messages;
  }

  testing::TinyFolder folder_;
  std::shared_ptr<LanguageModel> model_;
  std::unique_ptr<Chat> chat_;
  AnswerOptions letters_;
};

TEST_F(ChatTest, KeepsTheMessages) {
  const std::string first = Send("Hi").answer.text;
  const std::string second = Send("And?").answer.text;
  EXPECT_EQ(Messages(), OrderedJson::array({{{"role", "user"}, {"content", "Hi"}},
                                            {{"role", "assistant"}, {"content", first}},
                                            {{"role", "user"}, {"content", "And?"}},
                                            {{"role", "assistant"}, {"content", second}}}));
  EXPECT_EQ(first.size(), 8U);
}

TEST_F(ChatTest, ComputesOnlyWhatIsNew) {
  const ChatReply first = Send("A first question");
  EXPECT_EQ(first.answer.usage.cached_tokens, 0U);
  EXPECT_EQ(first.answer.text, Fresh(Question()));
  const std::size_t held = chat_->tokens_used();
  EXPECT_EQ(held, first.answer.usage.prompt_tokens + 7);  // the last token isn't in the cache

  const ChatReply second = Send("A second question");
  EXPECT_EQ(second.answer.usage.cached_tokens, held);
  EXPECT_EQ(second.answer.text, Fresh(Question()));

  // Another answer to the same: all but one token is there.
  const OrderedJson question = Question();
  ASSERT_TRUE(chat_->SetMessages(question));
  const auto again = chat_->Reply(letters_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->answer.usage.cached_tokens, again->answer.usage.prompt_tokens - 1);
  EXPECT_EQ(again->answer.text, second.answer.text);
}

TEST_F(ChatTest, ComputesAgainFromTheFirstChange) {
  Send("A first question");
  Send("A second question");
  OrderedJson changed = Messages();
  changed[1]["content"] = std::string(changed[1]["content"]).substr(0, 3) + "zzz";
  changed.erase(3);
  ASSERT_TRUE(chat_->SetMessages(changed));
  const auto reply = chat_->Reply(letters_);
  ASSERT_TRUE(reply);
  const std::string same = "<|im_start|>user\nA first question<|im_end|>\n<|im_start|>assistant\n";
  const auto kept = model_->tokenizer().Encode(same, {.add_special = false}).size() + 3;
  EXPECT_EQ(reply->answer.usage.cached_tokens, kept);
  EXPECT_EQ(reply->answer.text, Fresh(changed));
}

TEST_F(ChatTest, SystemMessage) {
  Start(256, {.system = "Be brief"});
  Send("Hi");
  EXPECT_EQ(Messages()[0], (OrderedJson{{"role", "system"}, {"content", "Be brief"}}));
  chat_->SetSystem("Be kind");
  EXPECT_EQ(Messages().size(), 3U);
  EXPECT_EQ(Messages()[0]["content"], "Be kind");
  chat_->Clear();
  EXPECT_EQ(Messages().size(), 1U);
  chat_->SetSystem("");
  EXPECT_TRUE(Messages().empty());
  EXPECT_FALSE(chat_->Reply(letters_));
}

TEST_F(ChatTest, TakesTurnsBack) {
  Send("One");
  Send("Two");
  EXPECT_EQ(chat_->TakeBackTurn(), "Two");
  EXPECT_EQ(Messages().size(), 2U);
  EXPECT_EQ(chat_->TakeBackTurn(), "One");
  EXPECT_EQ(chat_->TakeBackTurn(), std::nullopt);
  EXPECT_TRUE(Messages().empty());
  EXPECT_FALSE(chat_->Add(OrderedJson("text")));
  EXPECT_FALSE(chat_->SetMessages(OrderedJson::object()));
}

TEST_F(ChatTest, CancelKeepsWhatWasSaid) {
  std::size_t parts = 0;
  auto reply = chat_->Send("Hi", letters_, [&](std::string_view) { return ++parts < 3; });
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->answer.finish_reason, FinishReason::kCancel);
  EXPECT_EQ(Messages()[1]["content"], reply->answer.text);
  EXPECT_EQ(reply->answer.text.size(), 3U);

  AnswerOptions never = letters_;
  never.cancelled = [] { return true; };
  reply = chat_->Send("More", never);
  ASSERT_TRUE(reply);
  EXPECT_EQ(Messages().size(), 2U);  // as before
  Send("More");
  EXPECT_EQ(Messages()[3]["content"], Fresh(Question()));
}

TEST_F(ChatTest, StopsWhenTheContextIsFull) {
  Start(96, {.system = "S"});
  std::string refusal;
  std::size_t turns = 0;
  for (; turns < 20 && refusal.empty(); ++turns) {
    auto reply = chat_->Send("A question", letters_);
    if (!reply) refusal = reply.error().Message();
  }
  EXPECT_GT(turns, 1U);
  EXPECT_THAT(refusal, HasSubstr("context is full"));
  EXPECT_THAT(refusal, HasSubstr("--context-policy drop"));
  EXPECT_EQ(Messages().back()["role"], "assistant");  // the refused question is gone

  chat_->set_policy(ContextPolicy::kDrop);
  const ChatReply reply = Send("A question");
  EXPECT_GT(reply.dropped_messages, 0U);
  EXPECT_EQ(Messages()[0]["role"], "system");
}

TEST_F(ChatTest, DropsTheOldestTurns) {
  Start(96, {.system = "S", .policy = ContextPolicy::kDrop});
  std::size_t dropped = 0;
  for (int turn = 0; turn < 8; ++turn) {
    const std::string question = "Question " + std::to_string(turn);
    const ChatReply reply = Send(question);
    dropped += reply.dropped_messages;
    EXPECT_EQ(reply.answer.tokens.size(), 8U);  // there was room for the answer
    EXPECT_EQ(reply.answer.text, Fresh(Question()));
    EXPECT_EQ(Messages()[0]["content"], "S");
    EXPECT_EQ(Messages()[1]["role"], "user");
    EXPECT_EQ(Messages().size() + dropped, 1U + 2U * (static_cast<std::size_t>(turn) + 1));
  }
  EXPECT_GT(dropped, 0U);
  EXPECT_EQ(dropped % 2, 0U);

  const OrderedJson before = Messages();
  const auto reply = chat_->Send(std::string(200, 'x'), letters_);
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().Message(), HasSubstr("shorten the last message"));
  EXPECT_EQ(Messages(), before);
}

TEST_F(ChatTest, SaysWhenAnAnswerFillsTheContext) {
  Start(96, {});
  letters_.max_tokens.reset();
  const ChatReply reply = Send("Hi");
  EXPECT_TRUE(reply.answer.context_full);
  EXPECT_EQ(reply.answer.finish_reason, FinishReason::kLength);
  EXPECT_EQ(chat_->tokens_used(), 96U);
}

TEST_F(ChatTest, NeedsATemplate) {
  folder_.Remove("chat_template.jinja");
  const auto model = testing::LoadTiny(folder_);
  ASSERT_TRUE(model);
  const auto chat = Chat::Create(model);
  ASSERT_FALSE(chat);
  EXPECT_THAT(chat.error().Message(), HasSubstr("no chat template"));
}

TEST_F(ChatTest, ComputesOnlyWhatATurnAdds) {
  const ChatReply first = Send("Hi");
  EXPECT_EQ(first.answer.usage.cached_tokens, 0U);
  const std::size_t used = chat_->tokens_used();
  const ChatReply second = Send("And?");
  EXPECT_GE(second.answer.usage.cached_tokens, first.answer.usage.prompt_tokens);
  EXPECT_LE(second.answer.usage.cached_tokens, used);
}

}  // namespace
}  // namespace ergo::generate
