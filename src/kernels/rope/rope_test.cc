#include "kernels/rope/rope.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/simd/path_test.h"

namespace ergo::kernels {
namespace {

using Type = RopeConfig::Type;

class RopeTest : public PathTest {};

RopeConfig Plain(std::size_t dims, double theta) {
  RopeConfig config;
  config.rotary_dims = dims;
  config.theta = theta;
  return config;
}

RopeConfig Scaled(Type type, std::size_t dims, double theta, double factor, std::size_t context) {
  RopeConfig config = Plain(dims, theta);
  config.type = type;
  config.factor = factor;
  config.original_context = context;
  return config;
}

/// Frequencies as Transformers 5.23 computes them in single precision.
void ExpectFrequencies(const RopeConfig& config, const std::vector<double>& expected,
                       double attention_factor) {
  const auto rope = Rope::Create(config);
  ASSERT_TRUE(rope) << rope.error().Message();
  ASSERT_EQ(rope->frequencies().size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(rope->frequencies()[i], expected[i], 1e-6 * expected[i]) << i;
  }
  EXPECT_NEAR(rope->attention_factor(), attention_factor, 1e-12);
}

TEST(Rope, LinearFrequencies) {
  ExpectFrequencies(Scaled(Type::kLinear, 16, 1e4, 4.0, 0),
                    {0.25, 0.079056941, 0.0250000004, 0.00790569466, 0.00249999994, 0.000790569466,
                     0.000250000012, 7.90569466e-05},
                    1.0);
}

TEST(Rope, DynamicFrequenciesDependOnTheContext) {
  RopeConfig config = Scaled(Type::kDynamic, 16, 1e4, 2.0, 4096);
  const std::vector<double> plain = {1.0,           0.316227764,   0.100000001,   0.0316227786,
                                     0.00999999978, 0.00316227786, 0.00100000005, 0.000316227786};
  ExpectFrequencies(config, plain, 1.0);
  config.context = 100;
  ExpectFrequencies(config, plain, 1.0);
  config.context = 16384;
  ExpectFrequencies(config,
                    {1.0, 0.239481375, 0.057351321, 0.0137345716, 0.00328917382, 0.00078769587,
                     0.000188638471, 4.51753949e-05},
                    1.0);
}

TEST(Rope, YarnFrequencies) {
  ExpectFrequencies(
      Scaled(Type::kYarn, 32, 1e6, 4.0, 32768),
      {1.0, 0.421696514, 0.177827939, 0.0749894157, 0.0316227786, 0.0133352149, 0.00477990136,
       0.00165996165, 0.000549999997, 0.000168678584, 4.44569851e-05, 1.87473561e-05,
       7.90569356e-06, 3.33380353e-06, 1.40585337e-06, 5.92843435e-07},
      1.138629436111989);
}

TEST(Rope, YarnWithTwoScales) {
  RopeConfig config = Scaled(Type::kYarn, 64, 1e4, 40.0, 4096);
  config.mscale = 1.0;
  config.mscale_all_dim = 0.8;
  ExpectFrequencies(config,
                    {1.0,
                     0.749894202,
                     0.562341332,
                     0.421696514,
                     0.316227764,
                     0.237137362,
                     0.177827939,
                     0.133352146,
                     0.100000001,
                     0.0749894157,
                     0.0562341288,
                     0.0390069261,
                     0.0268793609,
                     0.0183781441,
                     0.012447956,
                     0.0083345091,
                     0.00550000044,
                     0.00356199732,
                     0.00224936521,
                     0.00137051346,
                     0.000790569407,
                     0.000414990413,
                     0.00017782794,
                     3.3338034e-05,
                     2.49999994e-05,
                     1.87473543e-05,
                     1.40585325e-05,
                     1.05424124e-05,
                     7.90569447e-06,
                     5.92843435e-06,
                     4.44569832e-06,
                     3.33380353e-06},
                    1.0569662567531275);
  config.attention_factor = 1.25;
  EXPECT_EQ(Rope::Create(config)->attention_factor(), 1.25);
}

TEST(Rope, YarnWithoutTruncation) {
  RopeConfig config = Scaled(Type::kYarn, 16, 150000.0, 32.0, 4096);
  config.truncate = false;
  ExpectFrequencies(config,
                    {1.0, 0.225418001, 0.0508132726, 0.00679495931, 0.000456483918, 1.8188337e-05,
                     4.09997847e-06, 9.24208962e-07},
                    1.3465735902799727);
}

TEST(Rope, Llama3Frequencies) {
  ExpectFrequencies(Scaled(Type::kLlama3, 32, 5e5, 8.0, 8192),
                    {1.0, 0.440366626, 0.193922758, 0.0853971019, 0.0376060307, 0.0165604409,
                     0.00729266508, 0.00321144611, 0.000524846022, 7.78465546e-05, 3.42810235e-05,
                     1.50962178e-05, 6.64786967e-06, 2.92749974e-06, 1.28917316e-06, 5.6770881e-07},
                    1.0);
}

TEST(Rope, FrequencyFactorsDivide) {
  RopeConfig config = Plain(4, 100.0);
  config.freq_factors = {2.0f, 4.0f};
  ExpectFrequencies(config, {0.5, 0.025}, 1.0);
}

TEST(Rope, AnglesHoldForLargePositions) {
  const auto rope = Rope::Create(Plain(128, 10000.0));
  ASSERT_TRUE(rope);
  std::vector<float> angles(128);
  for (const std::size_t position :
       {0u, 1u, 63u, 64u, 100u, 4095u, 4097u, 131071u, 999999u, 1048576u, 16777215u, 40000000u}) {
    rope->Angles(position, angles.data());
    for (std::size_t i = 0; i < 64; ++i) {
      const long double angle = static_cast<long double>(position) *
                                std::pow(10000.0L, -static_cast<long double>(i) / 64.0L);
      // Half a float's last place, and the rounding of the frequency over all these positions.
      const double tolerance = 3.1e-8 + 4e-16 * static_cast<double>(position);
      ASSERT_NEAR(angles[i], static_cast<double>(std::cos(angle)), tolerance) << position;
      ASSERT_NEAR(angles[64 + i], static_cast<double>(std::sin(angle)), tolerance) << position;
    }
  }
}

TEST(Rope, AttentionFactorScalesAngles) {
  RopeConfig config = Plain(8, 10000.0);
  config.attention_factor = 2.0;
  const auto rope = Rope::Create(config);
  ASSERT_TRUE(rope);
  std::vector<float> angles(8);
  rope->Angles(1, angles.data());
  EXPECT_FLOAT_EQ(angles[0], static_cast<float>(2.0 * std::cos(1.0)));
  EXPECT_FLOAT_EQ(angles[4], static_cast<float>(2.0 * std::sin(1.0)));
}

TEST(Rope, BadConfigurationsAreErrors) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<RopeConfig> bad = {Plain(0, 1e4),
                                 Plain(7, 1e4),
                                 Plain(1u << 20, 1e4),
                                 Plain(8, 0.0),
                                 Plain(8, -1.0),
                                 Plain(8, nan),
                                 Scaled(Type::kLinear, 8, 1e-300, 1e-300, 0),
                                 Scaled(Type::kLinear, 8, 1e4, 0.0, 0),
                                 Scaled(Type::kYarn, 8, 1e4, 4.0, 0),
                                 Scaled(Type::kYarn, 8, 1.0, 4.0, 4096),
                                 Scaled(Type::kLlama3, 8, 1e4, 8.0, 0),
                                 Scaled(Type::kDynamic, 2, 1e4, 2.0, 4096),
                                 Scaled(Type::kDynamic, 8, 1e4, 0.5, 4096)};
  RopeConfig factors = Plain(8, 1e4);
  factors.freq_factors = {1.0f, 2.0f};
  bad.push_back(factors);
  factors.freq_factors = {1.0f, 2.0f, 0.0f, 1.0f};
  bad.push_back(factors);
  RopeConfig llama = Scaled(Type::kLlama3, 8, 1e4, 8.0, 8192);
  llama.high_freq_factor = llama.low_freq_factor;
  bad.push_back(llama);
  for (std::size_t i = 0; i < bad.size(); ++i) {
    const auto rope = Rope::Create(bad[i]);
    ASSERT_FALSE(rope) << "case " << i;
    EXPECT_FALSE(rope.error().what.empty());
  }
}

TEST_P(RopeTest, RotatesBothPairings) {
  constexpr std::size_t kHeads = 3;
  for (const std::size_t dims : {2u, 4u, 6u, 10u, 16u, 32u, 34u, 64u, 128u, 130u, 256u}) {
    for (const std::size_t extra : {0u, 5u}) {
      const std::size_t head_dim = dims + extra;
      const std::size_t half = dims / 2;
      const auto rope = Rope::Create(Plain(dims, 10000.0));
      ASSERT_TRUE(rope);
      std::vector<float> angles(dims);
      rope->Angles(1234, angles.data());
      const std::vector<float> x = RandomValues(kHeads * head_dim + 1, 1, 1.0f);
      for (const bool interleaved : {false, true}) {
        std::vector<double> expected(x.begin() + 1, x.end());
        for (std::size_t h = 0; h < kHeads; ++h) {
          for (std::size_t i = 0; i < half; ++i) {
            const std::size_t a = h * head_dim + (interleaved ? 2 * i : i);
            const std::size_t b = interleaved ? a + 1 : a + half;
            expected[a] = static_cast<double>(x[1 + a]) * angles[i] -
                          static_cast<double>(x[1 + b]) * angles[half + i];
            expected[b] = static_cast<double>(x[1 + b]) * angles[i] +
                          static_cast<double>(x[1 + a]) * angles[half + i];
          }
        }
        std::vector<float> out = x;
        const RopeHeads heads{kHeads, head_dim, out.data() + 1};
        (interleaved ? kernels().rotate_pairs : kernels().rotate_halves)(angles.data(), half,
                                                                         heads);
        ExpectNear(expected, out.data() + 1, 3e-7);
        EXPECT_EQ(out[0], x[0]);
        // Dimensions that do not rotate keep their bits.
        for (std::size_t i = dims; i < head_dim; ++i) EXPECT_EQ(out[1 + i], x[1 + i]);
      }
    }
  }
}

TEST(Rope, ApplyRopeFollowsTheConfiguration) {
  RopeConfig config = Plain(4, 10000.0);
  config.interleaved = true;
  const auto rope = Rope::Create(config);
  ASSERT_TRUE(rope);
  const float quarter_turn[] = {0.0f, 1.0f, 1.0f, 0.0f};
  float x[] = {1.0f, 2.0f, 3.0f, 4.0f};
  ApplyRope(quarter_turn, *rope, 1, 4, x);
  EXPECT_EQ(std::vector<float>(x, x + 4), (std::vector<float>{-2.0f, 1.0f, 3.0f, 4.0f}));
  float y[] = {1.0f, 2.0f, 3.0f, 4.0f};
  ApplyRope(quarter_turn, 4, false, RopeHeads{1, 4, y});
  EXPECT_EQ(std::vector<float>(y, y + 4), (std::vector<float>{-3.0f, 2.0f, 1.0f, 4.0f}));
}

INSTANTIATE_TEST_SUITE_P(Paths, RopeTest, HostPaths(), PathName);

}  // namespace
}  // namespace ergo::kernels
