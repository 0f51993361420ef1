#include "kernels/softmax/softmax.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/simd/path_test.h"

namespace ergo::kernels {
namespace {

class SoftmaxTest : public PathTest {};

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const float kNan = std::numeric_limits<float>::quiet_NaN();

double SumReference(const float* x, std::size_t n, double shift, double scale) {
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) sum += std::exp((x[i] - shift) * scale);
  return sum;
}

TEST_P(SoftmaxTest, MatchesDoublePrecision) {
  for (const std::size_t n : TestSizes()) {
    const std::vector<float> x = RandomValues(n + 1, 1, 5.0f);
    const double shift = *std::max_element(x.begin() + 1, x.end());
    const double sum = SumReference(x.data() + 1, n, shift, 1.0);
    std::vector<float> out(n + 2, -77.0f);
    kernels().softmax(x.data() + 1, n, out.data() + 1);
    for (std::size_t i = 0; i < n; ++i) {
      const double expected = std::exp(x[i + 1] - shift) / sum;
      // Differences of up to 64 are rounded to half a last place, 2e-6, before the exponential.
      ASSERT_NEAR(out[i + 1], expected, 3e-6 * expected) << "n " << n;
    }
    EXPECT_EQ(out.front(), -77.0f);
    EXPECT_EQ(out.back(), -77.0f);
    EXPECT_EQ(kernels().largest(x.data() + 1, n), static_cast<float>(shift));
    EXPECT_NEAR(
        kernels().sum_exp(x.data() + 1, n, 1.5f, 0.7f) / SumReference(x.data() + 1, n, 1.5, 0.7f),
        1.0, 3e-6);
  }
}

TEST_P(SoftmaxTest, MaskedValuesGetNothing) {
  std::vector<float> x = RandomValues(50, 2, 1.0f);
  x[0] = x[17] = x[49] = -kInfinity;
  std::vector<float> out(x.size());
  kernels().softmax(x.data(), x.size(), out.data());
  EXPECT_EQ(out[0], 0.0f);
  EXPECT_EQ(out[17], 0.0f);
  EXPECT_EQ(out[49], 0.0f);
  const std::vector<float> masked(20, -kInfinity);
  kernels().softmax(masked.data(), masked.size(), out.data());
  for (std::size_t i = 0; i < masked.size(); ++i) EXPECT_EQ(out[i], 0.0f);
  x[3] = kNan;
  kernels().softmax(x.data(), x.size(), out.data());
  for (const float value : out) EXPECT_TRUE(std::isnan(value));
}

TEST_P(SoftmaxTest, ArgMaxIsTheFirstLargest) {
  for (std::size_t n = 1; n <= 1100; n += n < 100 ? 1 : 97) {
    std::vector<float> x = RandomValues(n + 1, static_cast<unsigned>(n), 1.0f);
    const float* row = x.data() + 1;
    EXPECT_EQ(kernels().arg_max(row, n),
              static_cast<std::size_t>(std::max_element(row, row + n) - row));
    x[1 + n / 2] = x[n] = 9.0f;
    EXPECT_EQ(kernels().arg_max(row, n), std::min(n / 2, n - 1));
    x[1] = kNan;
    if (n > 2) {
      EXPECT_EQ(kernels().arg_max(row, n), n / 2);
    }
  }
}

TEST_P(SoftmaxTest, ArgMaxWithNothingFinite) {
  std::vector<float> x(40, kNan);
  EXPECT_EQ(kernels().arg_max(x.data(), x.size()), 0u);
  x[35] = -kInfinity;
  EXPECT_EQ(kernels().arg_max(x.data(), x.size()), 35u);
  x[38] = kInfinity;
  EXPECT_EQ(kernels().arg_max(x.data(), x.size()), 38u);
  EXPECT_EQ(kernels().arg_max(x.data(), 0), 0u);
}

TEST_P(SoftmaxTest, BlockMaximaCoverEveryValue) {
  for (const std::size_t n : {1u, 63u, 64u, 65u, 200u, 4096u}) {
    std::vector<float> x = RandomValues(n, 5, 1.0f);
    x[n / 2] = kNan;
    std::vector<float> maxima((n + kMaximaBlock - 1) / kMaximaBlock + 1, -77.0f);
    kernels().block_maxima(x.data(), n, maxima.data());
    for (std::size_t b = 0; b * kMaximaBlock < n; ++b) {
      float expected = -kInfinity;
      for (std::size_t i = b * kMaximaBlock; i < std::min(n, (b + 1) * kMaximaBlock); ++i) {
        if (x[i] > expected) expected = x[i];
      }
      EXPECT_EQ(maxima[b], expected);
    }
    EXPECT_EQ(maxima.back(), -77.0f);
  }
}

TEST_P(SoftmaxTest, SumExpIgnoresNotNumbers) {
  std::vector<float> x(100, -kInfinity);
  x[1] = 1.0f;
  x[40] = x[99] = kNan;
  EXPECT_FLOAT_EQ(kernels().sum_exp(x.data(), x.size(), 1.0f, 2.0f), 1.0f);
}

TEST_P(SoftmaxTest, SoftCapMatchesDoublePrecision) {
  for (const std::size_t n : TestSizes()) {
    std::vector<float> x = RandomValues(n + 1, 6, 60.0f);
    std::vector<double> expected(n);
    for (std::size_t i = 0; i < n; ++i) expected[i] = 30.0 * std::tanh(x[i] / 30.0);
    x.back() = -77.0f;
    kernels().soft_cap(x.data(), n, 30.0f);
    ExpectNear(expected, x.data(), 1e-6);
    EXPECT_EQ(x.back(), -77.0f);
  }
}

TEST(Softmax, LogSumExpMatchesDoublePrecision) {
  for (const std::size_t n : {1u, 7u, 100u, 49152u, 262144u}) {
    std::vector<float> x = RandomValues(n, 7, 3.0f);
    for (float& value : x) value += 200.0f;  // overflows without the shift
    EXPECT_NEAR(LogSumExp(x.data(), n), 200.0 + std::log(SumReference(x.data(), n, 200.0, 1.0)),
                3e-5);
  }
}

TEST(Softmax, LogSumExpAtTheEnds) {
  EXPECT_EQ(LogSumExp(nullptr, 0), -kInfinity);
  std::vector<float> x(33, -kInfinity);
  EXPECT_EQ(LogSumExp(x.data(), x.size()), -kInfinity);
  x[5] = 2.0f;
  EXPECT_EQ(LogSumExp(x.data(), x.size()), 2.0f);
  x[6] = kInfinity;
  EXPECT_EQ(LogSumExp(x.data(), x.size()), kInfinity);
  x[32] = kNan;
  EXPECT_TRUE(std::isnan(LogSumExp(x.data(), x.size())));
}

INSTANTIATE_TEST_SUITE_P(Paths, SoftmaxTest, HostPaths(), PathName);

}  // namespace
}  // namespace ergo::kernels
