#include "reasoning/verify/algebra.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "reasoning/verify/algebra_check.h"

namespace ergo::reasoning {
namespace {

Sameness Compare(const std::string& a, const std::string& b) {
  const FormulaPtr x = ParseFormula(a);
  const FormulaPtr y = ParseFormula(b);
  if (!x || !y) return Sameness::kUnknown;
  return CompareExpressions(*x, *y);
}

TEST(Formula, ReadsLatexAndPlain) {
  for (const char* text :
       {"\\frac{1}{2}", "\\frac12", "2\\sqrt{3}", "(a+b)^2", "\\{1, 2\\}", "[0, 1)",
        "\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}", "x_1 + x_{2}", "-3 \\le x < 7",
        "1 \\pm \\sqrt{19}", "\\sin^2 x", "|x - 2|", "5!", "x \\in [0, 1]"}) {
    EXPECT_NE(ParseFormula(text), nullptr) << text;
  }
  for (const char* text :
       {"", "(", "1 +", "\\frac{1}", "\\foo", "1 2 )", "{", "|x", "\\begin{align} x"}) {
    EXPECT_EQ(ParseFormula(text), nullptr) << text;
  }
}

TEST(Formula, HostileInputIsRefusedInTime) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(ParseFormula(std::string(3000, '(')), nullptr);
  EXPECT_EQ(ParseFormula(std::string(3000, '-') + "1"), nullptr);
  EXPECT_EQ(ParseFormula(std::string(100000, '1')), nullptr);
  EXPECT_EQ(Compare("9^{9^{9^9}}", "1"), Sameness::kUnknown);
  EXPECT_EQ(Compare("(10^{100})^{1000000}", "1"), Sameness::kUnknown);
  EXPECT_EQ(Compare("1/0", "1"), Sameness::kUnknown);
  EXPECT_EQ(Compare("0^{-1}", "1"), Sameness::kUnknown);
  Compare("(a+b+c+d+e+f+g+h)^{60}", "(a+b+c+d+e+f+g+h)^{59}");
  Compare("((x+1)^{50}+y)^{50}", "x");
  Compare("\\sqrt{123456789123456789123456789123456789}", "1");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

TEST(Algebra, EqualExpressionsAreSeen) {
  EXPECT_EQ(Compare("(a+b)^2", "a^2 + 2ab + b^2"), Sameness::kSame);
  EXPECT_EQ(Compare("(a+b)^2", "a^2 + b^2"), Sameness::kDifferent);
  EXPECT_EQ(Compare("\\frac{x^2-1}{x-1}", "x + 1"), Sameness::kSame);
  EXPECT_EQ(Compare("\\frac{x}{7}+\\frac{2}{7}", "\\frac{x+2}{7}"), Sameness::kSame);
  EXPECT_NE(Compare("\\sqrt{8}", "2\\sqrt{2}"), Sameness::kDifferent);
  EXPECT_NE(Compare("\\tan^2(y)+1", "\\sec^2(y)"), Sameness::kDifferent);
  EXPECT_EQ(Compare("4", "4\\sqrt{2}"), Sameness::kDifferent);
  EXPECT_EQ(Compare("\\pi", "3.14159"), Sameness::kDifferent);
}

TEST(Algebra, PolynomialsAreSolved) {
  const auto coefficients = Coefficients(*ParseFormula("(x-2)(x+3)(x^2-2)"), "x");
  ASSERT_TRUE(coefficients);
  EXPECT_EQ(coefficients->size(), 5U);
  const auto roots = PolynomialRoots(*coefficients);
  ASSERT_TRUE(roots);
  ASSERT_EQ(roots->size(), 4U);
  for (const FormulaPtr& root : *roots) {
    const FormulaPtr value = Substitute(ParseFormula("(x-2)(x+3)(x^2-2)"), "x", root);
    EXPECT_NE(CompareExpressions(*value, *MakeNumber(0)), Sameness::kDifferent);
  }
  EXPECT_FALSE(PolynomialRoots({Rational(5)}));
  EXPECT_FALSE(PolynomialRoots({2, 0, 0, 1}));  // x^3 + 2
  EXPECT_FALSE(Coefficients(*ParseFormula("x^{1000}"), "x"));
  EXPECT_FALSE(Coefficients(*ParseFormula("\\sin x"), "x"));
}

TEST(Algebra, LinearSystemsAreSolved) {
  const auto solution =
      SolveLinear({ParseFormula("2x + y - 7"), ParseFormula("x - y + 1")}, {"x", "y"});
  ASSERT_TRUE(solution);
  EXPECT_EQ(solution->at("x"), 2);
  EXPECT_EQ(solution->at("y"), 3);
  EXPECT_FALSE(SolveLinear({ParseFormula("x + y")}, {"x", "y"}));
  EXPECT_FALSE(SolveLinear({ParseFormula("x y - 1"), ParseFormula("x - y")}, {"x", "y"}));
}

TEST(Algebra, ThreadsMayCallAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&right] {
      for (int round = 0; round < 20; ++round) {
        right += Compare("(x+1)^3", "x^3 + 3x^2 + 3x + 1") == Sameness::kSame;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 80);
}

std::string Verdicts(const std::string& text) {
  std::string letters;
  for (const Finding& finding : AlgebraCheck().Run({.question = "", .text = text})) {
    EXPECT_LE(finding.span.end, text.size());
    letters += finding.verdict == Verdict::kVerified ? 'v' : 'r';
  }
  return letters;
}

TEST(AlgebraCheck, SolutionsAreSubstituted) {
  EXPECT_EQ(Verdicts("2x + 3 = 11, so x = 4."), "v");
  EXPECT_EQ(Verdicts("Since 2x + 3 = 11, we get x = 5."), "r");
  EXPECT_EQ(Verdicts("From $x^2 - 5x + 6 = 0$ we get $x = 2$ or $x = 3$."), "vv");
  EXPECT_EQ(Verdicts("x^2 - 5x + 6 = 0, so x = 2 or x = 4"), "vr");
  const auto findings = AlgebraCheck().Run({.question = "", .text = "2x + 3 = 11, so x = 5"});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].value, "4");
  EXPECT_TRUE(findings[0].exact);
}

TEST(AlgebraCheck, IdentitiesAreVerified) {
  EXPECT_EQ(Verdicts("(a+b)^2 = a^2 + 2ab + b^2"), "v");
  EXPECT_EQ(Verdicts("We expand: (a+b)^2 = a^2 + b^2."), "r");
}

TEST(AlgebraCheck, WhatIsNoClaimIsLeftAlone) {
  for (const char* text :
       {"x = 5", "Let x = 5 and y = 2x.", "2x + 3 = 11", "x + y = 10, so x = 4", "3 + 4 = 8",
        "If 2x = 8, x = 4; let x = 5 now", "f(x) = x^2", "", "= = ="}) {
    EXPECT_EQ(Verdicts(text).find('r'), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace ergo::reasoning
