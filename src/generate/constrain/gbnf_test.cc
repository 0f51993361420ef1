#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "generate/constrain/compile.h"
#include "generate/constrain/testing/small_table.h"

namespace ergo::generate::constrain {
namespace {

using ::testing::HasSubstr;
using testing::Matches;

struct GrammarCase {
  const char* grammar;
  std::vector<std::string> yes;
  std::vector<std::string> no;
};

TEST(Gbnf, Matches) {
  const std::vector<GrammarCase> cases = {
      {"root ::= \"a\" | \"bc\"", {"a", "bc"}, {"", "abc"}},
      {"# comment\nroot ::= x y? # more\nx ::= [a-c]+\ny ::= \"\\n\" | \"\\x41\" | \"\\u00e9\"\n",
       {"abc", "a\n", "aA", "aé"},
       {"", "d", "aB"}},
      {"root ::= (\"a\" | \"b\"){2,3} \"c\"{2} \"d\"{,1} \"e\"{1,}",
       {"abccde", "aaacceee"},
       {"accde", "abcde", "abccdde", "abccd"}},
      {"root ::= \"(\" root \")\" | \"x\"", {"x", "((x))"}, {"((x)", "()", "(x))"}},
      {"root ::=\n  \"a\" |\n  \"b\"\n  | \"c\"\nother ::= \"d\"", {"a", "b", "c"}, {"d"}},
      {"root ::= (\n \"a\"\n \"b\" )\n", {"ab"}, {"a"}},
      {"root ::= [^\\]\\-a]{3} .", {"xyz\n", "日本é😀"}, {"]bcd", "-bcd", "abcd"}},
      {"root ::= expr\nexpr ::= term (\"+\" term)*\nterm ::= [0-9]+ | \"(\" expr \")\"",
       {"1+2", "(1+2)+((3))"},
       {"1+", "(1+2"}},
      {"root ::= as\nas ::= \"a\" as | \"\"", {"", "aaaa"}, {"b"}},
      {"root ::= s\ns ::= \"a\" s \"b\" | \"a\" s \"c\" | \"\"", {"", "ab", "aabc"}, {"aab", "ba"}},
      {"root ::= x x x\nx ::= y?\ny ::= \"a\" x", {"", "aaaa"}, {"b"}},
  };
  for (const GrammarCase& one : cases) {
    const auto grammar = CompileGbnf(one.grammar);
    ASSERT_TRUE(grammar) << one.grammar << grammar.error().Message();
    for (const std::string& text : one.yes) EXPECT_TRUE(Matches(*grammar, text)) << text;
    for (const std::string& text : one.no) {
      EXPECT_FALSE(Matches(*grammar, text)) << one.grammar << " on " << text;
    }
  }
}

TEST(Gbnf, RefusesBadGrammarsAndSaysWhere) {
  const std::vector<std::pair<std::string, const char*>> cases = {
      {"", "no rule root"},
      {"x ::= \"a\"", "no rule root"},
      {"root ::= y", "line 1, column 10: there is no rule y"},
      {"root ::= \"a\"\nroot ::= \"b\"", "line 2, column 1"},
      {"root ::= \"a", "line 1, column 10"},
      {"root ::= [a", "column 10"},
      {"root ::= (\"a\"", "column 10"},
      {"root ::= \"a\" )", "line 1, column 14"},
      {"root := \"a\"", "::="},
      {"root ::= \"\\q\"", "escape"},
      {"root ::= \"a\"{3,2}", "minimum"},
      {"root ::= \"a\"{99999999}", "counts"},
      {"root ::= root \"a\" | \"b\"", "rule root: this begins with itself"},
      {"root ::= a\na ::= b \"x\"\nb ::= [x]? a | \"y\"", "begins with itself"},
      {"root ::= \"a\" root", "no text"},
      {"root ::= \"x\" a\na ::= \"y\" b\nb ::= \"z\" a", "rule"},
      {"root ::= " + std::string(5000, '('), "nested"},
      {"root ::= \"\xFF\"", "UTF-8"},
  };
  for (const auto& [text, message] : cases) {
    const auto grammar = CompileGbnf(text);
    ASSERT_FALSE(grammar) << text;
    EXPECT_THAT(grammar.error().Message(), HasSubstr(message)) << text;
  }
}

TEST(Gbnf, AmbiguityCostsLittle) {
  // Every text has exponentially many readings.
  const auto grammar = CompileGbnf("root ::= s\ns ::= \"a\" s s | \"a\" s | \"a\"");
  ASSERT_TRUE(grammar);
  EXPECT_TRUE(Matches(*grammar, std::string(300, 'a')));
}

TEST(Choices, AreTheTextsAndNoOthers) {
  const auto grammar = CompileChoices({"yes", "yesterday", "no", "\"日\""});
  ASSERT_TRUE(grammar);
  for (const char* text : {"yes", "yesterday", "no", "\"日\""})
    EXPECT_TRUE(Matches(*grammar, text));
  for (const char* text : {"", "yester", "n", "nope"}) EXPECT_FALSE(Matches(*grammar, text));
  EXPECT_FALSE(CompileChoices({}));
  EXPECT_FALSE(CompileChoices({"a", ""}));
  EXPECT_FALSE(CompileChoices({"\xFF"}));
}

}  // namespace
}  // namespace ergo::generate::constrain
