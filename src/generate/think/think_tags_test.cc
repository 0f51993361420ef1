#include "generate/think/think_tags.h"

#include <gtest/gtest.h>

#include "base/mapped_file.h"
#include "generate/think/testing/think_tokenizers.h"

namespace ergo::generate {
namespace {

using testing::AddedPiece;
using testing::Ids;
using testing::MakeTokenizer;

TEST(ThinkTags, AreFoundAsTokens) {
  struct Case {
    const char* opening;
    const char* closing;
    bool special;
  };
  const Case cases[] = {
      {"<think>", "</think>", false},
      {"<think>", "</think>", true},
      {"<|START_THINKING|>", "<|END_THINKING|>", true},
      {"[THINK]", "[/THINK]", true},
      {"<seed:think>", "</seed:think>", true},
      {"<thought>", "</thought>", false},
      {"◁think▷", "◁/think▷", false},
  };
  for (const Case& c : cases) {
    const auto tokenizer =
        MakeTokenizer({{c.opening, true, c.special}, {c.closing, true, c.special}});
    ASSERT_TRUE(tokenizer);
    const auto tags = ThinkTags::Find(*tokenizer);
    ASSERT_NE(tags, nullptr) << c.opening;
    EXPECT_FALSE(tags->spelled());
    EXPECT_EQ(tags->opening().text, c.opening);
    EXPECT_EQ(tags->opening().tokens, std::vector<TokenId>{*tokenizer->Find(c.opening)});
    EXPECT_EQ(tags->closing().tokens, std::vector<TokenId>{*tokenizer->Find(c.closing)});
  }
}

TEST(ThinkTags, NoneWhereNothingNamesThem) {
  EXPECT_EQ(ThinkTags::Find(*MakeTokenizer({})), nullptr);
  EXPECT_EQ(ThinkTags::Find(*MakeTokenizer({{"<think>"}})), nullptr) << "only one of them";
}

TEST(ThinkTags, TheTemplateDecidesBetweenTwo) {
  const std::vector<AddedPiece> both = {{"<think>"}, {"</think>"}, {"[THINK]"}, {"[/THINK]"}};
  EXPECT_EQ(ThinkTags::Find(*MakeTokenizer(both))->opening().text, "<think>");
  EXPECT_EQ(ThinkTags::Find(*MakeTokenizer(both, "{{ '[THINK]' }}"))->opening().text, "[THINK]");
  // It names what is no token.
  const auto tags = ThinkTags::Find(*MakeTokenizer(both, "{{ '<thought>' }}"));
  EXPECT_EQ(tags->opening().text, "<thought>");
  EXPECT_TRUE(tags->spelled());
}

TEST(ThinkTags, AreSpelledWhereOnlyTheTemplateHasThem) {
  const auto tokenizer = testing::SpelledTokenizer();
  const auto tags = ThinkTags::Find(tokenizer);
  ASSERT_NE(tags, nullptr);
  EXPECT_TRUE(tags->spelled());
  EXPECT_EQ(tokenizer.Decode(tags->closing().tokens), "</think>");
  EXPECT_EQ(tokenizer.Decode(tags->EncodeClosing("\nDone.\n")), "\nDone.\n</think>");
  EXPECT_EQ(tags->overrunning(), testing::Pieces(tokenizer, {">The"}));
}

TEST(ThinkTags, ChannelsAreSequencesOfTokens) {
  const auto tokenizer = testing::ChannelTokenizer();
  const auto tags = ThinkTags::Find(tokenizer);
  ASSERT_NE(tags, nullptr);
  EXPECT_FALSE(tags->spelled());
  EXPECT_EQ(tags->opening().tokens, Ids(tokenizer, "<|channel|>analysis<|message|>"));
  ASSERT_EQ(tags->closings().size(), 2u);
  EXPECT_EQ(tags->closing().tokens,
            Ids(tokenizer, "<|end|><|start|>assistant<|channel|>final<|message|>"));
}

TEST(ThinkTags, ThePromptMayOpenOrCloseTheThought) {
  const auto tokens = testing::TagTokenizer();
  const auto spelled = testing::SpelledTokenizer();
  for (const tokenizer::Tokenizer& tokenizer : {tokens, spelled}) {
    const auto tags = ThinkTags::Find(tokenizer);
    const auto start = [&](const char* prompt) { return tags->StartOf(Ids(tokenizer, prompt)); };
    EXPECT_EQ(start("<|im_start|>assistant\n<think>\n"), ThoughtStart::kOpen);
    EXPECT_EQ(start("<|im_start|>assistant\n<think>"), ThoughtStart::kOpen);
    EXPECT_EQ(start("<|im_start|>assistant\n<think>\n\n</think>\n\n"), ThoughtStart::kClosed);
    EXPECT_EQ(start("<|im_start|>assistant\n"), ThoughtStart::kUnopened);
    EXPECT_EQ(start("<think> is a tag<|im_end|>\n<|im_start|>assistant\n"),
              ThoughtStart::kUnopened);
    EXPECT_EQ(start("<think>\nI see"), ThoughtStart::kUnopened);
    EXPECT_EQ(start(""), ThoughtStart::kUnopened);
  }
  const auto channels = testing::ChannelTokenizer();
  const auto tags = ThinkTags::Find(channels);
  EXPECT_EQ(tags->StartOf(Ids(channels, "<|start|>assistant")), ThoughtStart::kUnopened);
  EXPECT_EQ(tags->StartOf(Ids(channels, "<|start|>assistant<|channel|>analysis<|message|>")),
            ThoughtStart::kOpen);
  EXPECT_EQ(tags->StartOf(Ids(channels, "<|start|>assistant<|channel|>final<|message|>")),
            ThoughtStart::kClosed);
}

TEST(ThinkTags, CanBeSpelledByEveryKindOfTokenizer) {
  for (const char* name : {"llama", "gemma", "metaspace-first", "falcon", "nfc-gpt4",
                           "ignore-merges", "split-merged_with_next-True"}) {
    const std::string path =
        std::string(ERGO_SOURCE_DIR) + "/tests/golden/tokenizer/" + name + "/tokenizer.json";
    const auto json = ReadFile(path, std::size_t{1} << 24);
    ASSERT_TRUE(json) << json.error().Message();
    EXPECT_EQ(ThinkTags::Find(*testing::LoadTokenizer(*json, "")), nullptr) << name;
    const auto tokenizer = testing::LoadTokenizer(*json, "{{ '<think>' }}");
    const auto tags = ThinkTags::Find(*tokenizer);
    ASSERT_NE(tags, nullptr) << name;
    EXPECT_TRUE(tags->spelled()) << name;
    std::vector<TokenId> tokens = Ids(*tokenizer, "abc\n");
    const std::vector<TokenId> closing = tags->EncodeClosing("def\n");
    tokens.insert(tokens.end(), closing.begin(), closing.end());
    const std::size_t thought = tokens.size();
    const std::vector<TokenId> answer = Ids(*tokenizer, "\nabc");
    tokens.insert(tokens.end(), answer.begin(), answer.end());
    const SplitTokens split = SplitThought(tags, ThoughtStart::kOpen, tokens);
    EXPECT_EQ(split.answer, answer) << name;
    EXPECT_LT(split.thought.size(), thought) << name;
    EXPECT_FALSE(split.thought.empty()) << name;
  }
}

TEST(IsBlank, KnowsSpacesAndWhatHasNoWidth) {
  for (const char* blank : {"", " ", "\n\t\r ", "\u00A0", "\u3000", "\u200B", "\uFEFF "}) {
    EXPECT_TRUE(IsBlank(blank)) << '"' << blank << '"';
  }
  for (const char* visible : {"a", " a", ".", "é", "\xE2", "\x80", "中"}) {
    EXPECT_FALSE(IsBlank(visible)) << '"' << visible << '"';
  }
}

}  // namespace
}  // namespace ergo::generate
