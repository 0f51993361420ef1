#include "generate/think/think_budget.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "generate/think/testing/drive.h"
#include "generate/think/testing/think_tokenizers.h"

namespace ergo::generate {
namespace {

using testing::Drive;
using testing::Ids;
using testing::kEos;

/// A tokenizer, its tags, and a model that says the same over and over.
struct Thinker {
  explicit Thinker(tokenizer::Tokenizer with)
      : tokenizer(std::move(with)), tags(ThinkTags::Find(tokenizer)) {
    drive.vocabulary = tokenizer.size();
    drive.ends = {kEos};
    options.ends = {kEos};
    Says("on and on. ");
  }

  /// Its next token is that of `text`, again and again; if that is over and `end` is set, the end.
  void Says(const char* text, bool end = false) {
    drive.model = [said = Ids(tokenizer, text), end](std::span<const TokenId> tokens,
                                                     std::span<float> logits) {
      const std::size_t at = tokens.size();
      const TokenId next = end && at >= said.size() ? kEos : said[at % said.size()];
      logits[static_cast<std::size_t>(next)] = 20.0f;
    };
  }
  std::unique_ptr<ThinkBudget> Hook(ThoughtStart start, StopThinking stop = {}) const {
    return std::make_unique<ThinkBudget>(tokenizer, tags, start, options, stop);
  }
  std::string TextOf(const Drive::Result& result) const { return tokenizer.Decode(result.tokens); }
  std::size_t ClosedAt(const Drive::Result& result) const {
    const auto& closing = tags->closing().tokens;
    return static_cast<std::size_t>(
        std::search(result.tokens.begin(), result.tokens.end(), closing.begin(), closing.end()) -
        result.tokens.begin());
  }

  tokenizer::Tokenizer tokenizer;
  std::shared_ptr<const ThinkTags> tags;
  ThinkBudgetOptions options;
  Drive drive;
};

TEST(ThinkBudget, Holds) {
  Thinker thinker(testing::TagTokenizer());
  for (const std::size_t budget : {1u, 2u, 7u, 30u, 60u, 100u, 150u}) {
    thinker.options.budget = budget;
    const auto hook = thinker.Hook(ThoughtStart::kOpen);
    const auto result = thinker.drive.Run(*hook);
    EXPECT_LE(thinker.ClosedAt(result), budget);
    EXPECT_GE(thinker.ClosedAt(result), budget / 2) << "the thought was cut much too early";
    EXPECT_EQ(hook->thought_tokens(), thinker.ClosedAt(result));
    const bool phrase =
        thinker.TextOf(result).find("Time to give the answer.\n</think>") != std::string::npos;
    EXPECT_EQ(phrase, budget >= 60) << budget;
    EXPECT_EQ(result.tokens.size(), thinker.drive.most) << "the answer goes on";
  }
}

TEST(ThinkBudget, OfNothingClosesAtOnce) {
  Thinker thinker(testing::TagTokenizer());
  thinker.options.budget = 0;
  auto result = thinker.drive.Run(*thinker.Hook(ThoughtStart::kOpen));
  EXPECT_EQ(thinker.TextOf(result).substr(0, 20), "\n\n</think>and on. on");
  thinker.Says("<think>");
  result = thinker.drive.Run(*thinker.Hook(ThoughtStart::kUnopened));
  EXPECT_EQ(thinker.TextOf(result).substr(0, 17), "<think>\n\n</think>");
  thinker.Says("straight away");
  EXPECT_EQ(thinker.drive.Run(*thinker.Hook(ThoughtStart::kClosed)).forced, 0u);
}

TEST(ThinkBudget, WithoutABoundNothingIsForced) {
  Thinker thinker(testing::TagTokenizer());
  const auto result = thinker.drive.Run(*thinker.Hook(ThoughtStart::kOpen));
  EXPECT_EQ(result.forced, 0u);
  EXPECT_EQ(thinker.ClosedAt(result), thinker.drive.most);
}

TEST(ThinkBudget, ClosesSoftlyAtTheEndOfASentence) {
  Thinker thinker(testing::TagTokenizer());
  thinker.options.budget = 150;
  const auto closing = static_cast<std::size_t>(thinker.tags->closing().tokens[0]);
  const auto says = thinker.drive.model;
  thinker.drive.model = [=](std::span<const TokenId> tokens, std::span<float> logits) {
    says(tokens, logits);
    logits[closing] = 14.0f;
  };
  const auto result = thinker.drive.Run(*thinker.Hook(ThoughtStart::kOpen));
  const std::size_t at = thinker.ClosedAt(result);
  EXPECT_EQ(result.forced, 0u);
  EXPECT_GE(at, 80u);
  EXPECT_LT(at, 150u);
  const std::string text = thinker.TextOf(result);
  EXPECT_NE(text.find(". </think>") & text.find(".</think>"), std::string::npos) << text;
}

TEST(ThinkBudget, TheRiseGrowsWithTheThought) {
  Thinker thinker(testing::TagTokenizer());
  thinker.options.budget = 1000;
  const auto hook = thinker.Hook(ThoughtStart::kOpen);
  const auto closing = static_cast<std::size_t>(thinker.tags->closing().tokens[0]);
  const TokenId point = *thinker.tokenizer.Find(".");
  float last = 0.0f;
  for (std::size_t i = 0; hook->Forced().empty(); ++i) {
    std::vector<float> logits(thinker.tokenizer.size());
    hook->Mask(logits);
    EXPECT_GE(logits[closing], last);
    if (i < 750) {
      EXPECT_EQ(logits[closing], 0.0f) << i;
    }
    last = logits[closing];
    hook->Accept(point);
  }
  EXPECT_GT(last, 14.0f);
  EXPECT_LE(last, 15.0f);
}

TEST(ThinkBudget, TheEndOfTheTextBecomesTheEndOfTheThought) {
  Thinker thinker(testing::TagTokenizer());
  thinker.Says("So", true);
  const auto says = thinker.drive.model;
  const auto other = static_cast<std::size_t>(*thinker.tokenizer.Find("x"));
  thinker.drive.model = [=](std::span<const TokenId> tokens, std::span<float> logits) {
    says(tokens, logits);
    logits[other] = std::max(logits[other], 1.0f);
  };
  const auto result = thinker.drive.Run(*thinker.Hook(ThoughtStart::kOpen));
  EXPECT_EQ(thinker.TextOf(result), "So</think>x</s>");
  EXPECT_TRUE(result.ended);
}

TEST(ThinkBudget, NoAnswerIsEmpty) {
  Thinker thinker(testing::TagTokenizer());
  const TokenId blank = *thinker.tokenizer.Find("Ġ");
  const TokenId word = *thinker.tokenizer.Find("w");
  thinker.drive.model = [=](std::span<const TokenId> tokens, std::span<float> logits) {
    logits[kEos] = 9.0f;
    logits[static_cast<std::size_t>(tokens.size() < 3 ? blank : word)] = 5.0f;
  };
  for (const bool tags : {true, false}) {
    if (!tags) thinker.tags = nullptr;
    const auto result = thinker.drive.Run(*thinker.Hook(ThoughtStart::kClosed));
    EXPECT_EQ(thinker.TextOf(result), "   w</s>");
  }
}

TEST(ThinkBudget, AnEndThatIsTheOnlyWayStaysOpen) {
  Thinker thinker(testing::TagTokenizer());
  thinker.drive.model = [](std::span<const TokenId>, std::span<float> logits) {
    std::fill(logits.begin(), logits.end(), -INFINITY);
    logits[kEos] = 1.0f;
  };
  const auto result = thinker.drive.Run(*thinker.Hook(ThoughtStart::kUnopened));
  EXPECT_FALSE(result.stuck);
  EXPECT_EQ(result.tokens, std::vector<TokenId>{kEos});
}

TEST(ThinkBudget, KeepsAReserveForTheAnswer) {
  Thinker thinker(testing::TagTokenizer());
  const std::size_t tag = 1;
  for (const std::size_t reserve : {0u, 1u, 5u, 20u}) {
    for (std::size_t most = 1; most < 120; ++most) {
      thinker.options.max_tokens = thinker.drive.most = most;
      thinker.options.answer_reserve = reserve;
      const auto result = thinker.drive.Run(*thinker.Hook(ThoughtStart::kOpen));
      ASSERT_EQ(result.tokens.size(), most);
      const std::size_t closed = thinker.ClosedAt(result);
      const std::size_t least = std::max<std::size_t>(reserve, 1);
      if (most >= tag + least) {
        ASSERT_GE(most - closed - tag, least) << most << " " << reserve;
      }
      ASSERT_LT(closed, most) << "the thought was closed";
      // Not much earlier than needed: what the phrase takes, and the blank.
      ASSERT_LE(most - closed - tag, least + 2) << most << " " << reserve;
    }
  }
}

TEST(ThinkBudget, CanBeStoppedAtAnyToken) {
  Thinker thinker(testing::TagTokenizer());
  for (const std::size_t when : {0u, 1u, 17u, 60u}) {
    StopThinking stop;
    Drive drive = thinker.drive;
    const auto says = drive.model;
    drive.model = [=](std::span<const TokenId> tokens, std::span<float> logits) {
      if (tokens.size() == when) StopThinking(stop).Request();
      says(tokens, logits);
    };
    const auto result = drive.Run(*thinker.Hook(ThoughtStart::kOpen, stop));
    // The token of that step still came, then the phrase.
    const std::string text = thinker.TextOf(result);
    EXPECT_EQ(text.find("\n\nTime to give the answer.\n</think>"), when + 1) << text;
  }
}

TEST(ThinkBudget, CanBeStoppedByAnotherThread) {
  Thinker thinker(testing::TagTokenizer());
  thinker.drive.most = 1'000'000'000;
  StopThinking stop;
  const auto hook = thinker.Hook(ThoughtStart::kOpen, stop);
  std::thread other([stop]() mutable {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    stop.Request();
  });
  std::vector<float> logits(thinker.tokenizer.size());
  while (hook->Forced().empty()) {
    hook->Mask(logits);
    hook->Accept(thinker.tokenizer.Find("a").value_or(0));
  }
  other.join();
  EXPECT_TRUE(stop.requested());
  for (const TokenId token : hook->Forced()) hook->Accept(token);
  EXPECT_TRUE(hook->Forced().empty());
}

TEST(ThinkBudget, ForksGoOnFromHere) {
  Thinker thinker(testing::TagTokenizer());
  thinker.options.budget = 10;
  const auto hook = thinker.Hook(ThoughtStart::kOpen);
  const std::vector<TokenId> thought = Ids(thinker.tokenizer, "123456");
  for (const TokenId token : thought) hook->Accept(token);
  const auto fork = hook->Fork();
  auto result = thinker.drive.Run(*fork);
  EXPECT_EQ(thinker.ClosedAt(result), 4u);
  EXPECT_TRUE(hook->Forced().empty()) << "the original has four tokens left";
  // They are stopped together, unless one has a handle of its own.
  const auto together = hook->Fork();
  const auto alone = hook->Fork();
  dynamic_cast<ThinkBudget&>(*alone).SetStop(StopThinking());
  StopThinking(hook->stop()).Request();
  EXPECT_FALSE(hook->Forced().empty());
  EXPECT_FALSE(together->Forced().empty());
  EXPECT_TRUE(alone->Forced().empty());
}

TEST(ThinkBudget, ClosesSpelledTags) {
  Thinker thinker(testing::SpelledTokenizer());
  thinker.options.budget = 12;
  auto result = thinker.drive.Run(*thinker.Hook(ThoughtStart::kOpen));
  EXPECT_EQ(thinker.TextOf(result).substr(0, 20), "on and on. o</think>");
  // A tag that has begun is completed.
  thinker.options.budget = 4;
  thinker.Says("end</");
  result = thinker.drive.Run(*thinker.Hook(ThoughtStart::kOpen));
  EXPECT_EQ(thinker.TextOf(result).substr(0, 11), "end</think>");
  EXPECT_EQ(thinker.TextOf(result).find("</think>", 11), std::string::npos);
}

TEST(ThinkBudget, CompletesASpelledTagThatItMadeLikely) {
  Thinker thinker(testing::SpelledTokenizer());
  thinker.Says("So", true);
  const auto result = thinker.drive.Run(*thinker.Hook(ThoughtStart::kOpen));
  EXPECT_EQ(thinker.TextOf(result).substr(0, 10), "So</think>");
  EXPECT_GT(result.forced, 0u);
}

TEST(ThinkBudget, ClosesChannels) {
  Thinker thinker(testing::ChannelTokenizer());
  const TokenId back = *thinker.tokenizer.Find("<|return|>");
  thinker.options.ends = thinker.drive.ends = {back, *thinker.tokenizer.Find("<|end|>")};
  thinker.drive.ends = {back};
  thinker.options.budget = 12;
  auto result = thinker.drive.Run(*thinker.Hook(ThoughtStart::kOpen));
  const std::string tag = "<|end|><|start|>assistant<|channel|>final<|message|>";
  EXPECT_EQ(thinker.TextOf(result).substr(0, 12 + tag.size()), "on and on. o" + tag);
  // Where the model wants to end, the thought does.
  thinker.drive.model = [=](std::span<const TokenId> tokens, std::span<float> logits) {
    logits[static_cast<std::size_t>(back)] = 20.0f;
    logits[static_cast<std::size_t>(*thinker.tokenizer.Find("x"))] =
        tokens.size() == 1 ? 30.0f : 5.0f;
  };
  thinker.options.budget = 100;
  result = thinker.drive.Run(*thinker.Hook(ThoughtStart::kOpen));
  EXPECT_EQ(thinker.TextOf(result), tag + "x<|return|>");
}

TEST(ThinkBudget, LeavesLogitsThatAreTooFewAlone) {
  Thinker thinker(testing::TagTokenizer());
  thinker.options.budget = 5;
  const auto hook = thinker.Hook(ThoughtStart::kOpen);
  std::vector<float> logits(2, 1.0f);
  hook->Mask(logits);
  EXPECT_EQ(logits, std::vector<float>(2, 1.0f));
  hook->Mask({});
}

TEST(ThinkBudget, AnAnswerThatTurnsOutToBeAThoughtIsNone) {
  Thinker thinker(testing::TagTokenizer());
  thinker.drive.model = [&](std::span<const TokenId> tokens, std::span<float> logits) {
    const std::vector<TokenId> said = Ids(thinker.tokenizer, "Hm</think>");
    logits[static_cast<std::size_t>(tokens.size() < said.size() ? said[tokens.size()] : kEos)] = 9;
    logits[static_cast<std::size_t>(*thinker.tokenizer.Find("x"))] = 5.0f;
  };
  const auto result = thinker.drive.Run(*thinker.Hook(ThoughtStart::kUnopened));
  EXPECT_EQ(thinker.TextOf(result), "Hm</think>x</s>");
}

}  // namespace
}  // namespace ergo::generate
