#include "tokenizer/scanner.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "tokenizer/regex.h"

namespace ergo::tokenizer {
namespace {

/// Text in which the expressions' alternatives meet often.
std::string RandomText(std::mt19937* random, std::size_t characters) {
  static const std::vector<std::string> atoms = {
      " ",      "  ",     "\n",         "\r",         "\t",         "'",      "'s",     "'T",
      "'re",    "'LL",    "'v",         "'ve",        "'\u017F",    "'d",     "'M",     "a",
      "Z",      "word",   "7",          "42",         "1234",       "!",      "?!",     "_",
      "\u00A0", "\u3000", "\u180E",     "\u0085",     "\u00BD",     "\u0663", "\u00E9", "\u4E2D",
      "\uAC00", "\u0301", "\U0001F600", "\U00016D40", "\U0001CCF0", "\u2028", "\u1680"};
  std::string text;
  for (std::size_t i = 0; i < characters; ++i) {
    if ((*random)() % 4 != 0) {
      text += atoms[(*random)() % atoms.size()];
      continue;
    }
    const std::uint32_t limit = (*random)() % 2 == 0 ? 0x3000 : 0x30000;
    AppendUtf8((*random)() % limit, &text);
  }
  return text;
}

class ScannerTest : public ::testing::TestWithParam<ScannerKind> {};

TEST_P(ScannerTest, GivesTheWordsOfItsExpression) {
  const auto regex = Regex::Compile(PatternOf(GetParam()), "test");
  ASSERT_TRUE(regex) << regex.error().Message();
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    const std::string text = RandomText(&random, 1 + random() % 40);
    RegexMatches matches(*regex, text);
    std::size_t at = 0;
    while (at < text.size()) {
      const auto match = matches.Next();
      ASSERT_TRUE(match) << "no match at " << at << " of \"" << text << '"';
      ASSERT_EQ(match->begin, at) << '"' << text << '"';
      const std::size_t end = ScanWord(GetParam(), text, at);
      ASSERT_EQ(end, match->end) << "word from " << at << " of \"" << text << '"';
      at = end;
    }
    EXPECT_FALSE(matches.Next());
  }
}

TEST_P(ScannerTest, AgreesOnEveryCharacter) {
  const auto regex = Regex::Compile(PatternOf(GetParam()), "test");
  ASSERT_TRUE(regex);
  for (std::uint32_t point = 1; point < 0x110000; ++point) {
    if (point >= 0xD800 && point < 0xE000) continue;
    std::string text = "a";
    AppendUtf8(point, &text);
    text += "a ";
    AppendUtf8(point, &text);
    text += "1";
    for (std::size_t at = 0; at < text.size();) {
      const auto match = regex->Find(text, at);
      ASSERT_TRUE(match);
      const std::size_t end = ScanWord(GetParam(), text, at);
      ASSERT_EQ(end, match->end) << std::hex << point;
      at = end;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ScannerTest,
                         ::testing::Values(ScannerKind::kGpt2, ScannerKind::kLlama3,
                                           ScannerKind::kQwen2));

TEST(ScannerForTest, KnowsItsExpressionsOnly) {
  EXPECT_EQ(ScannerFor(PatternOf(ScannerKind::kGpt2)), ScannerKind::kGpt2);
  EXPECT_EQ(ScannerFor(PatternOf(ScannerKind::kLlama3)), ScannerKind::kLlama3);
  EXPECT_FALSE(ScannerFor(R"(\p{L}+)"));
}

}  // namespace
}  // namespace ergo::tokenizer
