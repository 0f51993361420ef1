#include "reasoning/verify/arithmetic.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "reasoning/verify/phrase_token.h"
#include "reasoning/verify/planted_errors.h"

namespace ergo::reasoning {
namespace {

std::vector<Finding> Check(const std::string& text) {
  return ArithmeticCheck().Run({.question = "", .text = text});
}

// "v" verified, "r" refuted, "?" unchecked, one letter a finding.
std::string Verdicts(const std::string& text) {
  std::string letters;
  for (const Finding& finding : Check(text)) {
    letters += finding.verdict == Verdict::kVerified  ? 'v'
               : finding.verdict == Verdict::kRefuted ? 'r'
                                                      : '?';
  }
  return letters;
}

TEST(Arithmetic, RightEquationsAreVerified) {
  for (const char* text : {"3 x 12 = 36",
                           "$36 * 5/6 = $30",
                           "24/2 = 12 cups",
                           "Natalia sold 48/2 = 24 clips",
                           "\\frac{1}{2} \\times 48 = 24",
                           "\\(3 \\cdot 4 = 12\\)",
                           "12 加 5 等于 17",
                           "1,234 + 1 = 1,235",
                           "$350 000 x 5/100 = $17 500",
                           "15/60*100 = 25%",
                           "50 + 20% = 60",
                           "0.1+0.2=0.3",
                           "2 1/2 + 1/2 = 3",
                           "5! = 120",
                           "3^2 + 4^2 = 5^2",
                           "2**10 = 1024",
                           "sqrt(16) = 4",
                           "3万 + 5千 = 35000",
                           "三十六除以四等于九",
                           "½ × 30 = 15",
                           "2(3 + 4) = 14",
                           "84/12 = 7 dozen eggs",
                           "-5 + 3 = -2",
                           "1 1/2 / 1/2 = 3 episodes",
                           "75 roses * 8 thorns/rose = 600 thorns"}) {
    EXPECT_EQ(Verdicts(text), "v") << text;
  }
}

TEST(Arithmetic, WrongEquationsAreRefutedWithTheTrueResult) {
  const std::string text = "She earns $36 * 5/6 = $31 in total.";
  const auto findings = Check(text);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].verdict, Verdict::kRefuted);
  EXPECT_TRUE(findings[0].exact);
  EXPECT_EQ(findings[0].value, "30");
  EXPECT_EQ(findings[0].method, "arithmetic");
  EXPECT_EQ(text.substr(findings[0].span.begin, findings[0].span.end - findings[0].span.begin),
            "$36 * 5/6 = $31");
  for (const char* wrong : {"12 加 5 等于 18", "$\\frac{3}{4} \\cdot 48 = 35$", "24/2 = 13",
                            "84/12 = 8 dozen", "1/3 = 0.34", "15/60*100 = 35%", "- 5 * 6 = 31",
                            "2) 4 + 4 = 9", "3 * 4 = 12.5", "5 × 6 = 31（个）"}) {
    EXPECT_EQ(Verdicts(wrong), "r") << wrong;
  }
}

TEST(Arithmetic, ChainsAndMarkersAreCheckedLinkByLink) {
  EXPECT_EQ(Verdicts("4 * 60 / 5 = 4 * 12 = 48"), "vv");
  EXPECT_EQ(Verdicts("x = 5 + 3 = 8 = 9"), "vr");
  EXPECT_EQ(Verdicts("48/2 = <<48/2=24>>24 clips"), "vv");
  EXPECT_EQ(Verdicts("48/2 = <<48/2=25>>24 clips"), "vr");
  EXPECT_EQ(Verdicts("3 + 4 &= 7 \\\\ &= 8"), "vr");
}

TEST(Arithmetic, StatementsInWordsAreParsed) {
  for (const char* text : {"half of 48 is 24",
                           "3 dozen is 36",
                           "the sum of 12 and 30 is 42",
                           "5 more than 7 is 12",
                           "20% of 50 equals 10",
                           "Twice 8 is 16.",
                           "If we add 5 to 7, we get 12.",
                           "12 and 30 add up to 42.",
                           "thirty-six divided by four is nine",
                           "two thirds of the 30 clips is 20 clips",
                           "36的六分之五是30",
                           "12 和 5 的和是 17",
                           "50的20%是10",
                           "5的3倍是15",
                           "比7多5的数是12",
                           "把60平均分成5份，每份是12",
                           "50的百分之二十是10",
                           "5的平方是25",
                           "12、30和5的和是47",
                           "36是12的3倍",
                           "200 increased by 10% is 220",
                           "12除以4，商是3"}) {
    EXPECT_EQ(Verdicts(text), "v") << text;
  }
  for (const char* text : {"half of 48 is 25", "the sum of 12, 30 and 5 is 48", "36的六分之五是31",
                           "12和5的积是50", "5 less than 7 is 3", "3打是37"}) {
    EXPECT_EQ(Verdicts(text), "r") << text;
  }
}

TEST(Arithmetic, UnitsAreConverted) {
  for (const char* text :
       {"90 minutes = 1.5 hours", "2 hours + 30 minutes = 150 minutes", "2小时30分钟 = 150分钟",
        "1920 inches / 12 inches/foot = 160 feet", "$5 - 50 cents = $4.50", "3 km + 500 m = 3500 m",
        "3 hours = 180 minutes"}) {
    EXPECT_EQ(Verdicts(text), "v") << text;
  }
  EXPECT_EQ(Verdicts("90 minutes = 2 hours"), "r");
  EXPECT_EQ(Verdicts("2 hours + 30 minutes = 32 minutes"), "r");
  EXPECT_EQ(Verdicts("2 hours * 60 = 7200 seconds"), "?");
  EXPECT_EQ(Verdicts("3 hours * 60 = 10800"), "?");
  EXPECT_NE(Verdicts("5 km = 5 hours"), "r");
}

TEST(Arithmetic, RoundedResultsHoldAndTheReasonSaysSo) {
  const auto findings = Check("10/3 = 3.33");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].verdict, Verdict::kVerified);
  EXPECT_NE(findings[0].reason.find("rounded"), std::string::npos);
  EXPECT_EQ(Verdicts("10/6 = 1.66"), "v");
  EXPECT_EQ(Verdicts("1000/7 ≈ 140"), "v");
  EXPECT_EQ(Verdicts("1000/7 ≈ 200"), "r");
  EXPECT_EQ(Verdicts("12/4 = 3.01"), "r");
}

TEST(Arithmetic, WhatIsNoClaimIsLeftAlone) {
  for (const char* text : {"x = 5",
                           "2x + 3 = 11",
                           "Step 1 = read the text",
                           "12:30 = noon",
                           "3:2 = 6:4",
                           "A1 = 5",
                           "f(3) = 7",
                           "if x == 5: y = 3 + 4",
                           "version 1.2.3 = old",
                           "5 + 3 = 2 (mod 6)",
                           "17 / 5 = 3 remainder 2",
                           "17÷5=3余2",
                           "3 apples = $6",
                           "2/3 = 50 students",
                           "x + 5 = 12",
                           "20% of the students = 40",
                           "12 = x + 5",
                           "1+2+...+10 = 55",
                           "204_5 = 54",
                           "4s + 16 = 2s + 32",
                           "30/100%1000 = 300",
                           "Let n = 3 and 2n = 6",
                           "It is wrong that 5 * 3 = 16",
                           "There are 30 students and 12 are girls.",
                           "He is 12 years old.",
                           "1 box = 12 pens",
                           "```\n3 + 4 = 8\n```",
                           "In 2019 - 5 = many",
                           "2 subs are $7.50 each",
                           "log 100 = 3",
                           ""}) {
    EXPECT_EQ(Verdicts(text).find('r'), std::string::npos) << text;
  }
}

TEST(Arithmetic, HostileTextEndsInTime) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Verdicts("9**9**9 = 3"), "");
  EXPECT_EQ(Verdicts("10^1000000000 = 1"), "");
  EXPECT_EQ(Verdicts("5 / 0 = 3"), "");
  EXPECT_EQ(Verdicts(std::string(100000, '9') + " + 1 = 2"), "");
  EXPECT_EQ(Verdicts(std::string(100000, '(') + "1 = 1"), "");
  Check(std::string(50000, '-') + "1 = 1");
  std::string nested;
  for (int i = 0; i < 20000; ++i) nested += "1 + 1 = ";
  Check(nested);
  nested.clear();
  for (int i = 0; i < 20000; ++i) nested += "half of ";
  Check(nested + "2 is 3");
  nested = "1";
  for (int i = 0; i < 2000; ++i) nested += "*999999999999";
  EXPECT_EQ(Verdicts(nested + " = 1"), "");
  Check("\xff\xfe = \x80 3 + 4 = \xe4\xb8");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));  // with sanitizers
}

TEST(Arithmetic, RandomTextNeverHarms) {
  const std::vector<std::string> parts = {"3",      "12",        "=",
                                          "+",      "-",         "*",
                                          "/",      "(",         ")",
                                          "{",      "}",         "\\frac",
                                          "^",      "%",         "$",
                                          "half",   "of",        "和",
                                          "的",     "是",        "比",
                                          "多",     "dozen",     "<<",
                                          ">>",     "is",        "1/2",
                                          "km",     "hours",     ",",
                                          ".",      "!",         "平均分成",
                                          "\\sqrt", "twice",     "the sum of",
                                          "and",    "more than", "increased by",
                                          "0",      "半",        "万"};
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (int i = 0; i < 24; ++i) {
      text += parts[random() % parts.size()];
      if (random() % 2 == 0) text += ' ';
    }
    for (const Finding& finding : Check(text)) {
      ASSERT_LE(finding.span.begin, finding.span.end) << text;
      ASSERT_LE(finding.span.end, text.size()) << text;
    }
    ExactValueAfterEquals(text);
  }
}

TEST(Arithmetic, TheDeadlineIsKept) {
  const auto findings = ArithmeticCheck().Run(
      {.question = "", .text = "3 + 4 = 7", .until = std::chrono::steady_clock::now()});
  EXPECT_TRUE(findings.empty());
}

TEST(ArithmeticValue, GoesOnAfterTheEqualsSign) {
  EXPECT_EQ(ExactValueAfterEquals("She pays 3 * $7.50 =").value(), "$22.50");
  EXPECT_EQ(ExactValueAfterEquals("She pays 3 * $7.50 = $").value(), "22.50");
  EXPECT_EQ(ExactValueAfterEquals("$80 * 3 = $").value(), "240");
  EXPECT_EQ(ExactValueAfterEquals("20/6 = ").value(), "10/3");
  EXPECT_EQ(ExactValueAfterEquals("1,200 + 34 =").value(), "1,234");
  EXPECT_EQ(ExactValueAfterEquals("So 48/2 = <<48/2=").value(), "24");
  EXPECT_EQ(ExactValueAfterEquals("12加5等于").value(), "17");
  EXPECT_EQ(ExactValueAfterEquals("x = 3 + 4 * 2 =").value(), "11");
}

TEST(ArithmeticValue, IsSilentWhereTheTextIsNotUnderstood) {
  for (const char* text : {"x =", "2x + 3 =", "9**9**9 =", "50 + 20% =", "5/0 =", "the cost =",
                           "12 =", "3 + 4 = 7", "", "=", "3 hours + 20 minutes =", "5 mod 3 ="}) {
    EXPECT_FALSE(ExactValueAfterEquals(text)) << text;
  }
}

TEST(ChineseNumerals, AreRead) {
  EXPECT_EQ(ChineseNumeral("三十六").value(), 36);
  EXPECT_EQ(ChineseNumeral("一百零五").value(), 105);
  EXPECT_EQ(ChineseNumeral("二〇二四").value(), 2024);
  EXPECT_EQ(ChineseNumeral("两万三千").value(), 23000);
  EXPECT_EQ(ChineseNumeral("三点五").value(), Rational(7, 2));
  EXPECT_EQ(ChineseNumeral("一点五亿").value(), 150000000);
  EXPECT_EQ(ChineseNumeral("十").value(), 10);
  EXPECT_FALSE(ChineseNumeral("三十六个"));
  EXPECT_FALSE(ChineseNumeral("百"));
  EXPECT_FALSE(ChineseNumeral(""));
}

struct Rates {
  double planted = 0;
  double found = 0;
  double alarms = 0;
};

Rates Measure(bool prose) {
  Rates rates;
  for (const PlantedSolution& solution : MakePlantedSolutions(1000, 11)) {
    if (solution.prose != prose) continue;
    bool found = false;
    bool alarm = false;
    for (const Finding& finding : Check(solution.text)) {
      if (finding.verdict != Verdict::kRefuted) continue;
      const bool inside = solution.error && finding.span.begin < solution.error->end &&
                          solution.error->begin < finding.span.end;
      (inside ? found : alarm) = true;
    }
    rates.planted += solution.error ? 1 : 0;
    rates.found += found;
    rates.alarms += alarm;
  }
  return rates;
}

TEST(PlantedErrors, AreFoundWithoutFalseAlarms) {
  const Rates equations = Measure(false);
  EXPECT_GE(equations.planted, 200);
  EXPECT_GE(equations.found / equations.planted, 0.99);
  EXPECT_LE(equations.alarms / 500, 0.01);
  const Rates prose = Measure(true);
  EXPECT_GE(prose.found / prose.planted, 0.85);
  EXPECT_LE(prose.alarms / 500, 0.01);
}

}  // namespace
}  // namespace ergo::reasoning
