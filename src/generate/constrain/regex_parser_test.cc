#include "generate/constrain/regex_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "generate/constrain/compile.h"
#include "generate/constrain/testing/small_table.h"

namespace ergo::generate::constrain {
namespace {

using testing::Matches;

struct PatternCase {
  const char* pattern;
  std::vector<std::string> yes;
  std::vector<std::string> no;
};

TEST(Regex, MatchesWholeTexts) {
  const std::vector<PatternCase> cases = {
      {"abc", {"abc"}, {"", "ab", "abcd", "xabc"}},
      {"a|bc|", {"a", "bc", ""}, {"b", "abc"}},
      {"a*b+c?", {"b", "aab", "bbc"}, {"a", "cc", "abcc"}},
      {"(ab){2,3}", {"abab", "ababab"}, {"ab", "abababab", "aba"}},
      {"[a-c]{3}", {"abc", "ccc"}, {"ab", "abcd", "abd"}},
      {"[^a-c]", {"d", "é", "日", "😀", "\n"}, {"a", "", "\xE6\x97"}},
      {".{2}", {"日本", "ab", "😀é"}, {"a\n", "a", "日本語"}},
      {".{0,3000}", {"", std::string(3000, 'x')}, {std::string(3001, 'x'), "\n"}},
      {"\\d{4}-\\d\\d", {"2024-01"}, {"2024-1", "20245-01"}},
      {"\\w+\\s\\S", {"ab_1 x"}, {"ab x y", "-- x"}},
      {"\\x41\\u0042\\u{43}", {"ABC"}, {"abc"}},
      {"\\uD83D\\uDE00", {"😀"}, {"x"}},
      {"^(?:a|b)$", {"a", "b"}, {"", "ab"}},
      {"(^a|b)c", {"ac", "bc"}, {"c"}},
      {"(?<year>\\d{2})(?P<x>y)", {"12y"}, {"12"}},
      {"a{2,}?", {"aa", "aaaaa"}, {"a"}},
      {"a{,3}", {"a{,3}"}, {"aa"}},
      {"[\\d\\-x]+", {"1-x"}, {"a"}},
      {"[]-a]", {}, {}},
      {"[a\\]b-]+", {"a]b-"}, {"c"}},
      {"\\p{Lu}\\P{L}", {"É1", "A-"}, {"aa", "é1"}},
      {"(a{2,3}){2}", {"aaaa", "aaaaa", "aaaaaa"}, {"aaa", "aaaaaaa"}},
      {"(a|ab){30,100}c", {std::string(30, 'a') + "c"}, {std::string(29, 'a') + "c"}},
      {"(x*){100}", {"", "xxx"}, {"y"}},
      {"(ab|[c-z]*,){2,1000}", {"ab,", "zzz,ab"}, {"ab", "a"}},
  };
  for (const PatternCase& one : cases) {
    const auto grammar = CompileRegex(one.pattern);
    if (one.yes.empty()) {
      EXPECT_FALSE(grammar) << one.pattern;
      continue;
    }
    ASSERT_TRUE(grammar) << grammar.error().Message();
    for (const std::string& text : one.yes) EXPECT_TRUE(Matches(*grammar, text)) << text;
    for (const std::string& text : one.no) {
      EXPECT_FALSE(Matches(*grammar, text)) << one.pattern << " on " << text;
    }
  }
}

TEST(Regex, RefusesWhatItCannotDoAndSaysWhere) {
  using ::testing::HasSubstr;
  const std::vector<std::pair<std::string, const char*>> cases = {
      {"a(?=b)", "byte 2"},      {"ab(?<!c)", "byte 3"},
      {"(?i)a", "byte 1"},       {"(a)\\1", "byte 4"},
      {"\\bfoo", "byte 1"},      {"a++", "byte 2"},
      {"a(b", "byte 2"},         {"ab)", "byte 3"},
      {"[a", "byte 1"},          {"[z-a]", "byte 2"},
      {"*a", "byte 1"},          {"a{3,2}", "byte 2"},
      {"a{99999999}", "byte 2"}, {"a\\", "byte 2"},
      {"a$b", "byte 3"},         {"a\xFF", "byte 2"},
      {"\\p{Nope}", "byte 1"},   {"[[:alpha:]]", "byte 2"},
      {"(^)*", "byte 1"},        {std::string(1000, '('), "nested"},
  };
  for (const auto& [pattern, message] : cases) {
    const auto grammar = CompileRegex(pattern);
    ASSERT_FALSE(grammar) << pattern;
    EXPECT_THAT(grammar.error().Message(), HasSubstr(message)) << pattern;
  }
}

TEST(Regex, HugeRepeatsTakeLittleRoom) {
  const auto grammar = CompileRegex("(([a-z]{1,1000} ){1,1000}\\n){5,1000000}");
  ASSERT_TRUE(grammar);
  EXPECT_LT((*grammar)->state_count(), 100U);
  EXPECT_TRUE(Matches(*grammar, "a \nab c \na \na \na \n"));
  EXPECT_FALSE(Matches(*grammar, "a \nab c \na \na \n"));
}

}  // namespace
}  // namespace ergo::generate::constrain
