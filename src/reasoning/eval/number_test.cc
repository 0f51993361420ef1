#include "reasoning/eval/number.h"

#include <gtest/gtest.h>

#include <string>

namespace ergo::reasoning::eval {
namespace {

TEST(Number, IsReadAsPeopleWriteIt) {
  EXPECT_TRUE(SameNumber("$1,234.50", "1234.5"));
  EXPECT_TRUE(SameNumber("18", "18.00"));
  EXPECT_TRUE(SameNumber("18.", "+18"));
  EXPECT_TRUE(SameNumber("-$5", "$-5"));
  EXPECT_TRUE(SameNumber("\u22127", "-7"));
  EXPECT_TRUE(SameNumber("3/4", "0.75"));
  EXPECT_TRUE(SameNumber("6/8", "3/4"));
  EXPECT_TRUE(SameNumber("1.5e3", "1500"));
  EXPECT_TRUE(SameNumber("007", "7"));
  EXPECT_TRUE(SameNumber(".5", "1/2"));
  EXPECT_TRUE(SameNumber("-0", "0.0"));
  EXPECT_TRUE(SameNumber(" 12 ", "12"));
  EXPECT_TRUE(SameNumber("\u20ac12", "12"));
}

TEST(Number, IsExact) {
  EXPECT_FALSE(SameNumber("0.3333333333", "1/3"));
  EXPECT_FALSE(SameNumber("18", "18.0000001"));
  EXPECT_FALSE(SameNumber("9007199254740993", "9007199254740992"));
  EXPECT_TRUE(SameNumber("123456789012345678901234567890", "123456789012345678901234567890.0"));
  EXPECT_FALSE(SameNumber("123456789012345678901234567890", "123456789012345678901234567891"));
  EXPECT_FALSE(SameNumber("5", "-5"));
}

TEST(Number, OtherTextIsNone) {
  for (const char* text : {"", " ", "abc", "1,23", "12,3456", ",123", "1/0", "1.2.3", "12 apples",
                           "--5", "e5", "1e", "1e9999", "1/2/3", "$", ".", "12,,345"}) {
    EXPECT_FALSE(ParseNumber(text)) << text;
    EXPECT_FALSE(SameNumber(text, text)) << text;
  }
  EXPECT_FALSE(ParseNumber(std::string(1 << 20, '1')));
}

TEST(Expression, HasAnExactValueAndItsNumbers) {
  const auto value = EvaluateExpression("(3 + 50) * 2 - 12 / 8");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->value, *Fraction::Make(209, 2));
  EXPECT_EQ(value->numbers, (std::vector<std::int64_t>{3, 50, 2, 12, 8}));
  EXPECT_EQ(EvaluateExpression("8 / (3 - 8 / 3)")->value, Fraction(24));
  EXPECT_EQ(EvaluateExpression("2 - 3 - 4")->value, Fraction(-5));
  EXPECT_EQ(EvaluateExpression("100 / 5 / 4")->value, Fraction(5));
  EXPECT_EQ(EvaluateExpression("-3 + 10")->value, Fraction(7));
  EXPECT_EQ(EvaluateExpression("6 \u00d7 7 \u2212 84 \u00f7 2")->value, Fraction(0));
  EXPECT_EQ(EvaluateExpression("6 \\times \\left(7 - 5\\right)")->value, Fraction(12));
}

TEST(Expression, OtherTextHasNone) {
  for (const char* text :
       {"", "1 +", "(1", "1)", "1 2", "1 / (2 - 2)", "2 ** 3", "x + 1", "1.5 + 2",
        "9223372036854775807 * 2", "999999999999999999 * 999999999999999999"}) {
    EXPECT_FALSE(EvaluateExpression(text)) << text;
  }
  EXPECT_FALSE(EvaluateExpression(std::string(400, '(') + "1" + std::string(100, ')')));
  EXPECT_FALSE(EvaluateExpression(std::string(400, '-') + "1"));
  EXPECT_FALSE(EvaluateExpression(std::string(10000, '1')));
}

}  // namespace
}  // namespace ergo::reasoning::eval
