#include "kernels/matmul/matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "base/float_bits.h"
#include "kernels/activation/activation.h"
#include "kernels/quant/formats.h"

namespace ergo::kernels {
namespace {

constexpr std::size_t kInputs = 768;   // whole blocks of every format, and a rest of a piece
constexpr std::size_t kOutputs = 147;  // a last panel that is not full

/// A matrix in `dtype` with random codes and moderate scales.
struct RandomMatrix {
  std::vector<std::byte> data;
  TensorView view;

  explicit RandomMatrix(DType dtype, std::size_t inputs = kInputs) {
    std::mt19937 random(7);
    data.resize(*BytesFor(dtype, kOutputs * inputs));
    if (!IsBlockFormat(dtype)) {
      std::normal_distribution<float> normal(0.0f, 0.05f);
      for (std::size_t i = 0; i < kOutputs * inputs; ++i) {
        const float x = normal(random);
        const std::uint16_t half = dtype == DType::kF16 ? F32ToF16(x) : F32ToBf16(x);
        if (dtype == DType::kF32) std::memcpy(&data[4 * i], &x, 4);
        if (dtype != DType::kF32) std::memcpy(&data[2 * i], &half, 2);
      }
    } else {
      // Any bits are codes; as half floats, the masked ones are finite and at most 1.
      for (std::byte& b : data) b = static_cast<std::byte>(random() & 0x3B);
    }
    view = {"weights",
            dtype,
            {static_cast<std::int64_t>(kOutputs), static_cast<std::int64_t>(inputs)},
            data};
  }
};

std::vector<float> RandomRows(std::size_t rows, std::size_t inputs) {
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  std::vector<float> values(rows * inputs);
  for (float& x : values) x = normal(random);
  return values;
}

PackedMatrix Pack(const TensorView& view, PackAs as = PackAs::kSource) {
  auto matrix = PackedMatrix::Create(view, as);
  EXPECT_TRUE(matrix.has_value()) << (matrix ? "" : matrix.error().Message());
  matrix->PackPanels(0, matrix->panels());
  return std::move(*matrix);
}

/// Rows [first, first + count) of `values` through the product.
std::vector<float> Multiply(const PackedMatrix& matrix, const std::vector<float>& values,
                            std::size_t first, std::size_t count, int threads) {
  Activations in;
  in.Reset(count, matrix.inputs(), !matrix.reads_int8(), matrix.reads_int8());
  for (std::size_t r = 0; r < count; ++r) in.SetRow(r, &values[(first + r) * matrix.inputs()]);
  std::vector<float> out(count * kOutputs, NAN);
  const Product product{&matrix, out.data(), kOutputs};
  ComputePool pool(2);
  pool.Run(threads, [&](Worker& worker) { MatMul(worker, in, {&product, 1}); });
  return out;
}

class EveryFormat : public ::testing::TestWithParam<DType> {};

TEST_P(EveryFormat, IsTheProductOfDecodedWeights) {
  const RandomMatrix weights(GetParam());
  const PackedMatrix matrix = Pack(weights.view);
  constexpr std::size_t kRows = 13;
  const std::vector<float> rows = RandomRows(kRows, kInputs);
  const std::vector<float> out = Multiply(matrix, rows, 0, kRows, 2);
  std::vector<float> w(kInputs);
  for (std::size_t o = 0; o < kOutputs; ++o) {
    DecodeRow(weights.view, o, w.data());
    double size = 0;
    for (const float x : w) size += static_cast<double>(x) * x;
    for (std::size_t r = 0; r < kRows; ++r) {
      double expected = 0;
      for (std::size_t k = 0; k < kInputs; ++k) {
        expected += static_cast<double>(w[k]) * rows[r * kInputs + k];
      }
      // Rounding activations to 8 bits moves each by at most half of 1/127 of its block's largest.
      const double tolerance =
          matrix.reads_int8() ? 0.05 * std::sqrt(size) : 2e-4 * std::sqrt(size);
      ASSERT_NEAR(out[r * kOutputs + o], expected, tolerance) << "row " << r << " output " << o;
    }
  }
}

TEST_P(EveryFormat, RowsDoNotDependOnTheirNeighboursOrThreads) {
  const RandomMatrix weights(GetParam());
  const PackedMatrix matrix = Pack(weights.view);
  constexpr std::size_t kRows = 64;
  const std::vector<float> rows = RandomRows(kRows, kInputs);
  const std::vector<float> all = Multiply(matrix, rows, 0, kRows, 2);
  for (const std::size_t count : {1, 2, 3, 5, 7, 11, 16, 40}) {
    for (const int threads : {1, 2}) {
      const std::vector<float> some = Multiply(matrix, rows, 9, count, threads);
      ASSERT_EQ(0, std::memcmp(some.data(), &all[9 * kOutputs], some.size() * sizeof(float)))
          << count << " rows, " << threads << " threads";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(MatMul, EveryFormat,
                         ::testing::Values(DType::kF32, DType::kF16, DType::kBF16, DType::kQ2K,
                                           DType::kQ3K, DType::kQ4_0, DType::kQ4_1, DType::kQ4K,
                                           DType::kQ5_0, DType::kQ5_1, DType::kQ5K, DType::kQ6K,
                                           DType::kQ8_0),
                         [](const auto& param) { return std::string(Info(param.param).name); });

TEST(MatMul, FloatWeightsAreQuantizedWhileLoading) {
  const RandomMatrix weights(DType::kBF16, 100);  // no whole blocks
  const std::vector<float> rows = RandomRows(3, 100);
  const std::vector<float> exact = Multiply(Pack(weights.view, PackAs::kF32), rows, 0, 3, 1);
  for (const auto& [as, dtype, error] : {std::tuple{PackAs::kInt8, DType::kQ8_0, 0.02},
                                         std::tuple{PackAs::kInt4, DType::kQ4_1, 0.2}}) {
    const PackedMatrix matrix = Pack(weights.view, as);
    EXPECT_EQ(matrix.dtype(), dtype);
    const std::vector<float> out = Multiply(matrix, rows, 0, 3, 1);
    double difference = 0;
    double size = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      difference += std::pow(static_cast<double>(out[i]) - exact[i], 2);
      size += std::pow(static_cast<double>(exact[i]), 2);
    }
    EXPECT_LT(std::sqrt(difference / size), error);
  }
}

TEST(MatMul, MoreRowsThanPassTogether) {
  const PackedMatrix matrix = Pack(RandomMatrix(DType::kQ4_0).view);
  constexpr std::size_t kRows = 1100;
  const std::vector<float> rows = RandomRows(kRows, kInputs);
  const std::vector<float> all = Multiply(matrix, rows, 0, kRows, 2);
  for (const std::size_t row : {0, 511, 512, 513, 528, 1025, 1099}) {
    const std::vector<float> one = Multiply(matrix, rows, row, 1, 1);
    ASSERT_EQ(0, std::memcmp(one.data(), &all[row * kOutputs], one.size() * sizeof(float))) << row;
  }
}

/// Rows [first, first + count) through the product, with remainders.
std::vector<float> MultiplyFinely(const PackedMatrix& matrix, const std::vector<float>& values,
                                  std::size_t first, std::size_t count, int threads) {
  Activations in;
  Remainders rest;
  in.Reset(count, kInputs, false, true);
  rest.Reset(count, kInputs);
  for (std::size_t r = 0; r < count; ++r) {
    rest.SetRow(r, std::span(values).subspan((first + r) * kInputs, kInputs), in);
  }
  std::vector<float> out(count * kOutputs, NAN);
  ComputePool pool(2);
  pool.Run(threads, [&](Worker& worker) {
    MatMul(worker, in, rest, {&matrix, out.data(), kOutputs});
  });
  return out;
}

TEST(MatMul, RemaindersMakeUpForLargeChannels) {
  std::vector<float> rows = RandomRows(2, kInputs);
  for (std::size_t r = 0; r < 2; ++r) {
    rows[r * kInputs + 5] = 300.0f;
    rows[r * kInputs + kInputs - 1 - r] = -200.0f;
  }
  for (const DType dtype : {DType::kQ8_0, DType::kQ4_1}) {
    const RandomMatrix weights(dtype);
    const PackedMatrix matrix = Pack(weights.view);
    ASSERT_TRUE(TakesRemainders(matrix));
    const std::vector<float> exact = Multiply(Pack(weights.view, PackAs::kF32), rows, 0, 2, 1);
    const auto error = [&](const std::vector<float>& out) {
      double sum = 0;
      for (std::size_t i = 0; i < out.size(); ++i) sum += std::pow(out[i] - exact[i], 2);
      return std::sqrt(sum);
    };
    EXPECT_LT(error(MultiplyFinely(matrix, rows, 0, 2, 1)),
              0.1 * error(Multiply(matrix, rows, 0, 2, 1)));
  }
  EXPECT_FALSE(TakesRemainders(Pack(RandomMatrix(DType::kQ6K).view)));
  EXPECT_FALSE(TakesRemainders(Pack(RandomMatrix(DType::kF16).view)));
}

TEST(MatMul, RemaindersDoNotDependOnOtherRowsOrThreads) {
  const PackedMatrix matrix = Pack(RandomMatrix(DType::kQ8_0).view);
  constexpr std::size_t kRows = 600;
  const std::vector<float> rows = RandomRows(kRows, kInputs);
  const std::vector<float> all = MultiplyFinely(matrix, rows, 0, kRows, 2);
  for (const std::size_t first : {0, 510, 560}) {
    for (const std::size_t count : {1, 2, 7, 16, 40}) {
      const std::vector<float> some = MultiplyFinely(matrix, rows, first, count, 1 + count % 2);
      ASSERT_EQ(0, std::memcmp(some.data(), &all[first * kOutputs], some.size() * sizeof(float)))
          << count << " rows from " << first;
    }
  }
}

/// Outputs of `down`, an fp32 and an int8 matrix of kOutputs inputs, for a gated layer's rows.
std::vector<float> Project(const Activations& rows, int threads) {
  const RandomMatrix weights(DType::kBF16, kOutputs);
  std::vector<float> out(2 * rows.rows() * kOutputs);
  ComputePool pool(2);
  std::size_t part = 0;
  for (const PackAs as : {PackAs::kF32, PackAs::kInt8}) {
    const PackedMatrix down = Pack(weights.view, as);
    const Product product{&down, &out[part * rows.rows() * kOutputs], kOutputs};
    pool.Run(threads, [&](Worker& worker) { MatMul(worker, rows, {&product, 1}); });
    ++part;
  }
  return out;
}

TEST(MatMul, GatedProductsAreThoseOfTheSeparateSteps) {
  const RandomMatrix gate_weights(DType::kQ4_1);
  const RandomMatrix up_weights(DType::kQ5_0);
  const PackedMatrix gate = Pack(gate_weights.view);
  const PackedMatrix up = Pack(up_weights.view);
  const std::vector<float> bias = RandomRows(2, kOutputs);
  for (const Gating gating : {Gating::kSilu, Gating::kGeluTanh}) {
    for (const std::size_t count : {1, 7, 600}) {
      const std::vector<float> rows = RandomRows(count, kInputs);
      std::vector<float> a = Multiply(gate, rows, 0, count, 1);
      std::vector<float> b = Multiply(up, rows, 0, count, 1);
      Activations separate;
      separate.Reset(count, kOutputs, true, true);
      for (std::size_t r = 0; r < count; ++r) {
        float* row = &a[r * kOutputs];
        AddInPlace(row, bias.data(), kOutputs);
        AddInPlace(&b[r * kOutputs], &bias[kOutputs], kOutputs);
        const auto activate = gating == Gating::kSilu ? SwiGlu : GeGluTanh;
        activate(row, &b[r * kOutputs], kOutputs, row);
        separate.SetRow(r, row);
      }
      Activations in;
      in.Reset(count, kInputs, false, true);
      for (std::size_t r = 0; r < count; ++r) in.SetRow(r, &rows[r * kInputs]);
      Activations together;
      together.Reset(count, kOutputs, true, true);
      ComputePool pool(2);
      pool.Run(2, [&](Worker& worker) {
        GatedMatMul(worker, in, {&gate, &up, bias.data(), &bias[kOutputs], gating}, together);
      });
      const std::vector<float> expected = Project(separate, 1);
      const std::vector<float> out = Project(together, 2);
      for (const float x : expected) ASSERT_TRUE(std::isfinite(x));
      ASSERT_EQ(0, std::memcmp(out.data(), expected.data(), out.size() * sizeof(float)))
          << count << " rows";
    }
  }
}

TEST(MatMul, WrongMatricesAreRefused) {
  const RandomMatrix weights(DType::kQ4_1);
  TensorView view = weights.view;
  view.shape = {static_cast<std::int64_t>(kOutputs)};
  EXPECT_FALSE(PackedMatrix::Create(view));
  view.shape = {static_cast<std::int64_t>(kOutputs), 33};
  EXPECT_FALSE(PackedMatrix::Create(view));
  view.shape = {static_cast<std::int64_t>(kOutputs) * 2, static_cast<std::int64_t>(kInputs)};
  EXPECT_FALSE(PackedMatrix::Create(view));
  view = weights.view;
  view.dtype = DType::kI64;
  EXPECT_FALSE(PackedMatrix::Create(view));
}

}  // namespace
}  // namespace ergo::kernels
