#include "generate/think/after_thought.h"

#include <gtest/gtest.h>

#include "generate/hook_chain.h"
#include "generate/think/steering.h"
#include "generate/think/testing/drive.h"
#include "generate/think/testing/think_tokenizers.h"

namespace ergo::generate {
namespace {

using testing::Drive;
using testing::Ids;
using testing::kEos;

/// Exactly this text, character by character; the first `forced` of them without asking.
class Exactly final : public runtime::LogitHook {
 public:
  Exactly(std::vector<TokenId> tokens, std::size_t forced)
      : tokens_(std::move(tokens)), forced_(forced) {}

  void Mask(std::span<float> logits) override {
    for (std::size_t i = 0; i < logits.size(); ++i) {
      if (static_cast<TokenId>(i) != tokens_[at_]) {
        logits[i] = -std::numeric_limits<float>::infinity();
      }
    }
  }
  bool Accept(std::int32_t token) override {
    EXPECT_EQ(token, tokens_[at_]) << "at " << at_;
    return ++at_ < tokens_.size();
  }
  std::vector<std::int32_t> Forced() override {
    if (at_ >= forced_) return {};
    return {tokens_.begin() + static_cast<std::ptrdiff_t>(at_),
            tokens_.begin() + static_cast<std::ptrdiff_t>(forced_)};
  }
  std::unique_ptr<runtime::LogitHook> Fork() const override {
    return std::make_unique<Exactly>(*this);
  }

 private:
  std::vector<TokenId> tokens_;
  std::size_t forced_;
  std::size_t at_ = 0;
};

struct Setting {
  explicit Setting(tokenizer::Tokenizer with)
      : tokenizer(std::move(with)), tags(ThinkTags::Find(tokenizer)) {
    drive.vocabulary = tokenizer.size();
    drive.ends = {kEos};
  }
  void Says(const char* text) {
    drive.model = [said = Ids(tokenizer, text)](std::span<const TokenId> tokens,
                                                std::span<float> logits) {
      logits[static_cast<std::size_t>(said[tokens.size() % said.size()])] = 20.0f;
    };
  }
  std::unique_ptr<runtime::LogitHook> Hook(ThoughtStart start, std::size_t budget,
                                           std::size_t forced = 0) const {
    Steering steering;
    steering.tags = tags;
    steering.start = start;
    steering.budget.emplace();
    steering.budget->budget = budget;
    steering.budget->ends = {kEos};
    steering.constraint = std::make_unique<Exactly>(Ids(tokenizer, "{42}"), forced);
    return Steer(tokenizer, std::move(steering));
  }
  std::string Run(ThoughtStart start, std::size_t budget, std::size_t forced = 0) const {
    const auto hook = Hook(start, budget, forced);
    const auto result = drive.Run(*hook);
    EXPECT_TRUE(result.complete);
    EXPECT_FALSE(result.stuck);
    return tokenizer.Decode(result.tokens);
  }

  tokenizer::Tokenizer tokenizer;
  std::shared_ptr<const ThinkTags> tags;
  Drive drive;
};

TEST(AfterThought, TheConstraintBeginsBehindTheThought) {
  Setting setting(testing::TagTokenizer());
  for (const std::size_t forced : {0u, 1u, 4u}) {
    setting.Says("thinking</think>answer");
    EXPECT_EQ(setting.Run(ThoughtStart::kOpen, 100, forced), "thinking</think>{42}");
    EXPECT_EQ(setting.Run(ThoughtStart::kOpen, 3, forced), "thi</think>{42}");
    EXPECT_EQ(setting.Run(ThoughtStart::kOpen, 0, forced), "\n\n</think>{42}");
    EXPECT_EQ(setting.Run(ThoughtStart::kClosed, 100, forced), "{42}");
    EXPECT_EQ(setting.Run(ThoughtStart::kUnopened, 100, forced), "{42}");
    setting.Says("<think>So</think>answer");
    EXPECT_EQ(setting.Run(ThoughtStart::kUnopened, 100, forced), "<think>So</think>{42}");
    EXPECT_EQ(setting.Run(ThoughtStart::kUnopened, 0, forced), "<think>\n\n</think>{42}");
    EXPECT_EQ(setting.Run(ThoughtStart::kClosed, 100, forced), "{42}") << "no second thought";
  }
}

TEST(AfterThought, WorksForSpelledTags) {
  Setting setting(testing::SpelledTokenizer());
  setting.Says("thinking</think>answer");
  EXPECT_EQ(setting.Run(ThoughtStart::kOpen, 100), "thinking</think>{42}");
  EXPECT_EQ(setting.Run(ThoughtStart::kOpen, 5), "think</think>{42}");
  EXPECT_EQ(setting.Run(ThoughtStart::kUnopened, 100), "{42}");
}

TEST(AfterThought, NoTokenEscapesAtTheEndOfASpelledTag) {
  Setting setting(testing::SpelledTokenizer());
  const auto pieces = testing::Pieces(setting.tokenizer, {"h", "</", "think", ">The"});
  const TokenId end = *setting.tokenizer.Find(">");
  setting.drive.model = [=](std::span<const TokenId> tokens, std::span<float> logits) {
    logits[static_cast<std::size_t>(pieces[std::min<std::size_t>(tokens.size(), 3)])] = 20.0f;
    logits[static_cast<std::size_t>(end)] = 10.0f;
  };
  EXPECT_EQ(setting.Run(ThoughtStart::kOpen, 100), "h</think>{42}");
}

TEST(AfterThought, WorksForChannels) {
  Setting setting(testing::ChannelTokenizer());
  const std::string final = "<|channel|>final<|message|>";
  setting.Says(
      "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>x");
  EXPECT_EQ(setting.Run(ThoughtStart::kUnopened, 100),
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant" + final + "{42}");
  setting.Says((final + "x").c_str());
  EXPECT_EQ(setting.Run(ThoughtStart::kUnopened, 100), final + "{42}");
  EXPECT_EQ(setting.Run(ThoughtStart::kClosed, 100), "{42}");
}

TEST(AfterThought, ForksGoTheirOwnWay) {
  Setting setting(testing::TagTokenizer());
  setting.Says("</think>");
  const auto hook = setting.Hook(ThoughtStart::kOpen, 100);
  for (const TokenId token : Ids(setting.tokenizer, "a</think>{")) hook->Accept(token);
  const auto fork = hook->Fork();
  const auto result = setting.drive.Run(*fork);
  EXPECT_EQ(setting.tokenizer.Decode(result.tokens), "42}");
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(setting.tokenizer.Decode(setting.drive.Run(*hook).tokens), "42}");
}

TEST(AfterThought, WithoutTagsTheConstraintIsAlone) {
  Setting setting(testing::TagTokenizer());
  setting.Says("x");
  AfterThought hook(nullptr, ThoughtStart::kUnopened,
                    std::make_unique<Exactly>(Ids(setting.tokenizer, "{1}"), 0));
  EXPECT_EQ(setting.tokenizer.Decode(setting.drive.Run(hook).tokens), "{1}");
}

TEST(Steer, WithNothingToSteerThereIsNoHook) {
  Setting setting(testing::TagTokenizer());
  EXPECT_EQ(Steer(setting.tokenizer, {}), nullptr);
  Steering steering;
  steering.tags = setting.tags;
  EXPECT_EQ(Steer(setting.tokenizer, std::move(steering)), nullptr);
}

TEST(Steer, AnAnswerThatMayBeEmptyEndsWithItsConstraint) {
  // Nothing but the end is possible: the budget does not forbid it.
  Setting setting(testing::TagTokenizer());
  setting.Says("x");
  Steering steering;
  steering.tags = setting.tags;
  steering.start = ThoughtStart::kClosed;
  steering.budget.emplace();
  steering.budget->ends = {kEos};
  steering.constraint = std::make_unique<Exactly>(std::vector<TokenId>{kEos}, 0);
  const auto result = setting.drive.Run(*Steer(setting.tokenizer, std::move(steering)));
  EXPECT_EQ(result.tokens, std::vector<TokenId>{kEos});
  EXPECT_FALSE(result.stuck);
}

TEST(Chain, OfOneIsThatOneAndOfNoneNone) {
  EXPECT_EQ(Chain({}), nullptr);
  std::vector<std::unique_ptr<runtime::LogitHook>> hooks;
  hooks.push_back(nullptr);
  hooks.push_back(std::make_unique<Exactly>(std::vector<TokenId>{1}, 0));
  const runtime::LogitHook* one = hooks.back().get();
  EXPECT_EQ(Chain(std::move(hooks)).get(), one);
}

}  // namespace
}  // namespace ergo::generate
