#include "reasoning/verify/definitions.h"

#include <gtest/gtest.h>

namespace ergo::reasoning {
namespace {

TEST(Definitions, ANameStandsForItsCalculation) {
  EXPECT_EQ(CalculationBefore("\\text{Sold} = \\frac{5}{6} \\times 36\n\\text{Sold} ="),
            "\\frac{5}{6} \\times 36");
  EXPECT_EQ(CalculationBefore("\\[ \\text{Sold} = 36 - 6 \\]\n\\[\n= "), "36 - 6");
  EXPECT_EQ(CalculationBefore("\\[ \\text{Sold} = 36 - 6 \\]\n\\[\n  ="), "36 - 6");
  EXPECT_EQ(CalculationBefore("Total = 3 + 4\nWe add them.\nTotal ="), "3 + 4");
  EXPECT_EQ(CalculationBefore("Total = 3 + 4\nRest = 9 - 2\nTotal ="), "3 + 4");
  EXPECT_EQ(CalculationBefore("Total = 3 + 4 = 7\nTotal ="), std::nullopt);
  EXPECT_EQ(CalculationBefore("Total = 3 + 4\nSum ="), std::nullopt);
  EXPECT_EQ(CalculationBefore("3 + 4\nSome words\n="), std::nullopt);
  EXPECT_EQ(CalculationBefore("="), std::nullopt);
  EXPECT_EQ(CalculationBefore(""), std::nullopt);
}

std::vector<Finding> Check(std::string_view text) {
  CheckInput input;
  input.text = text;
  return DefinitionCheck().Run(input);
}

TEST(Definitions, AnotherValueIsRefuted) {
  auto found = Check("\\text{Sold} = \\frac{5}{6} \\times 36\n\\text{Sold} = 24\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].verdict, Verdict::kRefuted);
  EXPECT_TRUE(found[0].exact);
  EXPECT_EQ(found[0].value, "30");
  found = Check("\\[ Total = 1000 + 250.5 \\]\n\\[ Total = 1,250.50 \\]");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].verdict, Verdict::kVerified);
}

TEST(Definitions, ARoundedValueHolds) {
  for (const char* text : {"Share = 10 / 4\nShare = 3", "Share = 10 / 3\nShare = 3.33"}) {
    const auto found = Check(text);
    ASSERT_EQ(found.size(), 1u) << text;
    EXPECT_EQ(found[0].verdict, Verdict::kVerified) << found[0].reason;
  }
}

TEST(Definitions, SaysNothingOfWhatItDoesNotUnderstand) {
  for (const char* text :
       {"Total = 3 + 4\nThen he gets 2 more.\nTotal = 9", "Total = 3 + 4\nRest = 2",
        "Total = x + 4\nTotal = 9", "Total = 3 + 4\nTotal = 7 eggs", "Total = 3\nTotal = 4"}) {
    EXPECT_TRUE(Check(text).empty()) << text;
  }
}

}  // namespace
}  // namespace ergo::reasoning
