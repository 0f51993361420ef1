#include "serve/cache/answer_key.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "serve/cache/answer_text.h"
#include "serve/cache/digest.h"

namespace ergo::serve {
namespace {

using Prompt = std::vector<generate::TokenId>;

GenerationRequest Greedy() {
  GenerationRequest request;
  request.options.sampling.temperature = 0.0f;
  return request;
}

std::optional<std::string> KeyOf(const GenerationRequest& request, const Prompt& prompt = {1, 2},
                                 std::string_view owner = "ann", std::string_view model = "m") {
  return AnswerKey({owner, model, 100, prompt, request});
}

TEST(Digest, MatchesRfc4231) {
  const std::string mac = HmacSha256("Jefe", "what do ya want for nothing?");
  ASSERT_EQ(mac.size(), 32U);
  EXPECT_EQ(static_cast<unsigned char>(mac[0]), 0x5B);
  EXPECT_EQ(static_cast<unsigned char>(mac[1]), 0xDC);
  EXPECT_EQ(static_cast<unsigned char>(mac[31]), 0x43);
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(AnswerKey, EverythingThatDeterminesTheAnswerIsInIt) {
  std::set<std::string> keys;
  std::size_t count = 0;
  const auto add = [&](const std::optional<std::string>& key) {
    ASSERT_TRUE(key.has_value());
    keys.insert(*key);
    ++count;
  };
  add(KeyOf(Greedy()));
  add(KeyOf(Greedy(), {1, 3}));
  add(KeyOf(Greedy(), {1}));
  add(KeyOf(Greedy(), {1, 2}, "bob"));
  add(KeyOf(Greedy(), {1, 2}, "ann", "other"));
  const auto with = [&](auto change) {
    GenerationRequest request = Greedy();
    change(request);
    add(KeyOf(request));
  };
  with([](auto& r) { r.options.max_tokens = 0; });
  with([](auto& r) { r.options.max_tokens = 5; });
  with([](auto& r) { r.options.stop = {"a", "b"}; });
  with([](auto& r) { r.options.stop = {"ab"}; });
  with([](auto& r) { r.options.stop_tokens = {7}; });
  with([](auto& r) { r.options.ignore_end = true; });
  with([](auto& r) { r.options.logprobs = 0; });
  with([](auto& r) { r.options.think_budget = 9; });
  with([](auto& r) { r.options.sampling.repetition_penalty = 1.1f; });
  with([](auto& r) { r.options.sampling.logit_bias = {{5, 1.0f}}; });
  with([](auto& r) { r.options.sampling.temperature = 0.5f; });
  with([](auto& r) {
    r.options.sampling.temperature = 0.5f;
    r.options.sampling.seed = 4;
  });
  with([](auto& r) {
    r.options.sampling.temperature = 0.5f;
    r.options.sampling.top_p = 0.9f;
  });
  with([](auto& r) { r.choices = 2; });
  with([](auto& r) { r.best_of = 2; });
  with([](auto& r) { r.effort.name = "high"; });
  with([](auto& r) { r.effort.max_steps = 3; });
  with([](auto& r) { r.tools = ToolUse{}; });
  with([](auto& r) { r.tools = ToolUse{{{"f", "does"}}}; });
  with([](auto& r) { r.tools = ToolUse{{{"f", "does"}}, ToolChoice::kRequired}; });
  EXPECT_EQ(keys.size(), count);
}

TEST(AnswerKey, WithoutChanceTheSeedDoesNotMatter) {
  GenerationRequest request = Greedy();
  const auto key = KeyOf(request);
  request.options.sampling.seed = 99;
  request.options.sampling.top_p = 0.5f;
  request.options.seed_drawn = true;
  EXPECT_EQ(KeyOf(request), key);
  request.options.speculate = false;
  EXPECT_EQ(KeyOf(request), key);
}

TEST(AnswerKey, AnswersThatMayDifferHaveNone) {
  GenerationRequest request = Greedy();
  request.options.sampling.temperature = 1.0f;
  EXPECT_TRUE(KeyOf(request));
  request.options.seed_drawn = true;
  EXPECT_FALSE(KeyOf(request));
  request = Greedy();
  request.time = std::chrono::milliseconds(10);
  EXPECT_EQ(KeyOf(request), KeyOf(Greedy()));
  request.effort.name = "low";
  EXPECT_FALSE(KeyOf(request));
  request = Greedy();
  request.options.stop_thinking.emplace();
  EXPECT_FALSE(KeyOf(request));
}

TEST(AnswerText, ComesBackAsItWas) {
  GenerationOutcome outcome;
  GenerationChoice choice;
  choice.thought = "hm\n";
  choice.text = "答 \"x\"";
  choice.logprobs = {{4, -0.25f, {{4, -0.25f}, {5, -2.0f}}}};
  choice.calls = {{"call_1", "f", "{\"a\": 1}"}};
  choice.finish_reason = "tool_calls";
  choice.stop_sequence = "END";
  outcome.choices = {choice};
  outcome.usage = {7, 3, 2};
  outcome.thought_tokens = 1;
  outcome.trace_id = "t1";
  outcome.verdict = OrderedJson{{"verified", true}};
  outcome.steps = OrderedJson::array({{{"node", "n1"}, {"text", "1 + 1 = 2"}}});
  const Result<GenerationOutcome> read = ReadAnswer(WriteAnswer(outcome));
  ASSERT_TRUE(read) << read.error().Message();
  ASSERT_EQ(read->choices.size(), 1U);
  EXPECT_EQ(read->choices[0].text, choice.text);
  EXPECT_EQ(read->choices[0].thought, choice.thought);
  EXPECT_EQ(read->choices[0].finish_reason, "tool_calls");
  EXPECT_EQ(read->choices[0].calls[0].arguments, "{\"a\": 1}");
  EXPECT_EQ(read->choices[0].logprobs[0].top[1].token, 5);
  EXPECT_EQ(read->choices[0].stop_sequence, "END");
  EXPECT_EQ(read->usage.completion_tokens, 2U);
  EXPECT_EQ(read->trace_id, "t1");
  EXPECT_TRUE(read->verdict["verified"].get<bool>());
  EXPECT_EQ(read->steps, outcome.steps);
}

TEST(AnswerText, DamageIsAnError) {
  GenerationOutcome outcome;
  outcome.choices.resize(1);
  outcome.choices[0].finish_reason = "stop";
  const std::string good = WriteAnswer(outcome);
  ASSERT_TRUE(ReadAnswer(good));
  EXPECT_FALSE(ReadAnswer(""));
  EXPECT_FALSE(ReadAnswer("{}"));
  EXPECT_FALSE(ReadAnswer("[1, 2]"));
  EXPECT_FALSE(ReadAnswer(good.substr(0, good.size() / 2)));
  std::string other = good;
  other.replace(other.find("\"stop\""), 6, "\"gone\"");
  EXPECT_FALSE(ReadAnswer(other));
  outcome.choices[0].finish_reason = "abort";
  EXPECT_FALSE(IsComplete(outcome));
}

}  // namespace
}  // namespace ergo::serve
