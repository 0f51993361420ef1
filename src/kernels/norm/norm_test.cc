#include "kernels/norm/norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "kernels/simd/elementwise.h"
#include "kernels/simd/path_test.h"

namespace ergo::kernels {
namespace {

class NormTest : public PathTest {};

std::vector<double> RmsReference(const float* x, const float* weight, double epsilon,
                                 std::size_t n) {
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * x[i];
  const double scale = 1.0 / std::sqrt(sum / static_cast<double>(n) + epsilon);
  std::vector<double> out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = x[i] * scale * (weight ? weight[i] : 1.0f);
  return out;
}

std::vector<double> LayerReference(const float* x, const LayerNormWeights& w, double epsilon,
                                   std::size_t n) {
  double mean = 0.0;
  for (std::size_t i = 0; i < n; ++i) mean += x[i] / static_cast<double>(n);
  double variance = 0.0;
  for (std::size_t i = 0; i < n; ++i) variance += (x[i] - mean) * (x[i] - mean);
  const double scale = 1.0 / std::sqrt(variance / static_cast<double>(n) + epsilon);
  std::vector<double> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = (x[i] - mean) * scale * (w.weight ? w.weight[i] : 1.0f) + (w.bias ? w.bias[i] : 0.0f);
  }
  return out;
}

TEST_P(NormTest, RmsNormMatchesDoublePrecision) {
  for (const std::size_t n : TestSizes()) {
    const std::vector<float> x = RandomValues(n + 1, 1, 3.0f);
    const std::vector<float> weight = RandomValues(n + 3, 2, 1.0f);
    // Pointers one and three floats past an aligned one.
    for (const float* w : {weight.data() + 3, static_cast<const float*>(nullptr)}) {
      std::vector<float> out(n + 2, -77.0f);
      kernels().rms_norm(x.data() + 1, w, 1e-6f, n, out.data() + 1);
      ExpectNear(RmsReference(x.data() + 1, w, 1e-6, n), out.data() + 1, 2e-6);
      EXPECT_EQ(out.front(), -77.0f);
      EXPECT_EQ(out.back(), -77.0f) << "wrote past the row, n " << n;
    }
  }
}

TEST_P(NormTest, RmsNormInPlaceGivesTheSameBits) {
  std::vector<float> x = RandomValues(577, 3, 2.0f);
  std::vector<float> out(x.size());
  kernels().rms_norm(x.data(), nullptr, 1e-5f, x.size(), out.data());
  kernels().rms_norm(x.data(), nullptr, 1e-5f, x.size(), x.data());
  EXPECT_EQ(x, out);
}

TEST_P(NormTest, LayerNormMatchesDoublePrecision) {
  for (const std::size_t n : TestSizes()) {
    std::vector<float> x = RandomValues(n + 1, 4, 1.0f);
    for (float& value : x) value += 5.0f;  // a mean that must go
    const std::vector<float> weight = RandomValues(n, 5, 1.0f);
    const std::vector<float> bias = RandomValues(n, 6, 1.0f);
    const LayerNormWeights all[] = {
        {weight.data(), bias.data()}, {weight.data(), nullptr}, {nullptr, nullptr}};
    for (const LayerNormWeights& weights : all) {
      std::vector<float> out(n + 2, -77.0f);
      kernels().layer_norm(x.data() + 1, weights, 1e-5f, n, out.data() + 1);
      ExpectNear(LayerReference(x.data() + 1, weights, 1e-5, n), out.data() + 1, 2e-5);
      EXPECT_EQ(out.back(), -77.0f) << "wrote past the row, n " << n;
    }
  }
}

TEST(Norm, EmptyRowIsLeftAlone) {
  float out = 5.0f;
  RmsNorm(nullptr, nullptr, 1e-6f, 0, &out);
  LayerNorm(nullptr, {}, 1e-6f, 0, &out);
  EXPECT_EQ(out, 5.0f);
}

TEST(Norm, ZerosStayZero) {
  const std::vector<float> x(100, 0.0f);
  std::vector<float> out(100, 1.0f);
  RmsNorm(x.data(), nullptr, 1e-6f, x.size(), out.data());
  EXPECT_EQ(out, x);
}

INSTANTIATE_TEST_SUITE_P(Paths, NormTest, HostPaths(), PathName);

}  // namespace
}  // namespace ergo::kernels
