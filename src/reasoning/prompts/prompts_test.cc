#include "reasoning/prompts/prompts.h"

#include <gtest/gtest.h>

#include <array>

#include "reasoning/prompts/embedded.h"

namespace ergo::reasoning {
namespace {

TEST(Prompts, EveryFileIsAPrompt) {
  std::size_t prompts = 0;
  for (const EmbeddedFile& file : PromptFiles()) {
    if (!file.path.ends_with(".txt")) continue;
    const PromptLanguage language =
        file.path.starts_with("zh/") ? PromptLanguage::kChinese : PromptLanguage::kEnglish;
    const std::string_view name = file.path.substr(3, file.path.size() - 7);
    EXPECT_TRUE(MakePrompt({name, language}, {})) << file.path;
    ++prompts;
  }
  EXPECT_GE(prompts, 4u);
}

TEST(Prompts, EveryLanguageHasThemAll) {
  for (const EmbeddedFile& file : PromptFiles()) {
    if (!file.path.starts_with("en/")) continue;
    EXPECT_TRUE(PromptText(file.path.substr(3), PromptLanguage::kChinese)) << file.path;
  }
}

TEST(Prompts, ValuesAreNotReadAgain) {
  const std::array values = {PromptValue{"question", "what is {question} {x}?"}};
  const auto prompt = MakePrompt({"chain"}, values);
  ASSERT_TRUE(prompt) << prompt.error().Message();
  EXPECT_NE(prompt->messages.back().text.find("what is {question} {x}?"), std::string::npos);
}

TEST(Prompts, UnknownOnesAreErrors) {
  EXPECT_FALSE(MakePrompt({"no such prompt"}, {}));
  EXPECT_FALSE(PromptText("none.gbnf", PromptLanguage::kEnglish));
}

TEST(Prompts, TellsLanguagesApart) {
  EXPECT_EQ(LanguageOf("How much is it?"), PromptLanguage::kEnglish);
  EXPECT_EQ(LanguageOf("Wie groß ist π → 3?"), PromptLanguage::kEnglish);
  EXPECT_EQ(LanguageOf("一共多少钱?"), PromptLanguage::kChinese);
}

}  // namespace
}  // namespace ergo::reasoning
