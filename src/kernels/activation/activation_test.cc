#include "kernels/activation/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/simd/path_test.h"

namespace ergo::kernels {
namespace {

class ActivationTest : public PathTest {};

constexpr double kSqrt2OverPi = 0.79788456080286535588;

double SiluReference(double x) { return x / (1.0 + std::exp(-x)); }
double GeluTanhReference(double x) {
  return 0.5 * x * (1.0 + std::tanh(kSqrt2OverPi * (x + 0.044715 * x * x * x)));
}
double GeluErfReference(double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }

/// From -limit to limit in even steps.
std::vector<float> Ramp(float limit, std::size_t n) {
  std::vector<float> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = limit * (2.0f * static_cast<float>(i) / static_cast<float>(n - 1) - 1.0f);
  }
  return out;
}

TEST_P(ActivationTest, GatedActivationsMatchDoublePrecision) {
  for (const std::size_t n : TestSizes()) {
    const std::vector<float> gate = RandomValues(n + 1, 1, 4.0f);
    const std::vector<float> up = RandomValues(n + 3, 2, 2.0f);
    std::vector<double> silu(n);
    std::vector<double> gelu(n);
    for (std::size_t i = 0; i < n; ++i) {
      silu[i] = SiluReference(gate[i + 1]) * up[i + 3];
      gelu[i] = GeluTanhReference(gate[i + 1]) * up[i + 3];
    }
    std::vector<float> out(n + 2, -77.0f);
    kernels().swiglu(gate.data() + 1, up.data() + 3, n, out.data() + 1);
    ExpectNear(silu, out.data() + 1, 2e-6);
    kernels().geglu_tanh(gate.data() + 1, up.data() + 3, n, out.data() + 1);
    ExpectNear(gelu, out.data() + 1, 2e-6);
    EXPECT_EQ(out.front(), -77.0f);
    EXPECT_EQ(out.back(), -77.0f) << "wrote past the row, n " << n;
  }
}

TEST_P(ActivationTest, SmallResultsKeepTheirRelativePrecision) {
  const std::vector<float> x = Ramp(8.0f, 100001);
  std::vector<float> silu(x.size());
  std::vector<float> erf(x.size());
  kernels().silu(x.data(), x.size(), silu.data());
  kernels().gelu_erf(x.data(), x.size(), erf.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact_silu = SiluReference(x[i]);
    const double exact_erf = GeluErfReference(x[i]);
    ASSERT_NEAR(silu[i], exact_silu, 4e-7 * std::fabs(exact_silu)) << x[i];
    // The square of x in e^(-x²/2) costs x²/2 units of the last place.
    ASSERT_NEAR(erf[i], exact_erf, (6e-7 + 6e-8 * x[i] * x[i]) * std::fabs(exact_erf)) << x[i];
  }
}

TEST_P(ActivationTest, LargeValuesAndNotNumbers) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> x = {1e4f, -1e4f, 3e38f, -3e38f, 0.0f, nan, 1.0f, 2.0f, 3.0f};
  const std::vector<float> one(x.size(), 1.0f);
  std::vector<float> out(x.size());
  const auto check = [&](const char* what) {
    EXPECT_EQ(out[0], 1e4f) << what;
    EXPECT_EQ(out[1], 0.0f) << what;
    EXPECT_EQ(out[2], 3e38f) << what;
    EXPECT_EQ(out[3], 0.0f) << what;
    EXPECT_EQ(out[4], 0.0f) << what;
    EXPECT_TRUE(std::isnan(out[5])) << what;
  };
  kernels().swiglu(x.data(), one.data(), x.size(), out.data());
  check("swiglu");
  kernels().geglu_tanh(x.data(), one.data(), x.size(), out.data());
  check("geglu");
  kernels().gelu_erf(x.data(), x.size(), out.data());
  check("gelu erf");
}

TEST_P(ActivationTest, SumsAndScalesAreExact) {
  for (const std::size_t n : TestSizes()) {
    const std::vector<float> x = RandomValues(n, 7, 1.0f);
    const std::vector<float> y = RandomValues(n + 1, 8, 1.0f);
    std::vector<float> sum = x;
    sum.push_back(-77.0f);
    std::vector<float> scaled = sum;
    kernels().add(sum.data(), y.data() + 1, n);
    kernels().scale(scaled.data(), 0.3f, n);
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(sum[i], x[i] + y[i + 1]);
      ASSERT_EQ(scaled[i], x[i] * 0.3f);
    }
    EXPECT_EQ(sum.back(), -77.0f);
    EXPECT_EQ(scaled.back(), -77.0f);
  }
}

TEST_P(ActivationTest, ExpIsRightToTwoUlp) {
  const std::vector<float> x = Ramp(86.5f, 1000003);
  std::vector<float> out(x.size());
  kernels().exp(x.data(), x.size(), out.data());
  double worst = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    worst = std::max(worst, Ulps(std::exp(static_cast<double>(x[i])), out[i]));
  }
  RecordProperty("worst_ulp", std::to_string(worst));
  EXPECT_LE(worst, 2.0);
}

TEST_P(ActivationTest, ExpAtTheEnds) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {infinity, -infinity, 89.0f, 1e30f,  -87.0f,
                                -104.0f,  -1e30f,    0.0f,  88.72f, std::nanf("")};
  std::vector<float> out(x.size());
  kernels().exp(x.data(), x.size(), out.data());
  EXPECT_EQ(out[0], infinity);
  EXPECT_EQ(out[1], 0.0f);
  EXPECT_EQ(out[2], infinity);
  EXPECT_EQ(out[3], infinity);
  EXPECT_EQ(out[4], 0.0f);
  EXPECT_EQ(out[5], 0.0f);
  EXPECT_EQ(out[6], 0.0f);
  EXPECT_EQ(out[7], 1.0f);
  EXPECT_LE(Ulps(std::exp(static_cast<double>(88.72f)), out[8]), 2.0);
  EXPECT_TRUE(std::isnan(out[9]));
}

TEST_P(ActivationTest, TanhIsRightToThreeUlp) {
  std::vector<float> x = Ramp(12.0f, 400001);
  for (const float small : {1e-3f, 1e-6f, 1e-20f, -1e-20f, 100.0f, -100.0f}) x.push_back(small);
  std::vector<float> out(x.size());
  kernels().tanh(x.data(), x.size(), out.data());
  double worst = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    worst = std::max(worst, Ulps(std::tanh(static_cast<double>(x[i])), out[i]));
  }
  RecordProperty("worst_ulp", std::to_string(worst));
  EXPECT_LE(worst, 3.0);
}

TEST(Activation, BiasIsAddedToEveryRow) {
  constexpr std::size_t kColumns = 19;
  constexpr std::size_t kStride = 23;
  std::vector<float> x(3 * kStride, 1.0f);
  const std::vector<float> bias = RandomValues(kColumns, 9, 1.0f);
  AddBias(x.data(), bias.data(), 3, kColumns, kStride);
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t i = 0; i < kStride; ++i) {
      EXPECT_EQ(x[row * kStride + i], i < kColumns ? 1.0f + bias[i] : 1.0f);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, ActivationTest, HostPaths(), PathName);

}  // namespace
}  // namespace ergo::kernels
