#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace ergo {
namespace {

/// Code points of `text`, invalid parts as U+FFFD.
std::u32string Decode(std::string_view text) {
  std::u32string out;
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8(text);
    out += static_cast<char32_t>(c.code_point);
    text.remove_prefix(c.bytes);
  }
  return out;
}

TEST(Utf8Test, EveryCodePointSurvives) {
  for (std::uint32_t point = 0; point <= 0x10FFFF; ++point) {
    if (point >= 0xD800 && point <= 0xDFFF) continue;
    std::string text;
    AppendUtf8(point, &text);
    const Utf8Char c = DecodeUtf8(text);
    ASSERT_TRUE(c.valid) << point;
    ASSERT_EQ(c.code_point, point);
    ASSERT_EQ(c.bytes, text.size());
    ASSERT_EQ(FindInvalidUtf8(text), std::nullopt);
    ASSERT_EQ(CompleteUtf8Prefix(text), text.size());
  }
}

TEST(Utf8Test, NoSurrogatesNorBeyondUnicode) {
  for (const std::uint32_t point : {0xD800u, 0xDFFFu, 0x110000u, 0xFFFFFFFFu}) {
    std::string text;
    AppendUtf8(point, &text);
    EXPECT_EQ(text, "\uFFFD");
  }
}

TEST(Utf8Test, OneReplacementForEachMaximalPart) {
  // The examples of the Unicode standard, tables 3-8 to 3-11.
  EXPECT_EQ(Decode("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"), std::u32string(8, 0xFFFD) + U"A");
  EXPECT_EQ(Decode("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"), std::u32string(8, 0xFFFD) + U"A");
  EXPECT_EQ(Decode("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
            std::u32string(5, 0xFFFD) + U"A" + std::u32string(2, 0xFFFD) + U"B");
  EXPECT_EQ(Decode("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), std::u32string(4, 0xFFFD) + U"A");
}

TEST(Utf8Test, FindsTheFirstInvalidByte) {
  EXPECT_EQ(FindInvalidUtf8(""), std::nullopt);
  EXPECT_EQ(FindInvalidUtf8("aü世😀"), std::nullopt);
  EXPECT_EQ(FindInvalidUtf8("ab\x80"), 2u);
  EXPECT_EQ(FindInvalidUtf8("a\xE4\xB8"), 1u);
  EXPECT_EQ(FindInvalidUtf8(std::string_view("a\0b", 3)), std::nullopt);
}

TEST(Utf8Test, Repairs) {
  EXPECT_EQ(RepairUtf8("aü\xFFz\xE4\xB8"), "aü\uFFFDz\uFFFD");
  EXPECT_EQ(RepairUtf8("世界"), "世界");
}

TEST(Utf8Test, CompletePrefixKeepsBackPartsOnly) {
  const std::string text = "aü世😀";
  // Ends of characters: 1, 3, 6, 10.
  const std::size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
  for (std::size_t size = 0; size <= text.size(); ++size) {
    EXPECT_EQ(CompleteUtf8Prefix(std::string_view(text).substr(0, size)), expected[size]) << size;
  }
}

TEST(Utf8Test, CompletePrefixTreatsInvalidBytesAsComplete) {
  for (const char* text : {"a\x80", "a\xFF", "\x80\x80\x80\x80", "a\xE0\x80", "a\xF4\x90", "\xC0",
                           "a\xF0\x9F\x98\x41", "a\xED\xA0"}) {
    EXPECT_EQ(CompleteUtf8Prefix(text), std::string_view(text).size()) << RepairUtf8(text);
  }
}

TEST(Utf8Test, QuotesForOneLine) {
  EXPECT_EQ(QuoteForMessage("plain ü世"), "\"plain ü世\"");
  EXPECT_EQ(QuoteForMessage("a\nb\x1b[2J\x7f"), "\"a\\x0ab\\x1b[2J\\x7f\"");
  EXPECT_EQ(QuoteForMessage("\u0085\u2028"), "\"\\x85\\u2028\"");
  EXPECT_EQ(QuoteForMessage("\xFF"), "\"\uFFFD\"");
  EXPECT_EQ(QuoteForMessage("abcdef", 3), "\"abc…\"");
  EXPECT_EQ(QuoteForMessage("世界界", 4), "\"世界…\"");
  EXPECT_EQ(QuoteForMessage(""), "\"\"");
}

}  // namespace
}  // namespace ergo
