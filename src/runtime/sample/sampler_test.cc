#include "runtime/sample/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>

namespace ergo::runtime {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> RandomLogits(std::size_t n, unsigned seed, float deviation) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, deviation);
  std::vector<float> out(n);
  for (float& value : out) value = normal(random);
  return out;
}

/// The same choice in plain double precision with full sorts.
class Reference {
 public:
  Reference(const SamplingParams& params, std::vector<float> logits,
            std::span<const std::int32_t> history)
      : params_(params), logits_(std::move(logits)) {
    Penalize(history);
    for (std::size_t i = 0; i < logits_.size(); ++i) {
      if (logits_[i] > -kInfinity) items_.push_back({static_cast<std::int32_t>(i), logits_[i], 0});
    }
    SortByLogit();
    if (params.temperature == 0.0f) {
      items_.resize(1);
      return;
    }
    for (Item& item : items_) {
      item.share = std::exp((static_cast<double>(item.logit) - items_[0].logit) /
                            static_cast<double>(params.temperature));
    }
    if (params.top_k > 0 && items_.size() > static_cast<std::size_t>(params.top_k)) {
      items_.resize(static_cast<std::size_t>(params.top_k));
    }
    if (params.typical_p < 1.0f) Typical();
    Normalize();
    if (params.top_p < 1.0f) KeepShare(params.top_p);
    if (params.min_p > 0.0f) {
      const double least = params.min_p * items_[0].share;
      std::erase_if(items_, [&](const Item& item) { return item.share < least; });
    }
  }

  std::set<std::int32_t> Possible() const {
    std::set<std::int32_t> out;
    for (const Item& item : items_) out.insert(item.token);
    return out;
  }

  /// Probability of each token that is left.
  std::map<std::int32_t, double> Distribution() {
    Normalize();
    std::map<std::int32_t, double> out;
    for (const Item& item : items_) out[item.token] = item.share;
    return out;
  }

  std::int32_t Draw(std::size_t position) const {
    if (params_.temperature == 0.0f) return items_[0].token;
    const kernels::NoiseKey key = kernels::MakeNoiseKey(params_.seed, position);
    std::int32_t winner = -1;
    double best = -kInfinity;
    for (const Item& item : items_) {
      const auto bits = kernels::NoiseBits(key, static_cast<std::uint32_t>(item.token));
      const double score = item.logit * (1.0 / params_.temperature) + kernels::GumbelNoise(bits);
      if (score > best || (score == best && item.token < winner)) {
        best = score;
        winner = item.token;
      }
    }
    return winner;
  }

 private:
  struct Item {
    std::int32_t token;
    float logit;
    double share;
  };

  void Penalize(std::span<const std::int32_t> history) {
    std::map<std::int32_t, int> counts;
    std::size_t skip = 0;
    if (params_.penalty_window > 0 && history.size() > params_.penalty_window) {
      skip = history.size() - params_.penalty_window;
    }
    for (const std::int32_t token : history.subspan(skip)) ++counts[token];
    for (const auto& [token, count] : counts) {
      if (token < 0 || static_cast<std::size_t>(token) >= logits_.size()) continue;
      float& logit = logits_[static_cast<std::size_t>(token)];
      logit = logit > 0 ? logit / params_.repetition_penalty : logit * params_.repetition_penalty;
      logit -= params_.frequency_penalty * static_cast<float>(count) + params_.presence_penalty;
    }
    for (const auto& [token, bias] : params_.logit_bias) {
      if (static_cast<std::size_t>(token) < logits_.size()) {
        logits_[static_cast<std::size_t>(token)] += bias;
      }
    }
  }

  void SortByLogit() {
    std::sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
      return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
    });
  }

  void Normalize() {
    double sum = 0.0;
    for (const Item& item : items_) sum += item.share;
    for (Item& item : items_) item.share /= sum;
  }

  void KeepShare(double p) {
    double sum = 0.0;
    std::size_t kept = 0;
    while (kept < items_.size() && (kept == 0 || sum < p)) sum += items_[kept++].share;
    items_.resize(kept);
  }

  void Typical() {
    Normalize();
    double entropy = 0.0;
    for (const Item& item : items_) entropy -= item.share * std::log(item.share);
    std::stable_sort(items_.begin(), items_.end(), [&](const Item& a, const Item& b) {
      return std::fabs(-std::log(a.share) - entropy) < std::fabs(-std::log(b.share) - entropy);
    });
    KeepShare(params_.typical_p);
    SortByLogit();
  }

  SamplingParams params_;
  std::vector<float> logits_;
  std::vector<Item> items_;
};

/// Parameters of every kind, some of them switched off.
SamplingParams RandomParams(std::mt19937& random) {
  const auto pick = [&](std::initializer_list<float> values) {
    return *(values.begin() + static_cast<std::ptrdiff_t>(random() % values.size()));
  };
  SamplingParams params;
  params.temperature = pick({0.0f, 0.3f, 0.7f, 1.0f, 1.0f, 2.0f, 10.0f});
  params.top_k = static_cast<int>(pick({0, 0, 0, 1, 5, 40, 200, 1e9f}));
  params.top_p = pick({1, 1, 0.95f, 0.8f, 0.5f, 0.0f, 0.999f});
  params.min_p = pick({0, 0, 0, 0.05f, 0.3f, 1.0f});
  params.typical_p = pick({1, 1, 1, 0.95f, 0.5f, 0.2f});
  params.repetition_penalty = pick({1, 1, 1.3f, 0.8f});
  params.frequency_penalty = pick({0, 0, 0.5f, -0.5f});
  params.presence_penalty = pick({0, 0, 1.0f});
  params.penalty_window = static_cast<std::size_t>(pick({0, 0, 10, 1000}));
  params.seed = random();
  if (random() % 4 == 0) {
    params.logit_bias = {{3, 4.0f}, {7, -kInfinity}, {1 << 30, 5.0f}, {3, 1.0f}};
  }
  return params;
}

TEST(Sampler, ChoosesAsThePlainReference) {
  std::mt19937 random(12345);
  for (int trial = 0; trial < 300; ++trial) {
    const SamplingParams params = RandomParams(random);
    ASSERT_TRUE(params.Validate());
    constexpr std::size_t kSizes[] = {10, 65, 300, 4000, 20000};
    const std::size_t n = kSizes[random() % 5];
    std::vector<float> logits = RandomLogits(n, static_cast<unsigned>(trial), 1.0f + trial % 4);
    if (trial % 3 == 0) {
      logits[1] = logits[2] = logits[n - 1] = *std::max_element(logits.begin(), logits.end());
      logits[4] = -kInfinity;
      logits[5] = std::nanf("");
    }
    std::vector<std::int32_t> history(50);
    for (auto& token : history) token = static_cast<std::int32_t>(random() % (n / 2 + 2)) - 1;
    const Reference reference(params, logits, history);
    const std::set<std::int32_t> possible = reference.Possible();
    Sampler sampler(params);
    for (std::size_t position = 0; position < 8; ++position) {
      const Sampled sampled = sampler.Next(logits, history, position);
      ASSERT_TRUE(possible.contains(sampled.token)) << "trial " << trial;
      ASSERT_EQ(sampled.token, reference.Draw(position)) << "trial " << trial;
    }
  }
}

TEST(Sampler, LargeVocabulariesToo) {
  constexpr std::size_t kVocabulary = 262144;
  for (const float deviation : {0.5f, 3.0f}) {
    const std::vector<float> logits = RandomLogits(kVocabulary, 9, deviation);
    std::vector<SamplingParams> all(4);
    all[1].top_p = 0.9f;
    all[2].typical_p = 0.6f;
    all[2].top_p = 0.8f;
    all[3].min_p = 0.1f;
    for (SamplingParams& params : all) {
      params.seed = 5;
      const Reference reference(params, logits, {});
      Sampler sampler(params);
      for (std::size_t position = 0; position < 4; ++position) {
        EXPECT_EQ(sampler.Next(logits, {}, position).token, reference.Draw(position));
      }
    }
  }
}

/// Σ (seen - expected)² / expected, cells with fewer than 10 expected taken together.
struct ChiSquare {
  double value = 0.0;
  int cells = 0;
};
ChiSquare Compare(const std::map<std::int32_t, int>& seen,
                  const std::map<std::int32_t, double>& shares, int draws) {
  ChiSquare out;
  double rest_seen = draws;
  double rest_expected = draws;
  for (const auto& [token, share] : shares) {
    const double expected = share * draws;
    if (expected < 10) continue;
    const double count = seen.contains(token) ? seen.at(token) : 0;
    out.value += (count - expected) * (count - expected) / expected;
    ++out.cells;
    rest_seen -= count;
    rest_expected -= expected;
  }
  if (rest_expected >= 10) {
    out.value += (rest_seen - rest_expected) * (rest_seen - rest_expected) / rest_expected;
    ++out.cells;
  }
  return out;
}

TEST(Sampler, FrequenciesFollowTheDistribution) {
  const std::vector<float> logits = RandomLogits(1000, 3, 2.5f);
  std::vector<SamplingParams> all(4);
  all[1].temperature = 0.6f;
  all[1].top_k = 20;
  all[2].top_p = 0.9f;
  all[2].min_p = 0.02f;
  all[3].typical_p = 0.7f;
  for (SamplingParams& params : all) {
    params.seed = 2024;
    params.logprob = false;
    Sampler sampler(params);
    constexpr int kDraws = 40000;
    std::map<std::int32_t, int> seen;
    for (int i = 0; i < kDraws; ++i) ++seen[sampler.Next(logits, {}, i).token];
    const ChiSquare result = Compare(seen, Reference(params, logits, {}).Distribution(), kDraws);
    ASSERT_GT(result.cells, 3);
    // Mean cells - 1, variance twice that; four deviations and a little for the skew.
    const double freedom = result.cells - 1;
    EXPECT_LT(result.value, freedom + 4.0 * std::sqrt(2.0 * freedom) + 5.0);
  }
}

TEST(Sampler, SameSeedSameChoicesInAnyOrder) {
  const std::vector<float> logits = RandomLogits(2000, 4, 1.0f);
  SamplingParams params;
  params.seed = 77;
  Sampler forward(params);
  Sampler backward(params);
  std::vector<std::int32_t> tokens(64);
  for (std::size_t i = 0; i < 64; ++i) tokens[i] = forward.Next(logits, {}, i).token;
  for (std::size_t i = 64; i-- > 0;) EXPECT_EQ(backward.Next(logits, {}, i).token, tokens[i]);
  EXPECT_GT(std::set<std::int32_t>(tokens.begin(), tokens.end()).size(), 10u);
  params.seed = 78;
  Sampler other(params);
  int same = 0;
  for (std::size_t i = 0; i < 64; ++i) same += other.Next(logits, {}, i).token == tokens[i];
  EXPECT_LT(same, 16);
}

TEST(Sampler, LogprobsAreTheModels) {
  const std::vector<float> logits = RandomLogits(5000, 5, 2.0f);
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
  SamplingParams params;
  params.temperature = 0.5f;
  params.top_k = 10;
  params.repetition_penalty = 1.5f;
  params.logit_bias = {{12, 30.0f}};
  params.top_logprobs = 5;
  Sampler sampler(params);
  const Sampled sampled = sampler.Next(logits, std::vector<std::int32_t>{12, 13}, 0);
  EXPECT_EQ(sampled.token, 12);
  EXPECT_NEAR(sampled.logprob, logits[12] - std::log(sum), 1e-5);
  std::vector<std::int32_t> order(logits.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int32_t>(i);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return logits[a] > logits[b]; });
  ASSERT_EQ(sampled.top.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(sampled.top[i].token, order[i]);
    EXPECT_NEAR(sampled.top[i].logprob, logits[order[i]] - std::log(sum), 1e-5);
  }
}

TEST(Sampler, LogprobsLookThroughMasks) {
  const std::vector<float> model = {1.0f, 2.0f, 3.0f};
  const std::vector<float> masked = {1.0f, -kInfinity, -kInfinity};
  SamplingParams params;
  Sampler sampler(params);
  const Sampled sampled = sampler.Next({masked, {}, 0, model});
  EXPECT_EQ(sampled.token, 0);
  EXPECT_NEAR(sampled.logprob, 1.0 - std::log(std::exp(1.0) + std::exp(2.0) + std::exp(3.0)), 1e-6);
}

TEST(Sampler, NothingPossibleIsNoToken) {
  for (const float temperature : {0.0f, 1.0f}) {
    for (const int top_k : {0, 3}) {
      SamplingParams params;
      params.temperature = temperature;
      params.top_k = top_k;
      params.top_logprobs = 2;
      Sampler sampler(params);
      std::vector<float> logits(100, -kInfinity);
      EXPECT_EQ(sampler.Next(logits, {}, 0).token, Sampled::kNoToken);
      logits[3] = std::nanf("");
      EXPECT_EQ(sampler.Next(logits, {}, 0).token, Sampled::kNoToken);
      EXPECT_EQ(sampler.Next({}, {}, 0).token, Sampled::kNoToken);
      logits[70] = -3e38f;
      EXPECT_EQ(sampler.Next(logits, {}, 0).token, 70);
      logits[80] = logits[90] = kInfinity;
      EXPECT_EQ(sampler.Next(logits, {}, 0).token, 80);
    }
  }
}

TEST(Sampler, TiesGoToTheLowestIds) {
  const std::vector<float> logits(500, 2.0f);
  SamplingParams params;
  params.temperature = 0.0f;
  EXPECT_EQ(Sampler(params).Next(logits, {}, 9).token, 0);
  params.temperature = 1.0f;
  params.top_k = 3;
  Sampler sampler(params);
  std::set<std::int32_t> seen;
  for (std::size_t i = 0; i < 200; ++i) seen.insert(sampler.Next(logits, {}, i).token);
  EXPECT_EQ(seen, (std::set<std::int32_t>{0, 1, 2}));
}

TEST(Sampler, ExtremeTemperatures) {
  const std::vector<float> logits = RandomLogits(3000, 6, 3.0f);
  const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
  for (const float top_p : {1.0f, 0.9f}) {
    SamplingParams params;
    params.top_p = top_p;
    params.temperature = 1e-30f;
    EXPECT_EQ(Sampler(params).Next(logits, {}, 1).token, best);
    params.temperature = std::numeric_limits<float>::denorm_min();
    EXPECT_EQ(Sampler(params).Next(logits, {}, 1).token, best);
    params.temperature = 1e6f;
    Sampler sampler(params);
    std::set<std::int32_t> seen;
    for (std::size_t i = 0; i < 300; ++i) seen.insert(sampler.Next(logits, {}, i).token);
    EXPECT_GT(seen.size(), 250u);
  }
}

TEST(Sampler, PenaltiesForgetBetweenCalls) {
  const std::vector<float> logits = {1.0f, 0.9f, 0.0f};
  SamplingParams params;
  params.temperature = 0.0f;
  params.presence_penalty = 0.5f;
  Sampler sampler(params);
  EXPECT_EQ(sampler.Next(logits, std::vector<std::int32_t>{0}, 0).token, 1);
  EXPECT_EQ(sampler.Next(logits, std::vector<std::int32_t>{-5, 99}, 1).token, 0);
}

TEST(SamplingParams, ValidateNamesWhatIsWrong) {
  const auto wrong = [](const auto& change) {
    SamplingParams params;
    EXPECT_TRUE(params.Validate());
    change(params);
    const Status status = params.Validate();
    EXPECT_FALSE(status);
    return status ? std::string() : status.error().Message();
  };
  const float nan = std::nanf("");
  using P = SamplingParams;
  EXPECT_NE(wrong([](P& p) { p.temperature = -1.0f; }).find("temperature"), std::string::npos);
  EXPECT_NE(wrong([&](P& p) { p.temperature = nan; }).find("temperature"), std::string::npos);
  EXPECT_NE(wrong([](P& p) { p.top_k = -1; }).find("top_k"), std::string::npos);
  EXPECT_NE(wrong([](P& p) { p.top_p = 1.1f; }).find("top_p"), std::string::npos);
  EXPECT_NE(wrong([&](P& p) { p.min_p = nan; }).find("min_p"), std::string::npos);
  EXPECT_NE(wrong([](P& p) { p.typical_p = 0.0f; }).find("typical_p"), std::string::npos);
  EXPECT_NE(wrong([](P& p) { p.repetition_penalty = 0.0f; }).find("repetition"), std::string::npos);
  EXPECT_NE(wrong([](P& p) { p.frequency_penalty = kInfinity; }).find("frequency"),
            std::string::npos);
  EXPECT_NE(wrong([](P& p) { p.top_logprobs = -1; }).find("top_logprobs"), std::string::npos);
  EXPECT_NE(wrong([&](P& p) { p.logit_bias = {{5, nan}}; }).find("token 5"), std::string::npos);
  EXPECT_NE(wrong([](P& p) { p.logit_bias = {{-1, 1.0f}}; }).find("token -1"), std::string::npos);
}

}  // namespace
}  // namespace ergo::runtime
