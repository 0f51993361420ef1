// Paths that must give the same bits: AMX as AVX-512, AVX-VNNI as AVX2. Where the processor lacks
// the instructions they are emulated, the kernels around them being the same.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "kernels/matmul/emulated_paths_test.h"

namespace ergo::kernels {
namespace {

constexpr std::size_t kMostRows = 70;

struct Matrix {
  std::vector<std::byte> data;
  PackedMatrix packed;

  /// Random codes and moderate scales: masked like this, bytes make finite half floats.
  Matrix(DType dtype, std::size_t outputs, std::size_t inputs) {
    std::mt19937 random(5);
    data.resize(*BytesFor(dtype, outputs * inputs));
    for (std::byte& b : data) b = static_cast<std::byte>(random() & 0xBB);
    Pack({"weights", dtype, Shape(outputs, inputs), data}, PackAs::kSource);
  }

  /// Normal floats, quantized.
  Matrix(PackAs as, std::size_t outputs, std::size_t inputs) {
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    data.resize(4 * outputs * inputs);
    for (std::size_t i = 0; i < outputs * inputs; ++i) {
      const float x = normal(random);
      std::memcpy(&data[4 * i], &x, 4);
    }
    Pack({"weights", DType::kF32, Shape(outputs, inputs), data}, as);
  }

 private:
  static std::vector<std::int64_t> Shape(std::size_t outputs, std::size_t inputs) {
    return {static_cast<std::int64_t>(outputs), static_cast<std::int64_t>(inputs)};
  }
  void Pack(const TensorView& view, PackAs as) {
    auto created = PackedMatrix::Create(view, as);
    ASSERT_TRUE(created.has_value());
    packed = std::move(*created);
    packed.PackPanels(0, packed.panels());
  }
};

std::vector<float> RandomRows(std::size_t inputs) {
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  std::vector<float> values(kMostRows * inputs);
  for (float& x : values) x = normal(random);
  // The largest sums that a group can have.
  for (std::size_t i = 0; i < inputs; ++i) values[i] = i % 64 < 32 ? 1.0f : -1.0f;
  return values;
}

/// The first `rows` of `values` through the product on a path.
std::vector<float> Multiply(const PathKernels& path, const PackedMatrix& matrix,
                            const std::vector<float>& values, std::size_t rows) {
  const PackedMatrix::Impl& weights = matrix.impl();
  const std::size_t blocks = (weights.inputs + kActBlock - 1) / kActBlock;
  const std::size_t row_bytes = blocks * kActBlockBytes;
  const std::vector<Tile> tiles = CutIntoTiles(rows, row_bytes, path);
  const Tile& last = tiles.back();
  EXPECT_EQ(last.first_row + static_cast<std::size_t>(last.rows), rows);
  const AlignedBytes int8 =
      AllocateAligned(last.offset + static_cast<std::size_t>(last.room) * row_bytes);
  for (const Tile& tile : tiles) {
    for (int r = 0; r < tile.rows; ++r) {
      const std::size_t row = tile.first_row + static_cast<std::size_t>(r);
      path.quantize_row(&values[row * weights.inputs], weights.inputs,
                        {int8.get() + tile.offset, tile.room, r});
    }
  }
  const auto scratch = std::make_unique<Scratch>();
  std::vector<float> out(rows * weights.outputs, NAN);
  PanelJob job = {};
  job.panels = weights.data.get();
  job.panel_bytes = weights.panel_bytes;
  job.panel_count = static_cast<int>(weights.panels);
  job.outputs = static_cast<int>(weights.outputs);
  job.inputs = weights.inputs;
  job.blocks = blocks;
  job.activations = int8.get();
  job.tiles = tiles.data();
  job.tile_count = tiles.size();
  job.streams = rows <= path.stream_rows;
  job.rows = rows;
  job.out = out.data();
  job.out_stride = weights.outputs;
  job.scratch = scratch.get();
  path.find(weights.dtype)(job);
  return out;
}

/// `path` gives what `reference` gives, for 1 … kMostRows rows.
void ExpectSameBits(const PathKernels& path, const PathKernels& reference,
                    const PackedMatrix& matrix) {
  const std::vector<float> values = RandomRows(matrix.inputs());
  const std::vector<float> expected = Multiply(reference, matrix, values, kMostRows);
  for (const float x : expected) ASSERT_TRUE(std::isfinite(x));
  for (std::size_t rows = 1; rows <= kMostRows; ++rows) {
    const std::vector<float> out = Multiply(path, matrix, values, rows);
    ASSERT_EQ(0, std::memcmp(out.data(), expected.data(), out.size() * sizeof(float)))
        << rows << " rows of " << matrix.inputs() << " inputs";
  }
}

class SameBits : public ::testing::TestWithParam<DType> {
 protected:
  /// A rest of a piece, and of a stage where blocks are of 32; a last panel that is not full.
  static std::size_t Inputs() { return Info(GetParam()).block_elements == 256 ? 768 : 608; }
  static constexpr std::size_t kOutputs = 45;
};

TEST_P(SameBits, EmulatedAmxOverPortableVectors) {
  const Matrix matrix(GetParam(), kOutputs, Inputs());
  ExpectSameBits(EmulatedAmxPortable(), PortableKernels(), matrix.packed);
}

TEST_P(SameBits, EmulatedAmxOverAvx512) {
  if (!CanRun(CpuPath::kAvx512)) GTEST_SKIP() << "this processor has no AVX-512 with VNNI";
  const Matrix matrix(GetParam(), kOutputs, Inputs());
  ExpectSameBits(EmulatedAmxAvx512(), Avx512Kernels(), matrix.packed);
}

TEST_P(SameBits, Amx) {
  if (!CanRun(CpuPath::kAmx)) GTEST_SKIP() << "this processor has no AMX";
  const Matrix matrix(GetParam(), kOutputs, Inputs());
  ExpectSameBits(AmxKernels(), Avx512Kernels(), matrix.packed);
}

TEST_P(SameBits, EmulatedAvxVnni) {
  if (!CanRun(CpuPath::kAvx2)) GTEST_SKIP() << "this processor has no AVX2";
  const Matrix matrix(GetParam(), kOutputs, Inputs());
  ExpectSameBits(EmulatedAvxVnni(), Avx2Kernels(), matrix.packed);
}

TEST_P(SameBits, AvxVnni) {
  if (!HostCpu().avx_vnni) GTEST_SKIP() << "this processor has no AVX-VNNI";
  const Matrix matrix(GetParam(), kOutputs, Inputs());
  ExpectSameBits(AvxVnniKernels(), Avx2Kernels(), matrix.packed);
}

INSTANTIATE_TEST_SUITE_P(MatMul, SameBits,
                         ::testing::Values(DType::kQ2K, DType::kQ3K, DType::kQ4_0, DType::kQ4_1,
                                           DType::kQ4K, DType::kQ5_0, DType::kQ5_1, DType::kQ5K,
                                           DType::kQ6K, DType::kQ8_0),
                         [](const auto& param) { return std::string(Info(param.param).name); });

TEST(MatMulPaths, RowsThatAreNotWholeBlocks) {
  for (const std::size_t inputs : {1, 33, 100}) {
    for (const std::size_t outputs : {1, 32, 33}) {
      const Matrix matrix(PackAs::kInt8, outputs, inputs);
      ExpectSameBits(EmulatedAmxPortable(), PortableKernels(), matrix.packed);
      if (CanRun(CpuPath::kAmx)) ExpectSameBits(AmxKernels(), Avx512Kernels(), matrix.packed);
    }
  }
}

TEST(MatMulPaths, RowsAreCutForTheTileUnit) {
  const auto rooms = [](std::size_t rows) {
    std::vector<int> out;
    for (const Tile& tile : CutIntoTiles(rows, 48, EmulatedAmxAvx512())) out.push_back(tile.room);
    return out;
  };
  EXPECT_EQ(rooms(1), std::vector<int>({1}));
  EXPECT_EQ(rooms(7), std::vector<int>({4, 4}));
  EXPECT_EQ(rooms(8), std::vector<int>({16}));
  EXPECT_EQ(rooms(23), std::vector<int>({16, 4, 3}));
  EXPECT_EQ(rooms(40), std::vector<int>({16, 16, 16}));
  const std::vector<Tile> tiles = CutIntoTiles(28, 96, EmulatedAmxAvx512());
  ASSERT_EQ(tiles.size(), 2u);
  EXPECT_EQ(tiles[1].first_row, 16u);
  EXPECT_EQ(tiles[1].rows, 12);
  EXPECT_EQ(tiles[1].offset, 16u * 96);
}

}  // namespace
}  // namespace ergo::kernels
