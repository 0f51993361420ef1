#include "reasoning/verify/logic_entailment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "reasoning/verify/logic_formula.h"

namespace ergo::reasoning {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

EntailmentResult Ask(const std::vector<std::string>& premises, std::string_view claim) {
  const auto result = Entails(premises, claim, std::chrono::seconds(20));
  EXPECT_TRUE(result) << result.error().Message();
  return result ? *result : EntailmentResult{};
}

std::string Verdict(const std::vector<std::string>& premises, std::string_view claim) {
  return std::string(Name(Ask(premises, claim).verdict));
}

TEST(LogicEntailmentTest, Propositions) {
  EXPECT_EQ(Verdict({"p -> q", "p"}, "q"), "entailed");
  EXPECT_EQ(Verdict({"p -> q", "!q"}, "p"), "contradicted");
  EXPECT_EQ(Verdict({"p or q"}, "p"), "independent");
  EXPECT_EQ(Verdict({"p <-> not q", "q"}, "p"), "contradicted");
  EXPECT_EQ(Verdict({}, "p | !p"), "entailed");
  EXPECT_EQ(Verdict({"p -> q -> r", "p & q"}, "r"), "entailed");
}

TEST(LogicEntailmentTest, QuantifiersAndNumbers) {
  EXPECT_EQ(Verdict({"forall x. man(x) -> mortal(x)", "man(socrates)"}, "mortal(socrates)"),
            "entailed");
  EXPECT_EQ(Verdict({"forall x. big(x) -> red(x)", "forall x. !big(x) -> red(x)"}, "red(anne)"),
            "entailed");
  EXPECT_EQ(Verdict({"exists x. sees(x, bob)"}, "sees(anne, bob)"), "independent");
  EXPECT_EQ(Verdict({"forall x, y. sees(x, y) -> sees(y, x)", "sees(a, b)"}, "sees(b, a)"),
            "entailed");
  EXPECT_EQ(Verdict({"n > 3", "m = n + 2"}, "m >= 6"), "entailed");
  EXPECT_EQ(Verdict({"2*n = 7"}, "n > 100"), "conflict");
  EXPECT_EQ(Verdict({"x - 3 = -1"}, "x = 2"), "entailed");
  EXPECT_EQ(Verdict({"a = b", "likes(a, c)"}, "likes(b, c)"), "entailed");
}

TEST(LogicEntailmentTest, CoresAreMinimal) {
  const auto conflict = Ask({"r", "p -> q", "s -> t", "p", "!q", "q -> !p"}, "t");
  EXPECT_EQ(conflict.verdict, Entailment::kConflict);
  EXPECT_THAT(conflict.core, ElementsAre(1, 3, 4));
  EXPECT_TRUE(conflict.minimal);
  const auto entailed = Ask({"r", "p -> q", "s", "p"}, "q");
  EXPECT_THAT(entailed.core, ElementsAre(1, 3));
  EXPECT_THAT(Ask({"p"}, "q").core, IsEmpty());
}

TEST(LogicEntailmentTest, BadFormulasAreErrors) {
  const auto message = [](const std::string& premise) {
    const auto result = Entails(std::vector<std::string>{premise}, "p");
    return result ? std::string("accepted") : result.error().Message();
  };
  for (const char* text : {"", "p &", "(p", "p)", "forall . p", "f(", "p q", "1 +", "forall x p(x)",
                           "\x01", "f()", "p = = q"}) {
    EXPECT_THAT(message(text), HasSubstr("premise 1")) << text;
  }
  EXPECT_THAT(message("p + 1 = 2"), HasSubstr("claim: p is used in two ways"));
  EXPECT_THAT(message(std::string(5000, '(')), HasSubstr("deep"));
  EXPECT_THAT(message(std::string(5000, '!') + "p"), HasSubstr("deep"));
  EXPECT_THAT(message(std::string(5000, '-') + "1 = q"), HasSubstr("deep"));
  std::string implies;
  for (int i = 0; i < 1000; ++i) implies += "p -> ";
  EXPECT_THAT(message(implies + "p"), HasSubstr("deep"));
  EXPECT_THAT(message(std::string(20000, 'p')), HasSubstr("too long"));
}

TEST(LogicEntailmentTest, HardQuestionsEndInTime) {
  const auto start = std::chrono::steady_clock::now();
  const auto result =
      Entails(std::vector<std::string>{"x > 1 & y > 1 & z > 1", "x*x*x + y*y*y = z*z*z"}, "false",
              std::chrono::milliseconds(300));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verdict, Entailment::kUndecided);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(LogicEntailmentTest, ManyThreads) {
  std::vector<std::string> verdicts(8);
  std::vector<std::thread> threads;
  for (std::string& verdict : verdicts) {
    threads.emplace_back([&verdict] {
      verdict = Verdict({"forall x. p(x) -> q(x)", "p(a)"}, "q(a)");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(verdicts, ::testing::Each("entailed"));
}

}  // namespace
}  // namespace ergo::reasoning
