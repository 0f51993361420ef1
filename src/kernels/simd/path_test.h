// For tests of the element-wise operations: every path that the host can run, and comparisons.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "kernels/simd/elementwise.h"

namespace ergo::kernels {

class PathTest : public ::testing::TestWithParam<CpuPath> {
 protected:
  const ElementwiseKernels& kernels() const { return ElementwiseFor(GetParam()); }
};

inline auto HostPaths() {
  std::vector<CpuPath> paths;
  for (const CpuPath path : {CpuPath::kPortable, CpuPath::kAvx2, CpuPath::kAvx512}) {
    if (CanRun(path)) paths.push_back(path);
  }
  return ::testing::ValuesIn(paths);
}

inline std::string PathName(const ::testing::TestParamInfo<CpuPath>& info) {
  return std::string(Name(info.param));
}

/// 1 … 100 and rows of real models.
inline std::vector<std::size_t> TestSizes() {
  std::vector<std::size_t> sizes;
  for (std::size_t n = 1; n <= 100; ++n) sizes.push_back(n);
  for (const std::size_t n : {255, 256, 576, 640, 896, 1536, 4864}) sizes.push_back(n);
  return sizes;
}

/// Normal values of the given deviation.
inline std::vector<float> RandomValues(std::size_t n, unsigned seed, float deviation) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, deviation);
  std::vector<float> out(n);
  for (float& value : out) value = normal(random);
  return out;
}

/// Within `tolerance` of the larger of 1 and the value.
inline void ExpectNear(const std::vector<double>& expected, const float* actual, double tolerance) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(expected[i], actual[i], tolerance * std::max(1.0, std::fabs(expected[i])))
        << "at " << i << " of " << expected.size();
  }
}

/// Distance in units of the last place of the expected value as a float.
inline double Ulps(double expected, float actual) {
  const float nearest = static_cast<float>(expected);
  const double unit = std::fabs(static_cast<double>(std::nextafter(nearest, INFINITY)) - nearest);
  return std::fabs(expected - actual) / unit;
}

}  // namespace ergo::kernels
