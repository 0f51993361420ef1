#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "cli/testing/command_line.h"
#include "generate/testing/tiny_model.h"

namespace ergo::cli {
namespace {

using generate::testing::TinyFolder;
using ::testing::ElementsAre;
using testing::ErrorLine;
using testing::Execute;
using ::testing::HasSubstr;
using testing::Ran;

std::vector<std::string> Keys(const OrderedJson& json) {
  std::vector<std::string> keys;
  for (const auto& item : json.items()) keys.push_back(item.key());
  return keys;
}

class RunTest : public ::testing::Test {
 protected:
  /// `ergo run` on the small model with six tokens that are not its ends.
  std::vector<std::string> Words(const std::vector<std::string>& more) const {
    std::vector<std::string> words = {"run",    "-m", folder_.path(), "-n",      "6",
                                      "--temp", "0",  "--logit-bias", "2=-1000", "--logit-bias",
                                      "4=-1000"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  OrderedJson AnswerInJson(std::vector<std::string> more, const std::string& input = "") const {
    more.insert(more.begin(), "--json");
    const Ran ran = Execute(Words(more), input);
    EXPECT_EQ(ran.status, kOk) << ran.err;
    EXPECT_EQ(ran.out.find('\n'), ran.out.size() - 1);
    const auto json = ParseOrderedJson(ran.out, "output");
    if (!json) ADD_FAILURE() << json.error().Message() << ran.err;
    return json ? *json : OrderedJson();
  }

  std::int64_t PromptTokens(const std::vector<std::string>& more,
                            const std::string& input = "") const {
    return AnswerInJson(more, input)["usage"]["prompt_tokens"].get<std::int64_t>();
  }

  TinyFolder folder_;
};

TEST_F(RunTest, JsonHasItsDocumentedShape) {
  const OrderedJson json = AnswerInJson({"--logprobs", "2", "--seed", "7", "abc"});
  EXPECT_THAT(Keys(json), ElementsAre("choices", "usage", "timings", "model", "seed"));
  ASSERT_EQ(json["choices"].size(), 1u);
  const OrderedJson& choice = json["choices"][0];
  EXPECT_THAT(Keys(choice), ElementsAre("index", "text", "finish_reason", "logprobs"));
  EXPECT_EQ(choice["finish_reason"], "length");
  EXPECT_THAT(Keys(json["usage"]),
              ElementsAre("prompt_tokens", "completion_tokens", "total_tokens"));
  EXPECT_EQ(json["usage"]["completion_tokens"], 6);
  EXPECT_EQ(json["usage"]["total_tokens"].get<int>(),
            json["usage"]["prompt_tokens"].get<int>() + 6);
  for (const auto& item : json["timings"].items()) {
    EXPECT_GE(item.value().get<double>(), 0.0) << item.key();
  }
  EXPECT_EQ(json["seed"], 7);

  const OrderedJson& content = choice["logprobs"]["content"];
  ASSERT_EQ(content.size(), 6u);
  for (const OrderedJson& entry : content) {
    EXPECT_THAT(Keys(entry), ElementsAre("token", "id", "logprob", "top_logprobs"));
    EXPECT_LE(entry["logprob"].get<double>(), 0.0);
    ASSERT_EQ(entry["top_logprobs"].size(), 2u);
    EXPECT_THAT(Keys(entry["top_logprobs"][0]), ElementsAre("token", "id", "logprob"));
    EXPECT_GE(entry["top_logprobs"][0]["logprob"].get<double>(),
              entry["top_logprobs"][1]["logprob"].get<double>());
    // Greedy: no token but the two that are biased away can be likelier.
    EXPECT_GE(entry["top_logprobs"][0]["logprob"].get<double>(), entry["logprob"].get<double>());
  }
}

TEST_F(RunTest, StreamsTheTextOfTheJson) {
  const Ran plain = Execute(Words({"abc"}));
  EXPECT_EQ(plain.status, kOk) << plain.err;
  EXPECT_EQ(plain.out, AnswerInJson({"abc"})["choices"][0]["text"].get<std::string>() + "\n");
  EXPECT_EQ(plain.err, "");
  EXPECT_THAT(Execute(Words({"--stats", "abc"})).err, HasSubstr(" 6 tokens, "));
}

TEST_F(RunTest, AnEndOfGenerationStops) {
  const OrderedJson json = AnswerInJson({"--logit-bias", "2=2000", "abc"});
  EXPECT_EQ(json["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(json["choices"][0]["text"], "");
}

TEST_F(RunTest, TheSameSeedGivesTheSameAnswer) {
  const std::vector<std::string> seven = {"--temp", "2", "--seed", "7", "-n", "24", "abc"};
  const std::string first = Execute(Words(seven)).out;
  EXPECT_EQ(Execute(Words(seven)).out, first);
  EXPECT_NE(Execute(Words({"--temp", "2", "--seed", "8", "-n", "24", "abc"})).out, first);
}

TEST_F(RunTest, RawSkipsTheTemplate) {
  // Raw: <s> a b c. Else: <|im_start|>user\nabc<|im_end|>\n<|im_start|>assistant\n
  EXPECT_EQ(PromptTokens({"--raw", "abc"}), 4);
  EXPECT_EQ(PromptTokens({"abc"}), 1 + 5 + 3 + 1 + 1 + 1 + 10);
  EXPECT_EQ(PromptTokens({"--system", "x", "abc"}), 22 + 1 + 7 + 1 + 1 + 1);
}

TEST_F(RunTest, APromptMayComeByPipe) {
  EXPECT_EQ(PromptTokens({"--raw"}, "abcd"), 5);
  EXPECT_EQ(PromptTokens({"--raw", "ab", "-", "c"}, "xyz"), 1 + 2 + 2 + 3 + 1 + 1);
  // Words alone: whatever stands on standard input is left there.
  EXPECT_EQ(PromptTokens({"--raw", "ab"}, "xyz"), 3);
  EXPECT_THAT(ErrorLine(Words({""})), HasSubstr("the question is empty"));
  EXPECT_EQ(Execute(Words({"--raw"}), "abcd").out, Execute(Words({"--raw", "abcd"})).out);
}

TEST_F(RunTest, WordsAreJoinedAndTwoDashesEndTheOptions) {
  EXPECT_EQ(PromptTokens({"--raw", "ab", "cd"}), 6);
  EXPECT_EQ(PromptTokens({"--raw", "--", "--raw"}), 6);
}

TEST_F(RunTest, APromptThatDoesNotFitIsRefused) {
  EXPECT_THAT(ErrorLine(Words({"--raw", "--context", "8", "a question of many bytes"})),
              HasSubstr("8"));
}

TEST_F(RunTest, AnAnswerThatFillsTheContextSaysSo) {
  const Ran ran = Execute(Words({"--raw", "--context", "8", "abc"}));
  EXPECT_EQ(ran.status, kOk);
  EXPECT_THAT(ran.err, HasSubstr("the context of 8 tokens is full"));
}

TEST_F(RunTest, ChoicesThatExcludeEachOtherAreRefused) {
  EXPECT_THAT(ErrorLine(Words({"--compute", "f32", "--quant", "int8", "abc"})),
              HasSubstr("exclude each other"));
  EXPECT_THAT(ErrorLine(Words({"--logit-bias", "x", "abc"})), HasSubstr("42=-5"));
  EXPECT_THAT(ErrorLine(Words({"--logit-bias", "4000=1", "abc"})), HasSubstr("4000"));
}

TEST_F(RunTest, EveryFormatOfWeightsAnswers) {
  for (const char* quant : {"int8", "int4"}) {
    const OrderedJson json = AnswerInJson({"--quant", quant, "abc"});
    EXPECT_EQ(json["usage"]["completion_tokens"], 6) << quant;
  }
  EXPECT_EQ(AnswerInJson({"--compute", "f32", "abc"})["usage"]["completion_tokens"], 6);
}

TEST_F(RunTest, SeveralAnswers) {
  const Ran three =
      Execute(Words({"--json", "--choices", "3", "-n", "6", "--temp", "2", "--seed", "1", "abc"}));
  ASSERT_EQ(three.status, kOk) << three.err;
  const Json json = Json::parse(three.out);
  ASSERT_EQ(json["choices"].size(), 3u);
  EXPECT_EQ(json["choices"][2]["index"], 2);
  EXPECT_NE(json["choices"][0]["text"], json["choices"][1]["text"]);
  EXPECT_EQ(json["usage"]["completion_tokens"], 18);
  const Ran best =
      Execute(Words({"--best-of", "4", "-n", "6", "--temp", "2", "--seed", "1", "abc"}));
  EXPECT_EQ(best.status, kOk) << best.err;
  EXPECT_FALSE(best.out.empty());
  const Ran beams = Execute(Words({"--beam", "3", "--choices", "2", "-n", "6", "abc"}));
  EXPECT_EQ(beams.status, kOk) << beams.err;
  EXPECT_THAT(beams.out, AllOf(HasSubstr("[1]"), HasSubstr("[2]")));
  EXPECT_THAT(ErrorLine(Words({"--kv-memory", "64", "abc"})), HasSubstr("--kv-memory"));
}

TEST_F(RunTest, AnswersThatMustLookACertainWay) {
  EXPECT_EQ(Execute(Words({"-n", "20", "--regex", "(ab|cd){2}", "abc"})).out.size(), 5u);
  const Ran chosen = Execute(Words({"-n", "20", "--one-of", "left", "--one-of", "right", "abc"}));
  EXPECT_THAT(chosen.out, ::testing::AnyOf("left\n", "right\n")) << chosen.err;
  EXPECT_THAT(ErrorLine(Words({"--regex", "(a", "abc"})), HasSubstr("--regex"));
  EXPECT_THAT(ErrorLine(Words({"--regex", "a", "--one-of", "b", "abc"})),
              HasSubstr("one constraint"));
  EXPECT_THAT(ErrorLine(Words({"--json-schema", "/no/such/file", "abc"})),
              HasSubstr("/no/such/file"));
  // No model of ours thinks: a budget changes nothing but that there is an answer.
  EXPECT_EQ(Execute(Words({"--think-budget", "5", "abc"})).status, kOk);
}

TEST_F(RunTest, ThoughtsStandApart) {
  folder_.MarkThoughts();
  const std::vector<std::string> words = {"--think-budget", "9", "-n", "30", "--raw", "a<think>"};
  const OrderedJson choice = AnswerInJson(words)["choices"][0];
  EXPECT_THAT(Keys(choice),
              ElementsAre("index", "text", "reasoning_content", "finish_reason", "logprobs"));
  const auto thought = choice["reasoning_content"].get<std::string>();
  const auto text = choice["text"].get<std::string>();
  EXPECT_NE(thought, "");
  EXPECT_NE(text, "");
  const Ran plain = Execute(Words(words));
  EXPECT_EQ(plain.out, text + "\n");
  EXPECT_EQ(plain.err, thought + "\n\n");
}

}  // namespace
}  // namespace ergo::cli
