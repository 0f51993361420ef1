#include "generate/constrain/constraint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "generate/constrain/compile.h"
#include "generate/constrain/testing/small_table.h"

namespace ergo::generate::constrain {
namespace {

using testing::kEndToken;
using testing::kSpecialToken;
using testing::Matches;
using testing::SmallTable;

std::shared_ptr<const Constraint> ForRegex(const std::string& pattern) {
  auto grammar = CompileRegex(pattern);
  EXPECT_TRUE(grammar) << grammar.error().Message();
  auto constraint = Constraint::Create(*grammar, SmallTable());
  EXPECT_TRUE(constraint);
  return *constraint;
}

std::vector<TokenId> AllowedBy(runtime::LogitHook* hook) {
  std::vector<float> logits(SmallTable()->size() + 5, 1.0F);
  hook->Mask(logits);
  std::vector<TokenId> allowed;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] == 1.0F) {
      allowed.push_back(static_cast<TokenId>(i));
    } else {
      EXPECT_EQ(logits[i], -std::numeric_limits<float>::infinity());
    }
  }
  return allowed;
}

/// What Mask should say, token by token.
std::vector<TokenId> Expected(const Constraint& constraint, const std::string& text) {
  std::vector<TokenId> allowed;
  Machine machine(constraint.grammar().shared_from_this());
  SetId set = machine.start();
  for (const char c : text) set = machine.Step(set, static_cast<std::uint8_t>(c));
  for (std::size_t i = 0; i < SmallTable()->size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (id == kEndToken && machine.CanEnd(set)) allowed.push_back(id);
    const std::string_view bytes = SmallTable()->bytes(id);
    SetId after = set;
    for (const char c : bytes) after = machine.Step(after, static_cast<std::uint8_t>(c));
    if (!bytes.empty() && after != Machine::kDead) allowed.push_back(id);
  }
  return allowed;
}

TEST(Constraint, MasksAreThoseOfTheGrammarByteByByte) {
  std::mt19937 random(7);
  for (const char* pattern :
       {"[a-z]{1,5}foo", "(ab|[a-z]{2,9},)*", "\"([^\"\\\\]|\\\\.){0,6}\",?", "a{3,70}b?",
        "([a-d]{2} ?){3,90}", "(日本|[^a]){2,20}\"", "(true|false|null|-?\\d+)(,[\\w ]{0,40})?",
        "(a|aa|ab){2,80}(bb)?", ".*\\.5", "([0-9a-f]{2}-?)*x"}) {
    const auto constraint = ForRegex(pattern);
    for (int walk = 0; walk < 20; ++walk) {
      const auto hook = constraint->Start();
      std::string text;
      for (int step = 0; step < 40; ++step) {
        const std::vector<TokenId> allowed = AllowedBy(hook.get());
        ASSERT_EQ(allowed, Expected(*constraint, text)) << pattern << " after " << text;
        ASSERT_FALSE(allowed.empty()) << pattern << " after " << text;
        const TokenId token = allowed[random() % allowed.size()];
        text += SmallTable()->bytes(token);
        if (!hook->Accept(token)) {
          EXPECT_TRUE(Matches(constraint->grammar().shared_from_this(), text)) << text;
          break;
        }
      }
    }
  }
}

TEST(Constraint, EndsOnlyWhereTheTextMayEnd) {
  const auto hook = ForRegex("ab(cd)?")->Start();
  EXPECT_THAT(AllowedBy(hook.get()), ::testing::Not(::testing::Contains(kEndToken)));
  EXPECT_TRUE(hook->Accept('a'));
  EXPECT_TRUE(hook->Accept('b'));
  EXPECT_THAT(AllowedBy(hook.get()), ::testing::ElementsAre(TokenId{'c'}, kEndToken));
  const auto other = hook->Fork();
  EXPECT_FALSE(hook->Accept(kEndToken));
  EXPECT_THAT(AllowedBy(hook.get()), ::testing::ElementsAre(kEndToken));
  // The fork goes its own way, to a text that nothing can follow.
  EXPECT_TRUE(other->Accept('c'));
  EXPECT_FALSE(other->Accept('d'));
  EXPECT_THAT(AllowedBy(other.get()), ::testing::ElementsAre(kEndToken));
}

TEST(Constraint, WrongAndSpecialTokensEndIt) {
  const auto constraint = ForRegex("[a-z]*");
  for (const TokenId token : {TokenId{'1'}, kSpecialToken, TokenId{-1}, TokenId{100000}}) {
    const auto hook = constraint->Start();
    EXPECT_THAT(AllowedBy(hook.get()), ::testing::Not(::testing::Contains(kSpecialToken)));
    EXPECT_FALSE(hook->Accept(token));
    EXPECT_THAT(AllowedBy(hook.get()), ::testing::ElementsAre(kEndToken));
    EXPECT_TRUE(hook->Forced().empty());
  }
}

std::string TextOf(const std::vector<TokenId>& tokens) {
  std::string text;
  for (const TokenId token : tokens) text += SmallTable()->bytes(token);
  return text;
}

TEST(Constraint, ForcesWhatCanOnlyComeNext) {
  // Nothing follows: all of it.
  EXPECT_EQ(TextOf(ForRegex("the name")->Start()->Forced()), "the name");
  // "red" may become "reddish", and what is before it is certain.
  EXPECT_EQ(TextOf(ForRegex("the (red|reddish)")->Start()->Forced()), "the ");
  // The quote may be the start of `"name`.
  EXPECT_EQ(TextOf(ForRegex("\\{\"(name|id)\"")->Start()->Forced()), "");
  EXPECT_EQ(TextOf(ForRegex("\\[true,(\\d|x)")->Start()->Forced()), "[true,");
  EXPECT_TRUE(ForRegex("a*")->Start()->Forced().empty());
  EXPECT_TRUE(ForRegex("(ab)?")->Start()->Forced().empty());
  const auto hook = ForRegex("x(the name|12)")->Start();
  EXPECT_TRUE(hook->Accept('x'));
  EXPECT_TRUE(hook->Accept('t'));
  const auto forced = hook->Forced();
  EXPECT_EQ(TextOf(forced), "he name");
  for (std::size_t i = 0; i < forced.size(); ++i) {
    EXPECT_EQ(hook->Accept(forced[i]), i + 1 < forced.size());
  }
}

TEST(Constraint, MasksOfGrammarsWithCallsAreThoseOfEachByte) {
  std::mt19937 random(11);
  for (const char* text :
       {R"({"type": "object"})",
        R"({"type": "object", "properties": {"name": {"type": "string", "maxLength": 5},
            "id": {"type": "integer", "minimum": 1, "maximum": 240}, "t": {"$ref": "#"}},
            "required": ["name"], "additionalProperties": {"enum": ["red", "reddish", null]}})",
        R"({"type": "array", "items": {"type": "string", "pattern": "^a[b-d]{0,40}$"},
            "minItems": 2, "maxItems": 100})"}) {
    auto grammar = CompileJsonSchema(std::string_view(text));
    ASSERT_TRUE(grammar) << grammar.error().Message();
    const auto constraint = Constraint::Create(*grammar, SmallTable());
    ASSERT_TRUE(constraint);
    for (int walk = 0; walk < 20; ++walk) {
      const auto hook = (*constraint)->Start();
      std::string written;
      for (int step = 0; step < 40; ++step) {
        const std::vector<TokenId> allowed = AllowedBy(hook.get());
        ASSERT_EQ(allowed, Expected(**constraint, written)) << text << " after " << written;
        ASSERT_FALSE(allowed.empty());
        const TokenId token = allowed[random() % allowed.size()];
        written += SmallTable()->bytes(token);
        if (!hook->Accept(token)) break;
      }
    }
  }
}

/// Deep recursion makes more states than are kept: sequences move to a new machine and go on.
TEST(Constraint, GoesOnWhenStatesHaveBeenForgotten) {
  auto grammar = CompileGbnf("root ::= \"[\" root \"]\" | \"(\" root \")\" | \"x\"");
  ASSERT_TRUE(grammar);
  const auto constraint = Constraint::Create(*grammar, SmallTable());
  ASSERT_TRUE(constraint);
  const auto early = (*constraint)->Start();
  EXPECT_TRUE(early->Accept('['));
  const auto hook = (*constraint)->Start();
  constexpr int kDepth = 60'000;
  std::vector<float> logits(SmallTable()->size());
  for (int i = 0; i < kDepth; ++i) {
    ASSERT_TRUE(hook->Accept(i % 3 == 0 ? '[' : '('));
    if (i % 64 == 0) hook->Mask(logits);
  }
  ASSERT_TRUE(hook->Accept('x'));
  for (int i = kDepth; i-- > 0;) {
    ASSERT_EQ(hook->Accept(i % 3 == 0 ? ']' : ')'), i > 0);
  }
  EXPECT_TRUE(early->Accept('x'));
  EXPECT_THAT(AllowedBy(early.get()), ::testing::ElementsAre(TokenId{']'}));
}

TEST(Constraint, RefusesVocabulariesThatCannotWriteTheText) {
  const std::vector<std::string> pieces = {"a", "b", "ab", ""};
  const std::vector<TokenId> ends = {3};
  const auto table =
      TokenTable::Create(pieces, ends, [](std::string_view) { return std::vector<TokenId>(); });
  ASSERT_TRUE(table);
  EXPECT_TRUE(Constraint::Create(*CompileRegex("(ab)*"), *table));
  const auto refused = Constraint::Create(*CompileRegex("abc"), *table);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().Message(), ::testing::HasSubstr("0x63"));
  const std::vector<TokenId> bad_ends = {4};
  EXPECT_FALSE(TokenTable::Create(pieces, bad_ends, nullptr));
}

}  // namespace
}  // namespace ergo::generate::constrain
