#include "kernels/softmax/shares.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/simd/path_test.h"
#include "kernels/softmax/softmax.h"

namespace ergo::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

class SharesTest : public PathTest {};

/// Normal logits with a NaN and a forbidden token where there is room.
std::vector<float> Logits(std::size_t n) {
  std::vector<float> x = RandomValues(n, static_cast<unsigned>(n), 2.0f);
  if (n > 4) {
    x[n / 2] = std::nanf("");
    x[n - 2] = -kInfinity;
  }
  return x;
}

TEST_P(SharesTest, SumsMatchDoublePrecision) {
  const ShareOrder order{7.0f, 1.3f, -4.0f};
  for (const std::size_t n : TestSizes()) {
    const std::vector<float> x = Logits(n);
    const float thresholds[] = {-1.0f, -2.0f, -4.0f, -30.0f};
    double expected[4] = {};
    double mass = 0.0;
    double weighted = 0.0;
    for (const float value : x) {
      if (!(value > -kInfinity)) continue;
      const double y = (static_cast<double>(value) - 7.0) * 1.3f;
      mass += std::exp(y);
      weighted += y * std::exp(y);
      for (int t = 0; t < 4; ++t) expected[t] += order.Of(value) >= thresholds[t] ? std::exp(y) : 0;
    }
    float masses[4];
    kernels().mass_above(x.data(), n, order, thresholds, masses);
    for (int t = 0; t < 4; ++t) ASSERT_NEAR(masses[t], expected[t], 3e-6 * expected[t]) << n;
    const EntropySums sums = kernels().sum_entropy(x.data(), n, order);
    ASSERT_NEAR(sums.mass, mass, 3e-6 * mass);
    ASSERT_NEAR(sums.weighted, weighted, 3e-6 * std::fabs(weighted));
  }
}

TEST_P(SharesTest, SplitsExactlyWhereTheOrderSays) {
  for (const float center : {0.0f, -6.5f}) {
    const ShareOrder order{7.25f, 0.7f, center};
    for (const std::size_t n : TestSizes()) {
      const std::vector<float> x = Logits(n);
      const float threshold = order.Of(x[0]);  // a value that occurs: kept
      std::vector<float> kept(n + 1, -77.0f);
      std::vector<float> below((n + kMaximaBlock - 1) / kMaximaBlock + 1, -77.0f);
      kernels().split_at(x.data(), n, order, threshold, kept.data(), below.data());
      EXPECT_EQ(kept[0], x[0]);
      std::vector<float> expected_below(below.size() - 1, -kInfinity);
      for (std::size_t i = 0; i < n; ++i) {
        const float v = order.Of(x[i]);
        if (v >= threshold) {
          ASSERT_EQ(kept[i], x[i]);
        } else {
          ASSERT_EQ(kept[i], -kInfinity);
          float& largest = expected_below[i / kMaximaBlock];
          largest = std::max(largest, v);
        }
      }
      EXPECT_EQ(kept.back(), -77.0f);
      EXPECT_EQ(below.back(), -77.0f);
      below.pop_back();
      EXPECT_EQ(below, expected_below);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, SharesTest, HostPaths(), PathName);

}  // namespace
}  // namespace ergo::kernels
