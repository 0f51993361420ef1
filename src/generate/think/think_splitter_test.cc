#include "generate/think/think_splitter.h"

#include <gtest/gtest.h>

#include <random>

#include "generate/think/testing/think_tokenizers.h"
#include "generate/think/think_text.h"

namespace ergo::generate {
namespace {

using testing::Ids;
using testing::Pieces;

/// Each token's part: t(hought), / (tag), a(nswer); "|" where the splitter had to wait.
std::string PartsOf(const std::shared_ptr<const ThinkTags>& tags, ThoughtStart start,
                    std::span<const TokenId> tokens) {
  ThinkSplitter splitter(tags, start);
  std::string parts;
  const auto add = [&](const std::vector<SplitToken>& split) {
    for (const SplitToken& token : split) {
      parts += token.part == ThoughtPart::kTag       ? '/'
               : token.part == ThoughtPart::kThought ? 't'
                                                     : 'a';
    }
  };
  for (const TokenId token : tokens) {
    const std::vector<SplitToken> split = splitter.Push(token);
    if (split.empty()) parts += '|';
    add(split);
  }
  add(splitter.Finish());
  return parts;
}

struct Texts {
  std::string thought;
  std::string answer;
  std::string streamed_thought;
  std::string streamed_answer;
};

Texts TextsOf(const tokenizer::Tokenizer& tokenizer, ThoughtStart start,
              std::span<const TokenId> tokens, std::vector<std::string> stops = {}) {
  ThinkText text(tokenizer, ThinkTags::Find(tokenizer), start, std::move(stops));
  Texts out;
  const auto add = [&](const ThinkTextParts& parts) {
    out.streamed_thought += parts.thought;
    out.streamed_answer += parts.answer;
  };
  for (const TokenId token : tokens) {
    add(text.Push(token));
    if (text.stopped()) break;
  }
  add(text.Finish());
  out.thought = text.thought();
  out.answer = text.answer();
  return out;
}

TEST(ThinkSplitter, TagsAsTokens) {
  struct Case {
    const char* name;
    ThoughtStart start;
    const char* text;
    const char* parts;
    const char* thought;
    const char* answer;
  };
  const Case cases[] = {
      {"plain", ThoughtStart::kUnopened, "<think>ab</think>cd", "/tt/aa", "ab", "cd"},
      {"opened by the prompt", ThoughtStart::kOpen, "ab</think>cd", "tt/aa", "ab", "cd"},
      {"opened once more", ThoughtStart::kOpen, "\n<think>ab</think>c", "t/tt/a", "ab", "c"},
      {"closed by the prompt", ThoughtStart::kClosed, "cd", "aa", "", "cd"},
      {"no thought", ThoughtStart::kUnopened, "abc", "aaa", "", "abc"},
      {"nested", ThoughtStart::kUnopened, "<think>a<think>b</think>c</think>d", "/t/t/t/a",
       "a\n\nb\n\nc", "d"},
      {"never closed", ThoughtStart::kOpen, "abc", "ttt", "abc", ""},
      {"closed at the very end", ThoughtStart::kOpen, "abc</think>", "ttt/", "abc", ""},
      {"closed at once", ThoughtStart::kOpen, "</think>a", "/a", "", "a"},
      {"two thoughts", ThoughtStart::kOpen, "a</think>b<think>c</think>d", "t/a/t/a", "a\n\nc",
       "bd"},
      {"closed twice", ThoughtStart::kOpen, "a</think>b</think>c", "t/a/a", "a", "bc"},
      {"spaces", ThoughtStart::kOpen, "\na b\n\n</think>\n\nc ", "tttttt/aaaa", "a b", "c "},
  };
  const auto tokenizer = testing::TagTokenizer();
  const auto tags = ThinkTags::Find(tokenizer);
  for (const Case& c : cases) {
    const std::vector<TokenId> tokens = Ids(tokenizer, c.text);
    EXPECT_EQ(PartsOf(tags, c.start, tokens), c.parts) << c.name;
    const Texts texts = TextsOf(tokenizer, c.start, tokens);
    EXPECT_EQ(texts.thought, c.thought) << c.name;
    EXPECT_EQ(texts.answer, c.answer) << c.name;
    EXPECT_EQ(texts.streamed_thought, c.thought) << c.name;
    EXPECT_EQ(texts.streamed_answer, c.answer) << c.name;
  }
}

TEST(ThinkSplitter, AClosingTagThatNothingOpenedMakesAThought) {
  const auto tokenizer = testing::TagTokenizer();
  const auto tags = ThinkTags::Find(tokenizer);
  const std::vector<TokenId> tokens = Ids(tokenizer, "ab</think>\ncd");
  EXPECT_EQ(PartsOf(tags, ThoughtStart::kUnopened, tokens), "aa/aaa");
  const SplitTokens split = SplitThought(tags, ThoughtStart::kUnopened, tokens);
  EXPECT_EQ(split.thought, Ids(tokenizer, "ab"));
  EXPECT_EQ(split.answer, Ids(tokenizer, "\ncd"));
  const Texts texts = TextsOf(tokenizer, ThoughtStart::kUnopened, tokens);
  EXPECT_EQ(texts.thought, "ab");
  EXPECT_EQ(texts.answer, "cd");
  EXPECT_EQ(texts.streamed_answer, "abcd") << "it was given out before the tag came";
}

TEST(ThinkSplitter, WhatFollowsAnInnerThoughtIsTheAnswerIfNothingElseIs) {
  const auto tokenizer = testing::TagTokenizer();
  const auto tags = ThinkTags::Find(tokenizer);
  const std::vector<TokenId> tokens = Ids(tokenizer, "a<think>b</think> cd");
  const SplitTokens split = SplitThought(tags, ThoughtStart::kOpen, tokens);
  EXPECT_EQ(split.thought, Ids(tokenizer, "ab"));
  EXPECT_EQ(split.answer, Ids(tokenizer, " cd"));
  const Texts texts = TextsOf(tokenizer, ThoughtStart::kOpen, tokens);
  EXPECT_EQ(texts.thought, "a\n\nb");
  EXPECT_EQ(texts.answer, "cd");
}

TEST(ThinkSplitter, OrdinaryTokensThatSpellATagAreText) {
  const auto tokenizer = testing::TagTokenizer();
  const auto spelled =
      tokenizer.Encode("a</think>b", {.add_special = false, .parse_special = false});
  // Added tokens that are not special may be found all the same: spell it byte by byte.
  std::vector<TokenId> bytes;
  for (const char c : std::string_view("a</think>b")) {
    bytes.push_back(*tokenizer.Find(std::string_view(&c, 1)));
  }
  const auto tags = ThinkTags::Find(tokenizer);
  EXPECT_EQ(PartsOf(tags, ThoughtStart::kOpen, bytes), std::string(bytes.size(), 't'));
  EXPECT_EQ(TextsOf(tokenizer, ThoughtStart::kUnopened, bytes).answer, "a</think>b");
  EXPECT_FALSE(spelled.empty());
}

TEST(ThinkSplitter, SpelledTags) {
  struct Case {
    const char* name;
    ThoughtStart start;
    std::vector<const char*> pieces;
    const char* parts;
    const char* thought;
    const char* answer;
  };
  const Case cases[] = {
      {"borders of the tag",
       ThoughtStart::kOpen,
       {"a", "</", "think", ">", "b"},
       "t||///a",
       "a",
       "b"},
      {"begins within a token",
       ThoughtStart::kOpen,
       {"a", ".</", "think", ">", "b"},
       "t||t///a",
       "a.",
       "b"},
      {"ends within a token",
       ThoughtStart::kOpen,
       {"a", "</", "think", ">Ċ", "b"},
       "t||///aa",
       "a",
       "b"},
      {"goes on within a token",
       ThoughtStart::kOpen,
       {"</", "think", ">The", "y"},
       "||///aa",
       "",
       "They"},
      {"not a tag", ThoughtStart::kOpen, {"</", "think", "e", "r"}, "||tttt", "</thinker", ""},
      {"a false start", ThoughtStart::kOpen, {"<", "</", "think", ">", "b"}, "|t|///a", "<", "b"},
      {"opened by the model",
       ThoughtStart::kUnopened,
       {"Ċ", "<th", "ink>", "a", "</", "think", ">", "b"},
       "a|//t||///a",
       "a",
       "b"},
      {"an opening tag in the answer",
       ThoughtStart::kUnopened,
       {"x", "<th", "ink>", "a"},
       "aaaa",
       "",
       "x<think>a"},
      {"tags behind the thought",
       ThoughtStart::kOpen,
       {"a", "</", "think", ">", "b", "<th", "ink>", "c", "</", "think", ">"},
       "t||///aaaaaaa",
       "a",
       "b<think>c</think>"},
      {"opened once more",
       ThoughtStart::kOpen,
       {"<th", "ink>", "a", "</", "think", ">", "b"},
       "ttt||///a",
       "<think>a",
       "b"},
      {"never closed", ThoughtStart::kOpen, {"a", "</", "think"}, "t||tt", "a</think", ""},
      {"closed at the very end", ThoughtStart::kOpen, {"a", "</", "think", ">"}, "t||///", "a", ""},
      {"nothing opened it",
       ThoughtStart::kUnopened,
       {"a", "</", "think", ">", "b"},
       "a||///a",
       "a",
       "b"},
  };
  const auto tokenizer = testing::SpelledTokenizer();
  const auto tags = ThinkTags::Find(tokenizer);
  for (const Case& c : cases) {
    const std::vector<TokenId> tokens = Pieces(tokenizer, c.pieces);
    EXPECT_EQ(PartsOf(tags, c.start, tokens), c.parts) << c.name;
    const Texts texts = TextsOf(tokenizer, c.start, tokens);
    EXPECT_EQ(texts.thought, c.thought) << c.name;
    EXPECT_EQ(texts.answer, c.answer) << c.name;
  }
}

TEST(ThinkSplitter, Channels) {
  const auto tokenizer = testing::ChannelTokenizer();
  const char* text =
      "<|channel|>analysis<|message|>ab<|end|><|start|>assistant<|channel|>final<|message|>cd";
  const Texts texts = TextsOf(tokenizer, ThoughtStart::kUnopened, Ids(tokenizer, text));
  EXPECT_EQ(texts.thought, "ab");
  EXPECT_EQ(texts.answer, "cd");
  const Texts direct =
      TextsOf(tokenizer, ThoughtStart::kUnopened, Ids(tokenizer, "<|channel|>final<|message|>cd"));
  EXPECT_EQ(direct.thought, "");
  EXPECT_EQ(direct.answer, "cd");
}

TEST(ThinkSplitter, WithoutTagsEverythingIsAnswer) {
  EXPECT_EQ(PartsOf(nullptr, ThoughtStart::kOpen, std::vector<TokenId>{5, 6}), "aa");
}

TEST(ThinkSplitter, LosesAndRepeatsNoToken) {
  std::mt19937 random(7);
  const auto spelled = testing::SpelledTokenizer();
  const auto tagged = testing::TagTokenizer();
  const auto channels = testing::ChannelTokenizer();
  for (const tokenizer::Tokenizer& tokenizer : {spelled, tagged, channels}) {
    const auto tags = ThinkTags::Find(tokenizer);
    std::vector<TokenId> favourites = tags->opening().tokens;
    for (const ThinkTag& tag : tags->closings()) {
      favourites.insert(favourites.end(), tag.tokens.begin(), tag.tokens.end());
    }
    for (int round = 0; round < 300; ++round) {
      std::vector<TokenId> tokens(random() % 40);
      for (TokenId& token : tokens) {
        token = random() % 4 == 0 ? static_cast<TokenId>(random() % tokenizer.size())
                                  : favourites[random() % favourites.size()];
      }
      const auto start = static_cast<ThoughtStart>(random() % 3);
      ThinkSplitter splitter(tags, start);
      std::vector<TokenId> out;
      std::string bytes;
      const auto add = [&](const std::vector<SplitToken>& split) {
        for (const SplitToken& token : split) {
          // The parts of one token follow each other.
          if (token.whole || bytes.empty()) {
            out.push_back(token.token);
            bytes.clear();
          }
          if (token.whole) continue;
          bytes += token.bytes;
          if (bytes == tokenizer.PieceBytes(token.token)) bytes.clear();
        }
      };
      for (const TokenId token : tokens) add(splitter.Push(token));
      add(splitter.Finish());
      ASSERT_EQ(out, tokens);
      ASSERT_TRUE(bytes.empty());
    }
  }
}

TEST(ThinkText, StopStringsCountInTheAnswerOnly) {
  const auto tokenizer = testing::TagTokenizer();
  const Texts texts = TextsOf(tokenizer, ThoughtStart::kOpen,
                              Ids(tokenizer, "first END then</think>answer END more"), {"END"});
  EXPECT_EQ(texts.thought, "first END then");
  EXPECT_EQ(texts.answer, "answer ");
}

TEST(ThinkText, CutsNoCharacterInTwo) {
  const auto tokenizer = testing::TagTokenizer();
  ThinkText text(tokenizer, ThinkTags::Find(tokenizer), ThoughtStart::kOpen, {});
  for (const TokenId token : Ids(tokenizer, "é€</think>中")) {
    const ThinkTextParts parts = text.Push(token);
    EXPECT_FALSE(FindInvalidUtf8(parts.thought) || FindInvalidUtf8(parts.answer));
  }
  text.Finish();
  EXPECT_EQ(text.thought(), "é€");
  EXPECT_EQ(text.answer(), "中");
}

}  // namespace
}  // namespace ergo::generate
