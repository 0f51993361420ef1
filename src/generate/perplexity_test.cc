#include "generate/perplexity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generate/testing/tiny_model.h"

namespace ergo::generate {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kWindow = 24;

std::vector<TokenId> SomeTokens(std::size_t count) {
  std::vector<TokenId> tokens(count);
  std::uint32_t state = 7;
  for (TokenId& token : tokens) {
    state = state * 1664525u + 1013904223u;
    token = static_cast<TokenId>((state >> 8) % testing::kVocabulary);
  }
  return tokens;
}

std::unique_ptr<runtime::Engine> Engine(const std::shared_ptr<LanguageModel>& model) {
  auto engine = model->NewEngine(model->context());
  EXPECT_TRUE(engine) << engine.error().Message();
  return *std::move(engine);
}

/// Log-probabilities of every position of `tokens`, computed in one go.
std::vector<std::vector<double>> LogProbabilities(runtime::Engine& engine,
                                                  const std::vector<TokenId>& tokens) {
  const auto sequence = engine.Add();
  const runtime::Work work = {sequence, tokens, runtime::LogitRows::kAll};
  const auto logits = engine.Step({&work, 1});
  EXPECT_TRUE(logits);
  std::vector<std::vector<double>> rows;
  for (std::size_t i = 0; logits && i < logits->rows(); ++i) {
    double sum = 0.0;
    for (const float x : logits->Row(i)) sum += std::exp(static_cast<double>(x));
    auto& row = rows.emplace_back();
    for (const float x : logits->Row(i)) row.push_back(static_cast<double>(x) - std::log(sum));
  }
  engine.Release(sequence);
  return rows;
}

TEST(Perplexity, ScoresTheSecondHalfOfEachWindow) {
  const testing::TinyFolder folder;
  const auto model = testing::LoadTiny(folder);
  ASSERT_TRUE(model);
  const auto tokens = SomeTokens(3 * kWindow + 5);
  PerplexityOptions options;
  options.window = kWindow;
  options.bos = testing::kBos;

  Mean expected;
  for (std::size_t w = 0; w < 3; ++w) {
    const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(w * kWindow);
    std::vector<TokenId> window(begin, begin + kWindow);
    window[0] = testing::kBos;
    const auto rows = LogProbabilities(*Engine(model), window);
    for (std::size_t i = kWindow / 2 + 1; i < kWindow; ++i) {
      expected.Add(-rows[i - 1][static_cast<std::size_t>(window[i])]);
    }
  }
  std::vector<std::size_t> seen;
  const auto engine = Engine(model);
  const auto result = MeasurePerplexity(*engine, nullptr, tokens, options,
                                        [&](const PerplexityResult& so_far, std::size_t windows) {
                                          EXPECT_EQ(windows, 3U);
                                          seen.push_back(so_far.windows);
                                          return true;
                                        });
  ASSERT_TRUE(result) << result.error().Message();
  EXPECT_EQ(seen, (std::vector<std::size_t>{1, 2, 3}));
  EXPECT_EQ(result->windows, 3U);
  EXPECT_EQ(result->loss.count(), 3 * (kWindow - kWindow / 2 - 1));
  EXPECT_NEAR(result->loss.value(), expected.value(), 1e-5);
  EXPECT_NEAR(result->loss.error(), expected.error(), 1e-5);
  EXPECT_GT(result->perplexity(), 1.0);
  EXPECT_EQ(result->divergence.count(), 0U);
  EXPECT_EQ(engine->kv_bytes_used(), 0U);

  options.bos.reset();
  const auto without = MeasurePerplexity(*Engine(model), nullptr, tokens, options);
  ASSERT_TRUE(without);
  EXPECT_NE(without->loss.value(), result->loss.value());
  options.most_windows = 1;
  EXPECT_EQ(MeasurePerplexity(*Engine(model), nullptr, tokens, options)->windows, 1U);
}

TEST(Perplexity, DivergenceFromAReference) {
  const testing::TinyFolder folder;
  const auto reference = testing::LoadTiny(folder);
  const testing::TinyFolder other_folder("qwen2-tiny");
  const auto model = testing::LoadTiny(other_folder);
  ASSERT_TRUE(reference && model);
  const auto tokens = SomeTokens(2 * kWindow);
  PerplexityOptions options;
  options.window = kWindow;

  Mean expected;
  for (std::size_t w = 0; w < 2; ++w) {
    const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(w * kWindow);
    const std::vector<TokenId> window(begin, begin + kWindow);
    const auto p = LogProbabilities(*Engine(reference), window);
    const auto q = LogProbabilities(*Engine(model), window);
    for (std::size_t i = kWindow / 2; i + 1 < kWindow; ++i) {
      double sum = 0.0;
      for (std::size_t v = 0; v < p[i].size(); ++v) sum += std::exp(p[i][v]) * (p[i][v] - q[i][v]);
      expected.Add(sum);
    }
  }
  const auto result = MeasurePerplexity(*Engine(model), Engine(reference).get(), tokens, options);
  ASSERT_TRUE(result) << result.error().Message();
  EXPECT_EQ(result->divergence.count(), result->loss.count());
  EXPECT_GT(result->divergence.value(), 0.0);
  EXPECT_NEAR(result->divergence.value(), expected.value(), 1e-6 + 1e-3 * expected.value());
  const auto own = MeasurePerplexity(*Engine(reference), nullptr, tokens, options);
  EXPECT_EQ(result->reference_loss.value(), own->loss.value());

  const auto other = testing::LoadTiny(folder);
  const auto same = MeasurePerplexity(*Engine(other), Engine(reference).get(), tokens, options);
  ASSERT_TRUE(same);
  EXPECT_EQ(same->divergence.value(), 0.0);
  EXPECT_EQ(same->same_choice, same->loss.count());
}

TEST(Perplexity, RefusesWhatCantBeScored) {
  const testing::TinyFolder folder;
  const auto model = testing::LoadTiny(folder, 64);
  ASSERT_TRUE(model);
  const auto refusal = [&](std::vector<TokenId> tokens, std::size_t window) {
    PerplexityOptions options;
    options.window = window;
    const auto result = MeasurePerplexity(*Engine(model), nullptr, tokens, options);
    return result ? "" : result.error().Message();
  };
  EXPECT_THAT(refusal(SomeTokens(10), 24), HasSubstr("10 tokens do not fill one window of 24"));
  EXPECT_THAT(refusal(SomeTokens(100), 2), HasSubstr("a window of 2 tokens"));
  EXPECT_THAT(refusal(SomeTokens(100), 65), HasSubstr("choose 3 to 64"));
  EXPECT_THAT(refusal(std::vector<TokenId>(30, 999), 24), HasSubstr("no token 999"));
  const auto stopped =
      MeasurePerplexity(*Engine(model), nullptr, SomeTokens(64), {.window = 16, .bos = {}},
                        [](const PerplexityResult&, std::size_t) { return false; });
  ASSERT_FALSE(stopped);
  EXPECT_THAT(stopped.error().Message(), HasSubstr("interrupted"));
}

}  // namespace
}  // namespace ergo::generate
