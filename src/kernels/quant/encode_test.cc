#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/quant/q4_1.h"
#include "kernels/quant/q8_0.h"

namespace ergo::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> Normal(std::size_t n, float mean, float deviation) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(mean, deviation);
  std::vector<float> out(n);
  for (float& value : out) value = normal(random);
  return out;
}

template <typename Format>
std::vector<float> ThereAndBack(const std::vector<float>& values) {
  std::vector<float> out(values.size());
  for (std::size_t i = 0; i < values.size(); i += Format::kBlock) {
    typename Format::Block block;
    Format::Encode(values.data() + i, block);
    Format::Decode(block, out.data() + i);
  }
  return out;
}

double RelativeError(const std::vector<float>& values, const std::vector<float>& decoded) {
  double error = 0;
  double power = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    error += std::pow(static_cast<double>(decoded[i]) - values[i], 2);
    power += std::pow(static_cast<double>(values[i]), 2);
  }
  return std::sqrt(error / power);
}

TEST(EncodeQ8_0, KeepsEveryValueWithinItsBound) {
  // From where fp16 scales are subnormal to where they end.
  for (const float deviation : {1e-7f, 1e-5f, 1e-3f, 0.02f, 1.0f, 1e3f, 1e6f}) {
    const std::vector<float> values = Normal(32 * 64, 0.0f, deviation);
    const std::vector<float> decoded = ThereAndBack<Q8_0>(values);
    for (std::size_t i = 0; i < values.size(); i += 32) {
      Q8_0::Block block;
      Q8_0::Encode(values.data() + i, block);
      const float bound = F16ToF32(block.d) * (0.5f + 127.0f / 2048.0f);
      for (std::size_t k = i; k < i + 32; ++k) {
        ASSERT_LE(std::fabs(decoded[k] - values[k]), bound) << "deviation " << deviation;
      }
    }
  }
}

TEST(EncodeQ8_0, ReturnsValuesThatItCanHoldExactly) {
  std::vector<float> values(32);
  for (int i = 0; i < 32; ++i) values[i] = 0.25f * static_cast<float>(8 * i - 121);
  values[31] = 127 * 0.25f;
  EXPECT_EQ(ThereAndBack<Q8_0>(values), values);
  const std::vector<float> zeros(32, 0.0f);
  EXPECT_EQ(ThereAndBack<Q8_0>(zeros), zeros);
}

TEST(EncodeQ8_0, OfNormalWeightsLosesHalfAPercent) {
  const std::vector<float> values = Normal(32 * 4096, 0.0f, 0.02f);
  EXPECT_LT(RelativeError(values, ThereAndBack<Q8_0>(values)), 0.0056);
}

TEST(EncodeQ8_0, TakesAnyFloats) {
  std::vector<float> values(32, 1.0f);
  values[3] = kNan;
  EXPECT_EQ(ThereAndBack<Q8_0>(values)[3], 0.0f);
  EXPECT_NEAR(ThereAndBack<Q8_0>(values)[4], 1.0f, 0.001f);
  values[5] = kInfinity;
  values[6] = -std::numeric_limits<float>::max();
  const std::vector<float> decoded = ThereAndBack<Q8_0>(values);
  EXPECT_EQ(decoded[5], 127.0f * 65504.0f);
  EXPECT_EQ(decoded[6], -127.0f * 65504.0f);
}

/// The range in 15 steps, codes rounded to nearest.
std::vector<float> PlainQ4_1(const std::vector<float>& values) {
  std::vector<float> out(values.size());
  for (std::size_t i = 0; i < values.size(); i += 32) {
    const auto [low, high] = std::minmax_element(values.begin() + i, values.begin() + i + 32);
    const float d = F16ToF32(F32ToF16((*high - *low) / 15));
    const float m = F16ToF32(F32ToF16(*low));
    for (std::size_t k = i; k < i + 32; ++k) {
      const float code = d > 0 ? std::clamp(std::nearbyintf((values[k] - m) / d), 0.0f, 15.0f) : 0;
      out[k] = d * code + m;
    }
  }
  return out;
}

TEST(EncodeQ4_1, LosesLessThanPlainRounding) {
  const std::vector<float> values = Normal(32 * 4096, 0.0f, 0.02f);
  const double plain = RelativeError(values, PlainQ4_1(values));
  const double searched = RelativeError(values, ThereAndBack<Q4_1>(values));
  EXPECT_LT(searched, 0.95 * plain);
  EXPECT_LT(searched, 0.075);
}

TEST(EncodeQ4_1, NoBlockIsWorseThanPlain) {
  for (const float mean : {0.0f, 1.0f, 300.0f}) {
    for (const float deviation : {1e-7f, 1e-4f, 0.02f, 10.0f}) {
      const std::vector<float> values = Normal(32 * 64, mean, deviation);
      for (std::size_t i = 0; i < values.size(); i += 32) {
        const std::vector<float> block(values.begin() + i, values.begin() + i + 32);
        ASSERT_LE(RelativeError(block, ThereAndBack<Q4_1>(block)),
                  RelativeError(block, PlainQ4_1(block)) * 1.000001)
            << mean << " ± " << deviation;
      }
    }
  }
}

TEST(EncodeQ4_1, ReturnsValuesThatItCanHoldExactly) {
  std::vector<float> values(32);
  for (int i = 0; i < 32; ++i) values[i] = -3.0f + 0.5f * static_cast<float>(i % 16);
  EXPECT_EQ(ThereAndBack<Q4_1>(values), values);
  for (const float constant : {0.0f, -0.375f, 65504.0f}) {
    const std::vector<float> same(32, constant);
    EXPECT_EQ(ThereAndBack<Q4_1>(same), same);
  }
}

TEST(EncodeQ4_1, TakesAnyFloats) {
  std::vector<float> values(32, kNan);
  EXPECT_EQ(ThereAndBack<Q4_1>(values), std::vector<float>(32, 0.0f));
  values[0] = kInfinity;
  values[1] = -kInfinity;
  values[2] = 1e-42f;
  const std::vector<float> decoded = ThereAndBack<Q4_1>(values);
  for (const float value : decoded) EXPECT_TRUE(std::isfinite(value));
  EXPECT_NEAR(decoded[0], 65504.0f, 65504.0f / 15);
  EXPECT_NEAR(decoded[1], -65504.0f, 65504.0f / 15);
  std::vector<float> tiny(32, 0.0f);
  for (int i = 0; i < 32; ++i) tiny[i] = 1e-41f * static_cast<float>(i);
  EXPECT_EQ(ThereAndBack<Q4_1>(tiny), std::vector<float>(32, 0.0f));
}

}  // namespace
}  // namespace ergo::kernels
