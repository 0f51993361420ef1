#include "kernels/softmax/gumbel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "kernels/simd/path_test.h"

namespace ergo::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

class GumbelTest : public PathTest {};

/// Scores every token.
std::size_t Reference(const std::vector<float>& x, double scale, NoiseKey key) {
  std::size_t winner = x.size();
  double best = -kInfinity;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double score = x[i] * scale + GumbelNoise(NoiseBits(key, static_cast<unsigned>(i)));
    if (score > best) {
      best = score;
      winner = i;
    }
  }
  return winner;
}

TEST_P(GumbelTest, SkippingChangesNothing) {
  for (const std::size_t n : {1u, 2u, 100u, 255u, 256u, 257u, 3000u, 20000u}) {
    for (const float deviation : {0.0f, 0.5f, 2.0f, 8.0f}) {
      std::vector<float> x = RandomValues(n, 1, deviation);
      if (n > 2) {
        x[n / 2] = std::nanf("");
        x[n / 3] = -kInfinity;
      }
      for (std::uint64_t position = 0; position < 30; ++position) {
        const NoiseKey key = MakeNoiseKey(7, position);
        EXPECT_EQ(kernels().gumbel_arg_max(x.data(), n, 1.25, key), Reference(x, 1.25, key))
            << "n " << n << " deviation " << deviation << " position " << position;
      }
    }
  }
}

TEST_P(GumbelTest, ImpossibleTokensNeverWin) {
  std::vector<float> x(600, -kInfinity);
  const NoiseKey key = MakeNoiseKey(1, 2);
  EXPECT_EQ(kernels().gumbel_arg_max(x.data(), x.size(), 1.0, key), x.size());
  x[5] = std::nanf("");
  EXPECT_EQ(kernels().gumbel_arg_max(x.data(), x.size(), 1.0, key), x.size());
  x[400] = -1e30f;
  EXPECT_EQ(kernels().gumbel_arg_max(x.data(), x.size(), 1.0, key), 400u);
  x[500] = kInfinity;
  EXPECT_EQ(kernels().gumbel_arg_max(x.data(), x.size(), 1.0, key), 500u);
}

TEST_P(GumbelTest, FrequenciesFollowTheSoftmax) {
  const std::vector<float> x = {0.0f, 1.0f, 2.0f, -1.0f, -3.0f, 0.5f, 0.5f, 2.5f};
  double sum = 0.0;
  for (const float value : x) sum += std::exp(static_cast<double>(value));
  constexpr int kDraws = 200000;
  std::vector<int> seen(x.size());
  for (int i = 0; i < kDraws; ++i) {
    ++seen[kernels().gumbel_arg_max(x.data(), x.size(), 1.0, MakeNoiseKey(99, i))];
  }
  double chi_square = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = kDraws * std::exp(static_cast<double>(x[i])) / sum;
    chi_square += (seen[i] - expected) * (seen[i] - expected) / expected;
  }
  // 7 degrees of freedom: 24.3 is passed once in a thousand seeds.
  EXPECT_LT(chi_square, 24.3);
}

TEST(Gumbel, BitsAreUniformOverTokensPositionsAndSeeds) {
  // 256 cells for the top byte, 255 degrees of freedom: 330.5 is passed once in a thousand.
  const auto chi_square = [](const auto& bits_of) {
    constexpr int kDraws = 1 << 18;
    std::vector<int> cells(256);
    for (int i = 0; i < kDraws; ++i) ++cells[bits_of(static_cast<std::uint32_t>(i)) >> 24];
    double sum = 0.0;
    for (const int count : cells) sum += (count - 1024.0) * (count - 1024.0) / 1024.0;
    return sum;
  };
  EXPECT_LT(chi_square([](std::uint32_t i) { return NoiseBits(MakeNoiseKey(3, 4), i); }), 330.5);
  EXPECT_LT(chi_square([](std::uint32_t i) { return NoiseBits(MakeNoiseKey(3, i), 17); }), 330.5);
  EXPECT_LT(chi_square([](std::uint32_t i) { return NoiseBits(MakeNoiseKey(i, 4), 17); }), 330.5);
}

TEST(Gumbel, NeighboursAreIndependent) {
  // Correlation of a token's noise with the next token's and with its own at the next position:
  // of 200,000 pairs its deviation is 0.0022.
  constexpr int kPairs = 200000;
  double tokens = 0.0;
  double positions = 0.0;
  const NoiseKey key = MakeNoiseKey(11, 5);
  for (int i = 0; i < kPairs; ++i) {
    const auto centered = [](std::uint32_t bits) { return bits * 0x1p-32 - 0.5; };
    tokens += 12.0 * centered(NoiseBits(key, i)) * centered(NoiseBits(key, i + 1)) / kPairs;
    positions += 12.0 * centered(NoiseBits(MakeNoiseKey(11, i), 123)) *
                 centered(NoiseBits(MakeNoiseKey(11, i + 1), 123)) / kPairs;
  }
  EXPECT_LT(std::fabs(tokens), 0.009);
  EXPECT_LT(std::fabs(positions), 0.009);
}

TEST(Gumbel, NoiseIsFiniteAndKnown) {
  EXPECT_TRUE(std::isfinite(GumbelNoise(0)));
  EXPECT_NEAR(GumbelNoise(0), -3.13, 1e-4);
  EXPECT_LT(GumbelNoise(0xffffffffu), 22.9);
  EXPECT_NEAR(GumbelNoise(0x80000000u), 0.36651, 1e-5);
  // A seed's text must not change from one version to the next.
  const NoiseKey key = MakeNoiseKey(42, 7);
  EXPECT_EQ(NoiseBits(key, 0), 4095891980u);
  EXPECT_EQ(NoiseBits(key, 100000), 1967291046u);
}

TEST(Gumbel, BranchesGetSeedsOfTheirOwn) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (std::uint64_t branch = 0; branch < 100; ++branch) seeds.insert(DeriveSeed(seed, branch));
  }
  EXPECT_EQ(seeds.size(), 10000u);
}

INSTANTIATE_TEST_SUITE_P(Paths, GumbelTest, HostPaths(), PathName);

}  // namespace
}  // namespace ergo::kernels
