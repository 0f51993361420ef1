#include "generate/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "generate/testing/tiny_model.h"

namespace ergo::generate {
namespace {

using ::testing::HasSubstr;

class SessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    model_ = testing::LoadTiny(folder_, 128);
    ASSERT_TRUE(model_);
  }

  /// Letters at random, the same ones for the same seed.
  GenerateRequest Letters(std::size_t tokens, std::uint64_t seed = 1) const {
    GenerateRequest request;
    request.prompt = "Tell me";
    request.raw = true;
    request.options.max_tokens = tokens;
    request.options.sampling.seed = seed;
    testing::AllowOnly(*model_, "abcdefgh", &request.options.sampling);
    return request;
  }

  GenerateResult Run(const GenerateRequest& request, const OnText& on_text = {}) {
    auto result = Generate(*model_, request, on_text);
    EXPECT_TRUE(result) << result.error().Message();
    ExpectNothingRuns();
    return result ? std::move(*result) : GenerateResult{};
  }

  void ExpectNothingRuns() const {
    const runtime::LoopStats stats = model_->scheduler().stats();
    EXPECT_EQ(stats.running + stats.waiting + stats.idle, 0U);
  }

  std::string Refusal(const GenerateRequest& request) {
    const auto result = Generate(*model_, request);
    ExpectNothingRuns();
    return result ? "" : result.error().Message();
  }

  testing::TinyFolder folder_;
  std::shared_ptr<LanguageModel> model_;
};

TEST_F(SessionTest, EncodesPrompts) {
  GenerateRequest request;
  request.prompt = "Hi";
  const auto chat = EncodePrompt(*model_, request);
  ASSERT_TRUE(chat) << chat.error().Message();
  EXPECT_EQ(chat->front(), testing::kTurnStart);  // the template's, without a BOS of ours
  EXPECT_EQ(model_->tokenizer().Decode(*chat),
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");

  request.raw = true;
  const auto raw = EncodePrompt(*model_, request);
  ASSERT_TRUE(raw);
  EXPECT_EQ(raw->size(), 3U);
  EXPECT_EQ(raw->front(), testing::kBos);

  request.prompt = std::vector<TokenId>{9, 8, 7};
  EXPECT_EQ(*EncodePrompt(*model_, request), (std::vector<TokenId>{9, 8, 7}));

  request.prompt =
      ChatInput{OrderedJson::parse(R"([{"role":"system","content":"S"}])"), {}, {}, false};
  EXPECT_EQ(model_->tokenizer().Decode(*EncodePrompt(*model_, request)),
            "<|im_start|>system\nS<|im_end|>\n");
}

TEST_F(SessionTest, RefusesBadPrompts) {
  GenerateRequest request;
  request.prompt = std::vector<TokenId>{};
  EXPECT_THAT(Refusal(request), HasSubstr("empty"));
  request.prompt = std::vector<TokenId>{1, 211};
  EXPECT_THAT(Refusal(request), HasSubstr("no token 211"));
  request.prompt = std::vector<TokenId>{-1};
  EXPECT_THAT(Refusal(request), HasSubstr("no token -1"));
  request.prompt = ChatInput{OrderedJson::object(), {}, {}, true};
  EXPECT_THAT(Refusal(request), HasSubstr("not an array"));
  request.prompt = std::vector<TokenId>(129, 9);
  EXPECT_THAT(Refusal(request),
              HasSubstr("prompt of 129 tokens is longer than the context of 128"));
}

TEST_F(SessionTest, RefusesBadOptions) {
  GenerateRequest request = Letters(4);
  request.options.stop = {""};
  EXPECT_THAT(Refusal(request), HasSubstr("stop string is empty"));
  request = Letters(4);
  request.options.stop_tokens = {211};
  EXPECT_THAT(Refusal(request), HasSubstr("stop token 211"));
  request = Letters(4);
  request.options.sampling.logit_bias = {{211, 1.0f}};
  EXPECT_THAT(Refusal(request), HasSubstr("token 211 is not one of the model's"));
  request = Letters(4);
  request.options.sampling.temperature = NAN;
  EXPECT_THAT(Refusal(request), HasSubstr("temperature"));
  request = Letters(4);
  request.options.logprobs = 1 << 20;
  EXPECT_THAT(Refusal(request), HasSubstr("top_logprobs"));
}

TEST_F(SessionTest, StreamsWhatItReturns) {
  std::string shown;
  const GenerateResult result = Run(Letters(40), [&](std::string_view part) {
    EXPECT_FALSE(part.empty());
    shown += part;
    return true;
  });
  EXPECT_EQ(result.text, shown);
  EXPECT_EQ(result.text.size(), 40U);
  EXPECT_EQ(result.text.find_first_not_of("abcdefgh"), std::string::npos);
  EXPECT_EQ(result.tokens.size(), 40U);
  EXPECT_EQ(result.finish_reason, FinishReason::kLength);
  EXPECT_FALSE(result.context_full);
  EXPECT_EQ(result.usage.prompt_tokens, 8U);
  EXPECT_EQ(result.usage.cached_tokens, 0U);
  EXPECT_EQ(result.usage.completion_tokens, 40U);
  EXPECT_GT(result.timings.load_ms, 0.0);
  EXPECT_GT(result.timings.prompt_ms, 0.0);
  EXPECT_GE(result.timings.first_token_ms, result.timings.prompt_ms);
  EXPECT_GT(result.timings.decode_tokens_per_second, 0.0);
  EXPECT_TRUE(result.logprobs.empty());

  EXPECT_EQ(Run(Letters(40)).text, result.text);     // the same seed
  EXPECT_NE(Run(Letters(40, 2)).text, result.text);  // another
  EXPECT_EQ(Run(Letters(7)).text, result.text.substr(0, 7));
}

TEST_F(SessionTest, NeverShowsPartOfACharacter) {
  GenerateRequest request = Letters(60);
  testing::AllowOnly(*model_, "\xE2\x82\xAC", &request.options.sampling);
  std::string shown;
  const GenerateResult result = Run(request, [&](std::string_view part) {
    EXPECT_FALSE(FindInvalidUtf8(part));
    shown += part;
    return true;
  });
  EXPECT_EQ(shown, result.text);
  EXPECT_EQ(shown, model_->tokenizer().Decode(result.tokens));
}

TEST_F(SessionTest, StopStringsEndTheAnswer) {
  const std::string all = Run(Letters(60)).text;
  const std::string stop = all.substr(20, 5);
  GenerateRequest request = Letters(60);
  request.options.stop = {"xyz", stop};
  std::string shown;
  const GenerateResult result = Run(request, [&](std::string_view part) {
    shown += part;
    return true;
  });
  const std::size_t found = all.find(stop);
  EXPECT_EQ(result.text, all.substr(0, found));
  EXPECT_EQ(shown, result.text);
  EXPECT_EQ(result.finish_reason, FinishReason::kStop);
  EXPECT_EQ(result.tokens.size(), found + stop.size());
}

TEST_F(SessionTest, HeldBackTextComesAtTheEnd) {
  const std::string all = Run(Letters(30)).text;
  GenerateRequest request = Letters(30);
  request.options.stop = {all.substr(25) + "!"};
  const GenerateResult result = Run(request);
  EXPECT_EQ(result.text, all);
  EXPECT_EQ(result.finish_reason, FinishReason::kLength);
}

TEST_F(SessionTest, EndTokensEndTheAnswer) {
  GenerateRequest request = Letters(10);
  request.options.sampling.logit_bias = {{testing::kEos, 1000.0f}};
  GenerateResult result = Run(request);
  EXPECT_EQ(result.text, "");
  EXPECT_EQ(result.tokens, std::vector<TokenId>{testing::kEos});
  EXPECT_EQ(result.finish_reason, FinishReason::kStop);

  request.options.ignore_end = true;
  result = Run(request);
  EXPECT_EQ(result.tokens.size(), 10U);
  EXPECT_EQ(result.text, "");  // special tokens are no text
  EXPECT_EQ(result.finish_reason, FinishReason::kLength);

  request = Letters(60);
  const GenerateResult all = Run(request);
  request.options.stop_tokens = {all.tokens[12]};
  result = Run(request);
  EXPECT_EQ(result.finish_reason, FinishReason::kStop);
  EXPECT_EQ(result.tokens.back(), all.tokens[12]);
  EXPECT_EQ(result.text.size() + 1, result.tokens.size());
}

TEST_F(SessionTest, CanBeCancelled) {
  std::size_t parts = 0;
  const GenerateResult result = Run(Letters(60), [&](std::string_view) { return ++parts < 5; });
  EXPECT_EQ(result.finish_reason, FinishReason::kCancel);
  EXPECT_EQ(result.tokens.size(), 5U);
  EXPECT_EQ(result.text, Run(Letters(5)).text);

  GenerateRequest request = Letters(60);
  std::size_t asked = 0;
  request.options.cancelled = [&] { return ++asked > 3; };
  const GenerateResult later = Run(request);
  EXPECT_EQ(later.finish_reason, FinishReason::kCancel);
  EXPECT_EQ(later.tokens.size(), 3U);

  request.options.cancelled = [] { return true; };
  const GenerateResult never = Run(request);
  EXPECT_EQ(never.finish_reason, FinishReason::kCancel);
  EXPECT_TRUE(never.tokens.empty());
  EXPECT_EQ(never.timings.first_token_ms, 0.0);
}

TEST_F(SessionTest, EndsWhereTheContextDoes) {
  GenerateRequest request = Letters(0);
  request.options.max_tokens.reset();
  GenerateResult result = Run(request);
  EXPECT_EQ(result.finish_reason, FinishReason::kLength);
  EXPECT_TRUE(result.context_full);
  EXPECT_EQ(result.tokens.size(), 128U - 8U + 1U);  // the last one needs no place

  request.prompt = std::vector<TokenId>(128, 9);
  result = Run(request);
  EXPECT_EQ(result.tokens.size(), 1U);
  EXPECT_TRUE(result.context_full);

  EXPECT_TRUE(Run(Letters(0)).tokens.empty());
}

TEST_F(SessionTest, ReportsLogprobs) {
  GenerateRequest request = Letters(6);
  request.options.sampling = {};
  request.options.sampling.temperature = 0.0f;
  request.options.ignore_end = true;
  request.options.logprobs = 3;
  const GenerateResult result = Run(request);
  ASSERT_EQ(result.logprobs.size(), result.tokens.size());
  for (std::size_t i = 0; i < result.tokens.size(); ++i) {
    const TokenScore& score = result.logprobs[i];
    EXPECT_EQ(score.token, result.tokens[i]);
    ASSERT_EQ(score.top.size(), 3U);
    EXPECT_EQ(score.top[0].token, score.token);  // greedy
    EXPECT_EQ(score.top[0].logprob, score.logprob);
    EXPECT_LT(score.logprob, 0.0f);
    EXPECT_GE(score.top[0].logprob, score.top[1].logprob);
  }
}

TEST_F(SessionTest, SaysWhenNoTokenIsPossible) {
  GenerateRequest request = Letters(6);
  testing::AllowOnly(*model_, "", &request.options.sampling);
  EXPECT_THAT(Refusal(request), HasSubstr("no token is possible"));
}

class ThinkingTest : public SessionTest {
 protected:
  void SetUp() override {
    folder_.MarkThoughts();
    SessionTest::SetUp();
  }

  /// Letters; the thought is open and is closed by its budget.
  GenerateRequest Thinking(std::size_t budget) const {
    GenerateRequest request = Letters(60);
    request.prompt = "Tell me <think>";
    request.options.think_budget = budget;
    return request;
  }
};

TEST_F(ThinkingTest, ThoughtAndAnswerAreTwoTexts) {
  GenerateRequest request = Thinking(20);
  std::string thought;
  std::string answer;
  request.options.on_thought = [&](std::string_view part) {
    EXPECT_EQ(answer, "");
    thought += part;
    return true;
  };
  const GenerateResult result = Run(request, [&](std::string_view part) {
    answer += part;
    return true;
  });
  EXPECT_GE(result.thought.size(), 10u);
  EXPECT_GE(result.text.size(), 30u);
  EXPECT_EQ(result.text.find_first_not_of("abcdefgh"), std::string::npos);
  EXPECT_EQ(result.thought.find("think>"), std::string::npos);
  EXPECT_EQ(thought, result.thought);
  EXPECT_EQ(answer, result.text);

  GenerateResult again;
  again.tokens = result.tokens;
  const auto prompt = EncodePrompt(*model_, request);
  ASSERT_TRUE(prompt);
  SetTexts(*model_, *prompt, &again);
  EXPECT_EQ(again.thought, result.thought);
  EXPECT_EQ(again.text, result.text);
}

TEST_F(ThinkingTest, StopStringsAreThoseOfTheAnswer) {
  GenerateRequest request = Thinking(20);
  const GenerateResult whole = Run(request);
  const std::string stop = whole.thought.substr(0, 1);
  ASSERT_NE(whole.text.find(stop), std::string::npos);
  request.options.stop = {stop};
  const GenerateResult stopped = Run(request);
  EXPECT_EQ(stopped.thought, whole.thought);
  EXPECT_EQ(stopped.text, whole.text.substr(0, whole.text.find(stop)));
  EXPECT_EQ(stopped.finish_reason, FinishReason::kStop);
}

TEST_F(ThinkingTest, AThoughtMayBeTheLastThing) {
  GenerateRequest request = Letters(12);
  request.prompt = "Tell me <think>";
  const GenerateResult result = Run(request);
  EXPECT_EQ(result.text, "");
  EXPECT_EQ(result.thought.size(), 12u);
  request.options.on_thought = [](std::string_view) { return false; };
  EXPECT_EQ(Run(request).finish_reason, FinishReason::kCancel);
}

TEST_F(SessionTest, WithoutTagsEverythingIsAnswer) {
  GenerateRequest request = Letters(12);
  request.prompt = "Tell me <think>";
  bool thought = false;
  request.options.on_thought = [&](std::string_view) { return thought = true; };
  const GenerateResult result = Run(request);
  EXPECT_EQ(result.text.size(), 12u);
  EXPECT_EQ(result.thought, "");
  EXPECT_FALSE(thought);
}

}  // namespace
}  // namespace ergo::generate
