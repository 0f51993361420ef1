#include "tokenizer/pre_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ergo::tokenizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Collector final : public WordSink {
 public:
  void Word(std::string_view word) override { words.emplace_back(word); }
  std::vector<std::string> words;
};

std::vector<std::string> Cut(const char* json, std::string_view text) {
  const auto parsed = PreTokenizer::FromJson(Json::parse(json), "test");
  EXPECT_TRUE(parsed) << parsed.error().Message();
  if (!parsed) return {};
  Collector collector;
  parsed->Run(text, true, &collector);
  return collector.words;
}

std::string SplitJson(const std::string& behavior, bool invert) {
  return R"({"type":"Split","pattern":{"String":"-"},"behavior":")" + behavior + R"(","invert":)" +
         (invert ? "true" : "false") + "}";
}

TEST(PreTokenizerTest, Behaviors) {
  const std::string text = "the-final--countdown";
  EXPECT_THAT(Cut(SplitJson("Removed", false).c_str(), text),
              ElementsAre("the", "final", "countdown"));
  EXPECT_THAT(Cut(SplitJson("Isolated", false).c_str(), text),
              ElementsAre("the", "-", "final", "-", "-", "countdown"));
  EXPECT_THAT(Cut(SplitJson("MergedWithPrevious", false).c_str(), text),
              ElementsAre("the-", "final-", "-", "countdown"));
  EXPECT_THAT(Cut(SplitJson("MergedWithNext", false).c_str(), text),
              ElementsAre("the", "-final", "-", "-countdown"));
  EXPECT_THAT(Cut(SplitJson("Contiguous", false).c_str(), text),
              ElementsAre("the", "-", "final", "--", "countdown"));
  EXPECT_THAT(Cut(SplitJson("Removed", true).c_str(), text), ElementsAre("-", "-", "-"));
}

TEST(PreTokenizerTest, Kinds) {
  EXPECT_THAT(Cut(R"({"type":"Whitespace"})", "Hey, you\u00E9 42!!"),
              ElementsAre("Hey", ",", "you\u00E9", "42", "!!"));
  EXPECT_THAT(Cut(R"({"type":"WhitespaceSplit"})", " a\u3000b, c"), ElementsAre("a", "b,", "c"));
  EXPECT_THAT(Cut(R"({"type":"Digits","individual_digits":true})", "a12\u00BD"),
              ElementsAre("a", "1", "2", "\u00BD"));
  EXPECT_THAT(Cut(R"({"type":"Digits"})", "a12b"), ElementsAre("a", "12", "b"));
  EXPECT_THAT(Cut(R"({"type":"Punctuation"})", "a?!$b"), ElementsAre("a", "?", "!", "$", "b"));
  EXPECT_THAT(Cut(R"({"type":"BertPreTokenizer"})", "it's a"), ElementsAre("it", "'", "s", "a"));
  EXPECT_THAT(Cut(R"({"type":"CharDelimiterSplit","delimiter":"x"})", "axxb"),
              ElementsAre("a", "b"));
  EXPECT_THAT(Cut(R"({"type":"ByteLevel","add_prefix_space":true})", "Hi you"),
              ElementsAre(" Hi", " you"));
  EXPECT_THAT(Cut(R"({"type":"Metaspace"})", "Hi you"), ElementsAre("\u2581Hi", "\u2581you"));
  EXPECT_THAT(Cut(R"({"type":"Metaspace","prepend_scheme":"never","split":false})", "Hi you"),
              ElementsAre("Hi\u2581you"));
}

TEST(PreTokenizerTest, StepsAfterTheByteAlphabetSeeIt) {
  // In the byte alphabet U+00E9 is "Ã©", and the byte B2 looks like the digit U+00B2.
  const char* json = R"({"type":"Sequence","pretokenizers":[
      {"type":"ByteLevel","add_prefix_space":false,"use_regex":false},{"type":"Digits"}]})";
  EXPECT_THAT(Cut(json, "a \u00F2"), ElementsAre("a\u0120\u00C3", "\u00B2"));
  const auto parsed = PreTokenizer::FromJson(Json::parse(json), "test");
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->ends_in_bytes());
}

TEST(PreTokenizerTest, FirstPrefixOnlyAtTheStart) {
  const auto parsed = PreTokenizer::FromJson(
      Json::parse(R"({"type":"Metaspace","prepend_scheme":"first"})"), "test");
  ASSERT_TRUE(parsed);
  Collector collector;
  parsed->Run("a", false, &collector);
  EXPECT_THAT(collector.words, ElementsAre("a"));
}

TEST(PreTokenizerTest, BadJsonSaysWhy) {
  for (const char* json :
       {R"({"type":"Nope"})", R"({})", R"([])", R"({"type":"Sequence"})",
        R"({"type":"Split","pattern":{"String":"a"},"behavior":"Nope"})",
        R"({"type":"Split","behavior":"Isolated"})",
        R"({"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated","invert":false})",
        R"({"type":"Metaspace","prepend_scheme":"sometimes"})"}) {
    const auto parsed = PreTokenizer::FromJson(Json::parse(json), "tokenizer.json");
    ASSERT_FALSE(parsed) << json;
    EXPECT_THAT(parsed.error().Message(), HasSubstr("tokenizer.json: pre_tokenizer"));
  }
}

}  // namespace
}  // namespace ergo::tokenizer
