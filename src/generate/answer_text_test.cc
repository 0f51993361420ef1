#include "generate/answer_text.h"

#include <gtest/gtest.h>

#include "generate/testing/tiny_model.h"

namespace ergo::generate {
namespace {

struct Streamed {
  std::string text;
  std::vector<std::string> parts;
};

Streamed StreamBytes(std::string_view input, std::vector<std::string> stops) {
  StopFilter filter(std::move(stops));
  Streamed out;
  for (const char c : input) out.parts.push_back(filter.Push(std::string_view(&c, 1)));
  out.parts.push_back(filter.Finish());
  for (const std::string& part : out.parts) out.text += part;
  return out;
}

TEST(StopFilter, CutsBeforeTheFirstStop) {
  struct Case {
    const char* input;
    std::vector<std::string> stops;
    const char* expected;
  };
  const Case cases[] = {
      {"one two", {}, "one two"},
      {"one two", {"two"}, "one "},
      {"one two one", {"one"}, ""},
      {"aaab", {"aab"}, "a"},
      {"ababac!", {"abac"}, "ab"},
      {"User: hi\nUser:", {"\nUser:"}, "User: hi"},
      {"one two", {"two three"}, "one two"},  // never completed
      {"abc", {"abcd", "c"}, "ab"},
      {"x€y", {"€"}, "x"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(StreamBytes(c.input, c.stops).text, c.expected) << c.input;
    StopFilter whole(c.stops);
    const std::string first = whole.Push(c.input);
    EXPECT_EQ(first + whole.Finish(), c.expected) << c.input;
  }
}

TEST(StopFilter, HoldsBackOnlyWhatMayBeAStop) {
  StopFilter filter({"END"});
  EXPECT_EQ(filter.Push("the E"), "the ");
  EXPECT_EQ(filter.Push("N"), "");
  EXPECT_EQ(filter.Push("T"), "ENT");
  EXPECT_EQ(filter.Push("EN"), "");
  EXPECT_FALSE(filter.stopped());
  EXPECT_EQ(filter.Push("D and more"), "");
  EXPECT_TRUE(filter.stopped());
  EXPECT_EQ(filter.Push("more"), "");
  EXPECT_EQ(filter.Finish(), "");
}

TEST(StopFilter, ChecksStops) {
  EXPECT_TRUE(CheckStops({"a", "€"}));
  EXPECT_FALSE(CheckStops({""}));
  EXPECT_FALSE(CheckStops({"\xE2\x82"}));
  EXPECT_FALSE(CheckStops({std::string(1 << 20, 'x')}));
  EXPECT_FALSE(CheckStops(std::vector<std::string>(1000, "x")));
}

TEST(AnswerText, EmitsWholeCharacters) {
  const testing::TinyFolder folder;
  const auto model = testing::LoadTiny(folder);
  ASSERT_TRUE(model);
  const auto ids = model->tokenizer().Encode("a€é", {.add_special = false});
  ASSERT_EQ(ids.size(), 6U);  // one a byte
  AnswerText text(model->tokenizer(), {});
  std::vector<std::string> parts;
  for (const TokenId id : ids) parts.push_back(text.Push(id));
  EXPECT_EQ(parts, (std::vector<std::string>{"a", "", "", "€", "", "é"}));
  EXPECT_EQ(text.Push(ids[1]), "");
  EXPECT_EQ(text.Finish(), "\uFFFD");  // never completed
}

TEST(AnswerText, FindsStopsAcrossTokens) {
  const testing::TinyFolder folder;
  const auto model = testing::LoadTiny(folder);
  ASSERT_TRUE(model);
  AnswerText text(model->tokenizer(), {"€!"});
  std::string shown;
  std::size_t used = 0;
  for (const TokenId id : model->tokenizer().Encode("5 €, 6 €! no", {.add_special = false})) {
    shown += text.Push(id);
    ++used;
    if (text.stopped()) break;
  }
  EXPECT_EQ(shown + text.Finish(), "5 €, 6 ");
  EXPECT_EQ(used, std::string("5 €, 6 €!").size());
}

}  // namespace
}  // namespace ergo::generate
