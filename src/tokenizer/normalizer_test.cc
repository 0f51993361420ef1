#include "tokenizer/normalizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace ergo::tokenizer {
namespace {

using ::testing::HasSubstr;

std::string Apply(const char* json, std::string_view text) {
  const auto normalizer = Normalizer::FromJson(Json::parse(json), "test");
  EXPECT_TRUE(normalizer) << normalizer.error().Message();
  std::string storage;
  return normalizer ? std::string(normalizer->Apply(text, &storage)) : std::string();
}

TEST(NormalizerTest, NormalForms) {
  EXPECT_EQ(Normalized("e\u0301 x", NormalForm::kNfc), "\u00E9 x");
  EXPECT_EQ(Normalized("\u00E9", NormalForm::kNfd), "e\u0301");
  EXPECT_EQ(Normalized("\uFB01 \u00BD", NormalForm::kNfkc), "fi 1\u20442");
  EXPECT_EQ(Normalized("\u304B\u3099", NormalForm::kNfc), "\u304C");
  EXPECT_EQ(Normalized("\u1100\u1161\u11A8 \uAC00\u11A8", NormalForm::kNfc), "\uAC01 \uAC01");
  EXPECT_EQ(Normalized("\u0958", NormalForm::kNfc), "\u0915\u093C");
  EXPECT_EQ(Normalized("a\u0301\u0327", NormalForm::kNfd), "a\u0327\u0301");
  EXPECT_EQ(Normalized("", NormalForm::kNfc), "");
  // The reference's tables are those of Unicode 9: U+0EBA does not move before U+0334.
  EXPECT_EQ(Normalized("a\u0EBA\u0334", NormalForm::kNfc), "a\u0EBA\u0334");
}

TEST(NormalizerTest, ManyMarksTakeNoQuadraticTime) {
  std::string text = "a";
  for (int i = 0; i < 100000; ++i) text += i % 2 == 0 ? "\u0301" : "\u0327";
  const auto start = std::chrono::steady_clock::now();
  const std::string out = Normalized(text, NormalForm::kNfd);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_EQ(out.size(), text.size());
  EXPECT_EQ(out.substr(0, 5), "a\u0327\u0327");
}

TEST(NormalizerTest, Steps) {
  EXPECT_EQ(Apply(R"({"type":"Lowercase"})", "\u00C9\u0130A"), "\u00E9i\u0307a");
  EXPECT_EQ(Apply(R"({"type":"Strip","strip_left":true,"strip_right":true})", " \u3000a b\n"),
            "a b");
  EXPECT_EQ(Apply(R"({"type":"Strip","strip_left":false,"strip_right":true})", " a "), " a");
  EXPECT_EQ(Apply(R"({"type":"Strip"})", "  \n"), "");
  EXPECT_EQ(Apply(R"({"type":"StripAccents"})", "e\u0301"), "e");
  EXPECT_EQ(Apply(R"({"type":"Nmt"})", "a\x01\u200Bb\tc"), "a b c");
  EXPECT_EQ(Apply(R"({"type":"Prepend","prepend":"_"})", "a"), "_a");
  EXPECT_EQ(Apply(R"({"type":"Prepend","prepend":"_"})", ""), "");
  EXPECT_EQ(Apply(R"({"type":"Replace","pattern":{"String":" "},"content":"\u2581"})", "a b "),
            "a\u2581"
            "b\u2581");
  EXPECT_EQ(Apply(R"({"type":"Replace","pattern":{"Regex":"\\d+"},"content":"#"})", "a12b3"),
            "a#b#");
  EXPECT_EQ(Apply(R"({"type":"ByteLevel"})", "\u00E9 "), "\u00C3\u00A9\u0120");
  EXPECT_EQ(Apply(R"({"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"}]})",
                  "\u00E9"),
            "e");
  EXPECT_EQ(Apply("null", "a"), "a");
}

TEST(NormalizerTest, BadJsonSaysWhy) {
  for (const char* json : {R"({"type":"Precompiled"})", R"(3)", R"({"type":"Sequence"})",
                           R"({"type":"Replace","content":"a"})",
                           R"({"type":"Replace","pattern":{"Regex":"["},"content":"a"})"}) {
    const auto normalizer = Normalizer::FromJson(Json::parse(json), "tokenizer.json");
    ASSERT_FALSE(normalizer) << json;
    EXPECT_THAT(normalizer.error().Message(), HasSubstr("tokenizer.json: normalizer"));
  }
}

}  // namespace
}  // namespace ergo::tokenizer
