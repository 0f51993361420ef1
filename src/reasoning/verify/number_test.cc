#include "reasoning/verify/number.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace ergo::reasoning {
namespace {

TEST(Number, DecimalsAreExact) {
  EXPECT_EQ(ParseDecimal("0.1").value() + ParseDecimal(".2").value(), ParseDecimal("0.30").value());
  EXPECT_EQ(Text(ParseDecimal("12.50").value()), "12.5");
  EXPECT_EQ(Text(Rational(10, 3)), "10/3");
  EXPECT_EQ(Text(Rational(-1, 8)), "-0.125");
}

TEST(Number, RefusesWhatIsNoDecimal) {
  for (const char* text : {"", ".", "1.2.3", "-1", "1e5", "0x10", "１"}) {
    EXPECT_FALSE(ParseDecimal(text)) << text;
  }
  EXPECT_FALSE(ParseDecimal(std::string(100000, '9')));
}

TEST(Number, LargePowersAreRefusedAtOnce) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(Power(9, 387420489));
  EXPECT_FALSE(Power(10, 1000000000));
  EXPECT_FALSE(Power(2, Rational(mpz_class("99999999999999999999"))));
  EXPECT_FALSE(Power(Rational(1, 3), -5000));
  EXPECT_FALSE(Power(0, -1));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(200));
  EXPECT_EQ(Power(1, 1000000000).value(), 1);
  EXPECT_EQ(Power(-1, 1000000001).value(), -1);
  EXPECT_EQ(Power(2, 100).value().get_str(), "1267650600228229401496703205376");
}

TEST(Number, RootsAreExactOrRefused) {
  EXPECT_EQ(Power(Rational(16, 9), Rational(1, 2)).value(), Rational(4, 3));
  EXPECT_EQ(Power(-27, Rational(2, 3)).value(), 9);
  EXPECT_FALSE(Power(2, Rational(1, 2)));
  EXPECT_FALSE(ExactRoot(-4, 2));
}

TEST(Number, RoundsHalvesAwayFromZero) {
  EXPECT_EQ(RoundTo(Rational(5, 2), 0), 3);
  EXPECT_EQ(RoundTo(Rational(-5, 2), 0), -3);
  EXPECT_EQ(RoundTo(Rational(2, 3), 2), Rational(67, 100));
  EXPECT_EQ(RoundTo(1234, -2), 1200);
}

TEST(Number, FactorialsHaveALimit) {
  EXPECT_EQ(Factorial(5).value(), 120);
  EXPECT_FALSE(Factorial(201));
  EXPECT_FALSE(Factorial(-1));
  EXPECT_FALSE(Factorial(Rational(1, 2)));
}

}  // namespace
}  // namespace ergo::reasoning
