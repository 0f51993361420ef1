#include "reasoning/derive/compare.h"

#include <gtest/gtest.h>

namespace ergo::reasoning {
namespace {

Derivation Chain(std::string text, std::vector<std::pair<std::string, std::size_t>> values) {
  Derivation derivation;
  derivation.text = std::move(text);
  for (const auto& [value, place] : values) {
    Finding finding;
    finding.value = value;
    finding.span = {place, place + 1};
    derivation.findings.push_back(std::move(finding));
  }
  return derivation;
}

TEST(Compare, NamesTheFirstStepWithAResultOfItsOwn) {
  const Derivation winner = Chain("3 * 12 = 36\n36 * 5/6 = 30\n", {{"36", 0}, {"30", 12}});
  Derivation other =
      Chain("So 3 * 12 = 36.\n  36 - 6 = 30\n30 * 3 = 90\n", {{"36", 3}, {"30", 20}, {"90", 31}});
  EXPECT_EQ(HowItDiffers(other, winner),
            "parts at \"30 * 3 = 90\"; no check tells them apart, only the votes do");
  other.missing = 2;
  EXPECT_EQ(HowItDiffers(other, winner),
            "parts at \"30 * 3 = 90\"; 2 of the question's numbers are not in it");
  other.findings[1].exact = true;
  other.findings[1].verdict = Verdict::kRefuted;
  other.findings[1].reason = "36 - 6 is 30";
  EXPECT_EQ(HowItDiffers(other, winner),
            "parts at \"30 * 3 = 90\"; a check refuted it: 36 - 6 is 30");
}

TEST(Compare, ProgramsPartAtALine) {
  Derivation winner = Chain("eggs = 36\nanswer = eggs / 2", {});
  Derivation other = Chain("eggs = 36\n\nanswer = eggs / 3", {});
  winner.kind = other.kind = DerivationKind::kProgram;
  other.finished = false;
  EXPECT_EQ(HowItDiffers(other, winner), "parts at \"answer = eggs / 3\"; it was cut off");
  EXPECT_EQ(HowItDiffers({}, {}), "no check tells them apart, only the votes do");
}

TEST(Compare, LongLinesAreCutAtACharacter) {
  std::string line;
  for (int i = 0; i < 100; ++i) line += "元";
  const std::string shown = HowItDiffers(Chain(line, {}), {});
  EXPECT_NE(shown.find("元…\""), std::string::npos);
  EXPECT_LT(shown.size(), 200u);
}

}  // namespace
}  // namespace ergo::reasoning
