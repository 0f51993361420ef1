#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "base/float_bits.h"
#include "kernels/matmul/matmul.h"
#include "kernels/quant/formats.h"

namespace ergo::kernels {
namespace {

constexpr std::size_t kRows = 3;

/// Row 1 of a table whose bytes start at an odd address.
std::vector<float> DecodeSecondRow(DType dtype, std::size_t columns, const void* bytes,
                                   std::size_t size) {
  std::vector<std::byte> shifted(size + 1);
  std::memcpy(shifted.data() + 1, bytes, size);
  TensorView table;
  table.dtype = dtype;
  table.shape = {static_cast<std::int64_t>(kRows), static_cast<std::int64_t>(columns)};
  table.data = std::span<const std::byte>(shifted).subspan(1);
  std::vector<float> out(columns);
  DecodeRow(table, 1, out.data());
  return out;
}

template <typename Element>
std::vector<float> DecodeSecondRow(DType dtype, const std::vector<Element>& elements) {
  return DecodeSecondRow(dtype, elements.size() / kRows, elements.data(),
                         elements.size() * sizeof(Element));
}

TEST(DecodeRow, ReadsPlainTypes) {
  EXPECT_EQ(DecodeSecondRow<float>(DType::kF32, {1, 2, 3, -4, 5, 6}), (std::vector<float>{3, -4}));
  EXPECT_EQ(DecodeSecondRow<double>(DType::kF64, {1, 2, 0.1, -4, 5, 6}),
            (std::vector<float>{0.1f, -4}));
  EXPECT_EQ(DecodeSecondRow<std::uint16_t>(DType::kF16, {0, 0, 0x3E00, 0x8001, 0, 0}),
            (std::vector<float>{1.5f, -0x1p-24f}));
  EXPECT_EQ(DecodeSecondRow<std::uint16_t>(DType::kBF16, {0, 0, 0x3FC0, 0xC000, 0, 0}),
            (std::vector<float>{1.5f, -2.0f}));
}

TEST(DecodeRow, ReadsEveryBlockFormat) {
  ForEachFormat([]<typename Format>(Format) {
    constexpr std::size_t kBlocks = 2;  // in a row
    std::vector<typename Format::Block> blocks(kRows * kBlocks);
    auto* bytes = reinterpret_cast<std::uint8_t*>(blocks.data());
    for (std::size_t i = 0; i < blocks.size() * sizeof blocks[0]; ++i) {
      bytes[i] = static_cast<std::uint8_t>(i * 37 % 119);  // below 0x7C: no infinite scale
    }
    std::vector<float> expected(kBlocks * Format::kBlock);
    for (std::size_t b = 0; b < kBlocks; ++b) {
      Format::Decode(blocks[kBlocks + b], expected.data() + b * Format::kBlock);
    }
    EXPECT_EQ(DecodeSecondRow(Format::kDType, expected.size(), blocks.data(),
                              blocks.size() * sizeof blocks[0]),
              expected)
        << Info(Format::kDType).name;
    EXPECT_TRUE(CanDecode(Format::kDType));
  });
}

TEST(DecodeRow, SaysWhatItCanDecode) {
  EXPECT_TRUE(CanDecode(DType::kF32));
  EXPECT_TRUE(CanDecode(DType::kBF16));
  EXPECT_FALSE(CanDecode(DType::kI8));
  EXPECT_FALSE(CanDecode(DType::kF8E4M3));
}

}  // namespace
}  // namespace ergo::kernels
