// Theories, their readers, and questions about them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "reasoning/verify/logic_question.h"
#include "reasoning/verify/logic_reader.h"
#include "reasoning/verify/logic_words.h"

namespace ergo::reasoning {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

/// What a text makes of a claim, in the given world; "?" where one of them is not understood.
std::string Judge(std::string_view text, std::string_view claim, World world = World::kOpen) {
  LogicReader reader;
  reader.Read(text);
  const auto rules = reader.Claim(claim);
  if (!reader.understood_all() || !rules || rules->size() != 1 || !rules->front().body.empty())
    return "?";
  const auto model = LeastModel::Of(reader.theory(), world);
  if (!model) return model.error().what;
  if (model->Find(rules->front().head)) return "true";
  if (model->Find(Negation(rules->front().head))) return "false";
  if (world == World::kOpen) return "unknown";
  return rules->front().head.negated ? "true" : "false";
}

bool Understands(std::string_view sentence) {
  LogicReader reader;
  return reader.Claim(sentence).has_value();
}

TEST(LogicTheoryTest, ChainsForwardThroughManySteps) {
  const std::string_view letters = "abcdefghijklmnopqrstuvwxyz";
  std::string text = "Anne is qa.";
  for (std::size_t i = 0; i + 1 < letters.size(); ++i) {
    text +=
        std::string(" If someone is q") + letters[i] + " then they are q" + letters[i + 1] + ".";
  }
  EXPECT_EQ(Judge(text, "Anne is qz"), "true");
  EXPECT_EQ(Judge(text, "Anne is not qz"), "false");
  EXPECT_EQ(Judge(text, "Anne is other"), "unknown");
}

TEST(LogicTheoryTest, OpenAndClosedWorldsDifferOnAbsence) {
  const char* text = "Anne is kind. Bob is big. If someone is not big then they are green.";
  EXPECT_EQ(Judge(text, "Anne is green", World::kOpen), "unknown");
  EXPECT_EQ(Judge(text, "Anne is green", World::kClosed), "true");
  EXPECT_EQ(Judge(text, "Bob is green", World::kClosed), "false");
  EXPECT_EQ(Judge("Anne is not big. If someone is not big then they are green.", "Anne is green"),
            "true");
  // No case distinction: classical logic would say true.
  EXPECT_EQ(Judge("Anne is kind. If someone is big then they are red. If someone is not big then "
                  "they are red.",
                  "Anne is red"),
            "unknown");
}

TEST(LogicTheoryTest, NegationInACircleIsRefused) {
  const char* text =
      "Anne is kind. If someone is kind and not red then they are blue. If someone is blue then "
      "they are red.";
  EXPECT_THAT(Judge(text, "Anne is red", World::kClosed), HasSubstr("circle"));
  EXPECT_EQ(Judge(text, "Anne is red", World::kOpen), "unknown");
}

TEST(LogicTheoryTest, StrataAreTakenInOrder) {
  const char* text =
      "Anne is kind. If someone is red then they are big. If someone is not big then they are "
      "cold. "
      "If someone is kind then they are red. If someone is not cold then they are warm.";
  EXPECT_EQ(Judge(text, "Anne is cold", World::kClosed), "false");
  EXPECT_EQ(Judge(text, "Anne is warm", World::kClosed), "true");
}

TEST(LogicTheoryTest, ConflictsAreMinimal) {
  LogicReader reader;
  reader.Read(
      "Bob is big. Anne is kind. Anne is quiet. All kind people are red. If someone is red then "
      "they are not round. "
      "Quiet people are round. Bob is quiet.");
  EXPECT_THAT(MinimalConflict(reader.theory(), World::kOpen), ElementsAre(1, 2, 3, 4, 5));
  LogicReader fine;
  fine.Read("Bob is big. All big people are red.");
  EXPECT_THAT(MinimalConflict(fine.theory(), World::kOpen), IsEmpty());
}

TEST(LogicTheoryTest, TooManyGroundRulesAreRefusedQuickly) {
  std::string text;
  for (char a = 'A'; a <= 'Z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) text += std::string(1, a) + b + "q is big. ";
  }
  text += "If X sees Y and Y sees Z then X sees Z.";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(Judge(text, "Aaq is big"), HasSubstr("ground rules"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(LogicWordsTest, BaseForms) {
  const std::set<std::string, std::less<>> nouns = {"wumpus", "house", "impus"};
  EXPECT_EQ(SingularOf("wumpuses", nouns), "wumpus");
  EXPECT_EQ(SingularOf("houses", nouns), "house");
  EXPECT_EQ(SingularOf("dumpuses", {}), "dumpus");
  EXPECT_EQ(SingularOf("impus", nouns), "impus");
  EXPECT_EQ(SingularOf("cats", {}), "cat");
  EXPECT_EQ(SingularOf("puppies", {}), "puppy");
  EXPECT_EQ(SingularOf("mice", {}), "mouse");
  EXPECT_EQ(BaseOfVerb("chases"), "chase");
  EXPECT_EQ(BaseOfVerb("watches"), "watch");
  EXPECT_EQ(BaseOfVerb("carries"), "carry");
  EXPECT_EQ(BaseOfVerb("sees"), "see");
}

TEST(LogicEnglishTest, FactsOfEveryForm) {
  const char* text =
      "Anne is kind and quiet. Bob isn't red. Max is a wumpus. The bald eagle chases the cat. "
      "The cat does not see Bob. Anne is taller than Bob. Tweety can fly. Carl and Dora are sad.";
  for (const char* claim :
       {"Anne is quiet", "Bob is not red", "Max is a wumpus", "The bald eagle chases the cat",
        "The cat doesn't see Bob", "Anne is taller than Bob", "Tweety can fly", "Carl is sad",
        "Dora is sad"}) {
    EXPECT_EQ(Judge(text, claim), "true") << claim;
  }
  for (const char* claim :
       {"Bob is taller than Anne", "The cat chases the bald eagle", "Anne is a wumpus"}) {
    EXPECT_EQ(Judge(text, claim), "unknown") << claim;
  }
}

TEST(LogicEnglishTest, RulesOfEveryForm) {
  for (const char* rule :
       {"If someone is kind and quiet then they are red", "All kind, quiet people are red",
        "Kind, quiet things are red", "Whoever is kind and quiet is also red",
        "People who are kind and quiet are red", "Everyone who is kind and quiet is red",
        "If Anne is kind and Anne is quiet then Anne is red", "If a person is kind, they are red",
        "If something is big or kind then it is red", "Everything is red",
        "If X is kind and X is quiet, then X is red"}) {
    EXPECT_EQ(Judge("Anne is kind. Anne is quiet. " + std::string(rule) + ".", "Anne is red"),
              "true")
        << rule;
    EXPECT_EQ(Judge("Anne is round. " + std::string(rule) + ".", "Anne is red"),
              std::string_view(rule) == "Everything is red" ? "true" : "unknown")
        << rule;
  }
  for (const char* rule :
       {"No kind person is red", "Kind people are not red", "Every kind thing is not red",
        "No one who is kind is red", "Whoever is kind is never red", "Nobody is red"}) {
    EXPECT_EQ(Judge("Anne is kind. " + std::string(rule) + ".", "Anne is red"), "false") << rule;
  }
}

TEST(LogicEnglishTest, RoundaboutRules) {
  for (const char* rule : {"Anything that is kind is also red",
                           "Whoever happens to be kind turns out to be red",
                           "To be kind means to be red",
                           "To be kind is to be red",
                           "If something is kind, it is bound to be red",
                           "There is no kind thing that is not red",
                           "There is nobody who is kind but not red",
                           "Kind implies red",
                           "Being kind makes one red",
                           "Being kind means being red",
                           "Being kind requires being red",
                           "No one can be kind without being red",
                           "It is impossible to be kind without being red",
                           "Nobody is kind and not red",
                           "To be red, it is enough to be kind",
                           "Being kind is all it takes to be red",
                           "If you are kind, you are red",
                           "Show me a person who is kind and I'll show you a person who is red",
                           "It is certain that all kind people are red",
                           "Anyone kind is red"}) {
    EXPECT_EQ(Judge("Anne is kind. " + std::string(rule) + ".", "Anne is red"), "true") << rule;
    EXPECT_EQ(Judge("Anne is big. " + std::string(rule) + ".", "Anne is red"), "unknown") << rule;
    EXPECT_EQ(Judge("Anne is red. " + std::string(rule) + ".", "Anne is kind"), "unknown") << rule;
  }
  for (const char* rule :
       {"Being kind excludes being red", "Being kind keeps one from being red",
        "One can never be kind while being red", "Nobody is both kind and red",
        "There are no kind people who are red", "Whoever is kind is far from red"}) {
    EXPECT_EQ(Judge("Anne is kind. " + std::string(rule) + ".", "Anne is red"), "false") << rule;
  }
}

TEST(LogicEnglishTest, RoundaboutFacts) {
  for (const char* fact : {"As for Anne, she is red", "You will find Anne to be red",
                           "The word red describes Anne", "This much is clear: Anne is red",
                           "Everyone knows that Anne is red", "Anne turns out to be red"}) {
    EXPECT_EQ(Judge(fact, "Anne is red"), "true") << fact;
  }
  for (const char* fact : {"Anne is by no means red", "Anne is anything but red",
                           "The word red does not fit Anne", "Anne fails to be red"}) {
    EXPECT_EQ(Judge(fact, "Anne is red"), "false") << fact;
  }
}

TEST(LogicEnglishTest, HedgesAreNotLost) {
  for (const char* sentence :
       {"Being kind often makes one red", "Being kind may mean being red",
        "You can be kind without being red", "You can rarely be kind without being red",
        "It is not certain that Anne is kind", "Anne is not certain to be kind",
        "Anne is not always kind", "Anne is not both kind and red", "Kind people tend to be red",
        "Somebody doubts that Anne is kind", "Bob believes that Anne is kind",
        "The cat seldom is kind", "Someone who is kind is red", "Two people are kind",
        "It takes being kind to be red", "Almost everyone is kind", "3 people are red",
        "Being not kind and red makes one big", "Anne seems to be kind"}) {
    EXPECT_FALSE(Understands(sentence)) << sentence;
  }
}

TEST(LogicEnglishTest, RelationsAndPronouns) {
  const char* text =
      "The cat chases the dog. The dog is big. If something chases the dog and the dog is big then "
      "it likes the mouse. "
      "If someone likes the mouse then the mouse needs the cat. If X needs Y and Y likes X then X "
      "is happy.";
  EXPECT_EQ(Judge(text, "The cat likes the mouse"), "true");
  EXPECT_EQ(Judge(text, "The mouse needs the cat"), "true");
  EXPECT_EQ(Judge(text, "The mouse is happy"), "true");
  EXPECT_EQ(Judge(text, "The dog is happy"), "unknown");
}

TEST(LogicEnglishTest, InventedNouns) {
  const char* text =
      "Each jompus is a yumpus. Yumpuses are dumpuses. Every dumpus is not shy. Dumpuses are "
      "impuses. Max is a jompus.";
  EXPECT_EQ(Judge(text, "Max is an impus"), "true");
  EXPECT_EQ(Judge(text, "Max is shy"), "false");
  EXPECT_EQ(Judge(text, "Max is bright"), "unknown");
}

TEST(LogicEnglishTest, WhatIsNotUnderstoodIsNotGuessed) {
  for (const char* sentence :
       {"Some cats are red", "Most people are kind", "Anne is kind or red",
        "If someone is kind then someone is red", "Anne is very kind", "There are three cats",
        "Anne, who is kind, sings loudly on Mondays", "Only kind people are red",
        "Not all people are kind", "Anne should be kind", "If", "is", "Anne", ",", "and and and",
        "The the the is the", "Unless Anne is kind Bob is red", "Anne is kind because Bob is red",
        "If they are kind then Bob is red"}) {
    EXPECT_FALSE(Understands(sentence)) << sentence;
  }
  LogicReader reader;
  reader.Read("Anne is kind. Gibberish flows upward quickly! Bob is red.");
  ASSERT_EQ(reader.sentences().size(), 3U);
  EXPECT_TRUE(reader.sentences()[0].understood);
  EXPECT_FALSE(reader.sentences()[1].understood);
  EXPECT_EQ(reader.sentences()[1].span, (Span{14, 44}));
  EXPECT_TRUE(reader.sentences()[2].understood);
}

TEST(LogicEnglishTest, HostileTextEndsInTime) {
  const auto start = std::chrono::steady_clock::now();
  LogicReader reader;
  std::string deep;
  for (int i = 0; i < 20000; ++i) deep += "it is true that ";
  reader.Read(deep + "Anne is kind");
  std::string many = "If ";
  for (int i = 0; i < 20000; ++i) many += "someone is kind and ";
  reader.Read(many);
  std::string sentences;
  for (int i = 0; i < 100000; ++i) sentences += "A.\xff\xfe 如果。";
  reader.Read(sentences);
  EXPECT_FALSE(reader.understood_all());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(LogicChineseTest, FactsAndRules) {
  const char* text =
      "小明是学生。小红不是老师。小明很善良。小明喜欢小红。所有学生都是聪明的。如果某人聪明而且善良"
      "，那么他是快乐的。"
      "所有快乐的人都不是懒惰的。如果有人喜欢小红，那么小红喜欢他。没有学生是老师。每个聪明的学生都"
      "很勤奋。";
  for (const char* claim : {"小明是聪明的", "小明很快乐", "小明不懒惰", "小红喜欢小明",
                            "小明不是老师", "小明是勤奋的"}) {
    EXPECT_EQ(Judge(text, claim), "true") << claim;
  }
  EXPECT_EQ(Judge(text, "小明是老师"), "false");
  EXPECT_EQ(Judge(text, "小红很快乐"), "unknown");
  for (const char* sentence :
       {"有些学生是聪明的", "小明可能来了", "如果", "是", "小明或小红是学生"})
    EXPECT_FALSE(Understands(sentence)) << sentence;
}

TEST(LogicQuestionTest, AnswersWithItsDerivation) {
  const std::vector<std::string> options = {"A) True", "B) False", "C) Unknown"};
  const auto answer = SolveLogicQuestion(
      "Anne is kind. All kind people are round. Round, kind things are not cold.",
      "Based on the above information, is the following statement true, false, or unknown? Anne is "
      "cold.",
      options);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->truth, LogicTruth::kFalse);
  EXPECT_EQ(answer->option, 1U);
  EXPECT_EQ(answer->value, "False");
  EXPECT_EQ(answer->semantics, "least model, open world");
  EXPECT_TRUE(answer->exact);
  ASSERT_EQ(answer->steps.size(), 3U);
  EXPECT_EQ(answer->steps[0].text, "Anne is kind");
  EXPECT_TRUE(answer->steps[0].given);
  EXPECT_EQ(answer->steps[1].text, "Anne is round");
  EXPECT_EQ(answer->steps[1].rule, "All kind people are round");
  EXPECT_THAT(answer->steps[1].premises, ElementsAre(0));
  EXPECT_EQ(answer->steps[2].text, "Anne is not cold");
  EXPECT_THAT(answer->steps[2].premises, UnorderedElementsAre(0, 1));
}

TEST(LogicQuestionTest, WorldsFollowTheWords) {
  const std::vector<std::string> two = {"True", "False"};
  const auto closed = SolveLogicQuestion(
      "Anne is kind.", "Is the following statement true or false? Anne is red.", two);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->world, World::kClosed);
  EXPECT_EQ(closed->value, "False");
  const auto chinese = SolveLogicQuestion(
      "", "小明是学生。所有学生都是聪明的。以下说法是真、假还是未知？小明是聪明的。", {});
  ASSERT_TRUE(chinese);
  EXPECT_EQ(chinese->value, "True");
  EXPECT_EQ(chinese->world, World::kOpen);
  EXPECT_EQ(chinese->steps.size(), 2U);
}

TEST(LogicQuestionTest, GapsAndContradictionsAreNotExact) {
  const char* asked = "Is the following statement true, false or unknown? Anne is kind.";
  const auto gap = SolveLogicQuestion("Anne is kind. Some cats might sing.", asked);
  ASSERT_TRUE(gap);
  EXPECT_FALSE(gap->exact);
  EXPECT_EQ(gap->unparsed.size(), 1U);
  const auto conflict = SolveLogicQuestion("Anne is kind. Bob is big. Anne is not kind.", asked);
  ASSERT_TRUE(conflict);
  EXPECT_FALSE(conflict->exact);
  EXPECT_THAT(conflict->conflict, ElementsAre("Anne is kind", "Anne is not kind"));
  EXPECT_FALSE(SolveLogicQuestion("Anne is kind.", "How many eggs does Tom have?"));
  EXPECT_FALSE(SolveLogicQuestion("", ""));
}

}  // namespace
}  // namespace ergo::reasoning
