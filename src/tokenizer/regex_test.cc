#include "tokenizer/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ergo::tokenizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Matches(std::string_view pattern, std::string_view text) {
  const auto regex = Regex::Compile(pattern, "test");
  EXPECT_TRUE(regex) << regex.error().Message();
  if (!regex) return {};
  std::vector<std::string> found;
  RegexMatches matches(*regex, text);
  while (const auto match = matches.Next()) {
    found.emplace_back(text.substr(match->begin, match->end - match->begin));
  }
  return found;
}

TEST(RegexTest, ClassesHaveTheMembersOfTheReference) {
  // U+180E is a space to PCRE2, U+16D40 (Unicode 16) no letter to an older one.
  EXPECT_THAT(Matches(R"(\s+)", "a \u180E\u3000b"), ElementsAre(" ", "\u3000"));
  EXPECT_THAT(Matches(R"(\S+)", "a \u180Eb\u2003"), ElementsAre("a", "\u180Eb"));
  EXPECT_THAT(Matches(R"(\p{L}+)", "a1\U00016D40"), ElementsAre("a", "\U00016D40"));
  EXPECT_THAT(Matches(R"([^\s\p{L}]+)", "a1\U00016D40!"), ElementsAre("1", "!"));
  EXPECT_THAT(Matches(R"(\w+)", "e\u0301_x \u00B2 \u0663"), ElementsAre("e\u0301_x", "\u0663"));
  EXPECT_THAT(Matches(R"(\h+)", "xyz09afg"), ElementsAre("09af"));
  EXPECT_THAT(Matches(R"(\d+)", "1\u0663\u00BD2"), ElementsAre("1\u0663", "2"));
  EXPECT_THAT(Matches(R"(\P{L}+)", "ab12"), ElementsAre("12"));
  EXPECT_THAT(Matches(R"(\p{^L}+)", "ab12"), ElementsAre("12"));
}

TEST(RegexTest, IntersectionsAndUnionsOfClasses) {
  EXPECT_THAT(Matches(R"([\p{L}&&[^\p{Han}]]+)", "ab\u4E2Dc"), ElementsAre("ab", "c"));
  EXPECT_THAT(Matches(R"([a-f&&b-z]+)", "abcxyz"), ElementsAre("bc"));
  EXPECT_THAT(Matches(R"([a[0-9]]+)", "a1b"), ElementsAre("a1"));
  EXPECT_THAT(Matches(R"([^x[yz]]+)", "axbyc"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Matches(R"([]a]+)", "]ab"), ElementsAre("]a"));
}

TEST(RegexTest, EmptyMatchesDoNotRepeat) {
  EXPECT_THAT(Matches("(?=b)", "abab"), ElementsAre("", ""));
  EXPECT_THAT(Matches("a*", "baa"), ElementsAre("", "aa"));
}

TEST(RegexTest, LinesAndQuantifiers) {
  EXPECT_THAT(Matches(R"(\s+$)", "a  \nb"), ElementsAre("  "));  // at the end of any line
  EXPECT_THAT(Matches("a{,2}b", "aaab"), ElementsAre("aab"));
  EXPECT_THAT(Matches("\\u0041+", "AAB"), ElementsAre("AA"));
}

TEST(RegexTest, BadPatternsSayWhy) {
  for (const char* pattern : {"(", "[a", "\\", "\\p{Nope}", "[[^a]b]", "[^a&&b]", "\\p", "[&&a]"}) {
    const auto regex = Regex::Compile(pattern, "tokenizer.json: pre_tokenizer");
    ASSERT_FALSE(regex) << pattern;
    EXPECT_THAT(regex.error().Message(), HasSubstr("regular expression"));
    EXPECT_THAT(regex.error().where, HasSubstr("pre_tokenizer"));
  }
}

TEST(RegexTest, EndlessBacktrackingGivesUp) {
  const std::string text(5000, 'a');
  EXPECT_THAT(Matches("(a+)+b", text), IsEmpty());
}

}  // namespace
}  // namespace ergo::tokenizer
