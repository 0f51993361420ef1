#include "generate/beam.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "generate/session.h"
#include "generate/testing/tiny_model.h"

namespace ergo::generate {
namespace {

using ::testing::HasSubstr;

struct Path {
  std::vector<TokenId> tokens;
  double logprob = 0.0;
};

/// Log-probabilities of what may come after `tokens`.
std::vector<double> After(runtime::Engine& engine, const std::vector<TokenId>& tokens) {
  const runtime::Work work = {engine.Add(), tokens, runtime::LogitRows::kLast};
  const auto logits = engine.Step({&work, 1});
  const auto row = logits->Row(0);
  double sum = 0.0;
  for (const float x : row) sum += std::exp(static_cast<double>(x));
  std::vector<double> result;
  for (const float x : row) result.push_back(static_cast<double>(x) - std::log(sum));
  engine.Release(work.sequence);
  return result;
}

class BeamTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(model_ = testing::LoadTiny(folder_, 128)); }

  testing::TinyFolder folder_;
  std::shared_ptr<LanguageModel> model_;
};

TEST_F(BeamTest, FindsWhatASearchWithoutForksFinds) {
  const std::vector<TokenId> prompt = {10, 20, 30, 40};
  constexpr std::size_t kWidth = 3;
  constexpr std::size_t kLength = 6;
  const auto engine = *model_->NewEngine(128);
  const auto& ends = model_->end_of_generation();
  std::vector<Path> beams = {{}};
  std::vector<Path> ended;
  for (std::size_t step = 0; step < kLength; ++step) {
    std::vector<Path> all;
    for (const Path& beam : beams) {
      std::vector<TokenId> tokens = prompt;
      tokens.insert(tokens.end(), beam.tokens.begin(), beam.tokens.end());
      const std::vector<double> next = After(*engine, tokens);
      for (std::size_t t = 0; t < next.size(); ++t) {
        Path path = {beam.tokens, beam.logprob + static_cast<float>(next[t])};
        path.tokens.push_back(static_cast<TokenId>(t));
        all.push_back(std::move(path));
      }
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const Path& a, const Path& b) { return a.logprob > b.logprob; });
    beams.clear();
    for (const Path& path : all) {
      if (beams.size() == kWidth) break;
      const bool ends_here = std::binary_search(ends.begin(), ends.end(), path.tokens.back());
      (ends_here ? ended : beams).push_back(path);
    }
  }
  std::vector<Path> best = ended;
  best.insert(best.end(), beams.begin(), beams.end());
  const auto score = [](const Path& p) { return p.logprob / static_cast<double>(p.tokens.size()); };
  std::stable_sort(best.begin(), best.end(),
                   [&](const Path& a, const Path& b) { return score(a) > score(b); });

  BeamOptions options;
  options.width = kWidth;
  options.max_tokens = kLength;
  const auto found = BeamSearch(*model_, prompt, options);
  ASSERT_TRUE(found) << found.error().Message();
  ASSERT_EQ(found->size(), kWidth);
  for (std::size_t i = 0; i < kWidth; ++i) {
    EXPECT_EQ((*found)[i].tokens, best[i].tokens) << i;
    EXPECT_NEAR((*found)[i].logprob, best[i].logprob, 1e-4);
  }
  const runtime::LoopStats stats = model_->scheduler().stats();
  EXPECT_EQ(stats.running + stats.waiting + stats.idle, 0U);
}

TEST_F(BeamTest, OneBeamIsGreedy) {
  BeamOptions options;
  options.width = 1;
  options.max_tokens = 12;
  const std::vector<TokenId> prompt = {50, 60, 70};
  const auto found = BeamSearch(*model_, prompt, options);
  ASSERT_TRUE(found) << found.error().Message();
  AnswerOptions greedy;
  greedy.max_tokens = 12;
  greedy.sampling.temperature = 0.0f;
  EXPECT_EQ(found->front().tokens, Answer(*model_, prompt, greedy)->tokens);
}

TEST_F(BeamTest, SaysWhatIsWrong) {
  EXPECT_THAT(BeamSearch(*model_, {}).error().Message(), HasSubstr("prompt is empty"));
  BeamOptions none;
  none.width = 0;
  const std::vector<TokenId> prompt = {50};
  EXPECT_THAT(BeamSearch(*model_, prompt, none).error().Message(), HasSubstr("1 to 64"));
  BeamOptions stopped;
  stopped.cancelled = [] { return true; };
  EXPECT_THAT(BeamSearch(*model_, prompt, stopped).error().Message(), HasSubstr("interrupted"));
  EXPECT_THAT(BeamSearch(*model_, std::vector<TokenId>(200, 50)).error().Message(),
              HasSubstr("longer than the context"));
}

TEST_F(BeamTest, ChoicesAreAnswersWithSeedsOfTheirOwn) {
  GenerateRequest request;
  request.prompt = "Tell me";
  request.raw = true;
  request.options.max_tokens = 12;
  request.options.sampling.seed = 4;
  const auto choices = GenerateChoices(*model_, request, 5);
  ASSERT_TRUE(choices) << choices.error().Message();
  ASSERT_EQ(choices->size(), 5U);
  for (std::uint64_t i = 0; i < 5; ++i) {
    GenerateRequest one = request;
    one.options.sampling.seed = runtime::DeriveSeed(4, i);
    EXPECT_EQ((*choices)[i].tokens, Generate(*model_, one)->tokens) << i;
  }
  EXPECT_NE((*choices)[0].tokens, (*choices)[1].tokens);
}

}  // namespace
}  // namespace ergo::generate
