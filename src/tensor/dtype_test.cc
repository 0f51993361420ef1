#include "tensor/dtype.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>

#include "tensor/tensor_view.h"

namespace ergo {
namespace {

constexpr int kTypes = static_cast<int>(DType::kQ8_0) + 1;

TEST(DTypeTest, NamesAndNumbersLeadBackToTheType) {
  std::set<std::string> names;
  std::set<int> numbers;
  for (int i = 0; i < kTypes; ++i) {
    const auto type = static_cast<DType>(i);
    const DTypeInfo& info = Info(type);
    EXPECT_TRUE(names.insert(std::string(info.name)).second) << info.name;
    EXPECT_EQ(DTypeFromName(info.name), type);
    if (info.gguf_id < 0) continue;
    EXPECT_TRUE(numbers.insert(info.gguf_id).second) << info.name;
    EXPECT_EQ(DTypeFromGguf(static_cast<std::uint32_t>(info.gguf_id)), type);
  }
  EXPECT_EQ(DTypeFromName("F31"), std::nullopt);
  EXPECT_EQ(DTypeFromName(""), std::nullopt);
  for (const std::uint32_t unknown : {4u, 5u, 9u, 15u, 20u, 31u, 39u, 0xFFFFFFFFu}) {
    EXPECT_EQ(DTypeFromGguf(unknown), std::nullopt) << unknown;
  }
}

TEST(DTypeTest, EveryTypeIsWhatItsNameSays) {
  struct Row {
    DType type;
    const char* name;
    std::uint32_t elements;
    std::uint32_t bytes;
    int gguf;
  };
  // Block bytes follow from the layouts: scales and minima in fp16 (2 bytes) or 6 bits, quants.
  const Row rows[] = {
      {DType::kF32, "F32", 1, 4, 0},
      {DType::kF16, "F16", 1, 2, 1},
      {DType::kBF16, "BF16", 1, 2, 30},
      {DType::kF64, "F64", 1, 8, 28},
      {DType::kI8, "I8", 1, 1, 24},
      {DType::kI16, "I16", 1, 2, 25},
      {DType::kI32, "I32", 1, 4, 26},
      {DType::kI64, "I64", 1, 8, 27},
      {DType::kBool, "BOOL", 1, 1, -1},
      {DType::kU64, "U64", 1, 8, -1},
      {DType::kF8E4M3, "F8_E4M3", 1, 1, -1},
      {DType::kF8E5M2, "F8_E5M2", 1, 1, -1},
      {DType::kQ4_0, "Q4_0", 32, 2 + 16, 2},
      {DType::kQ4_1, "Q4_1", 32, 4 + 16, 3},
      {DType::kQ5_0, "Q5_0", 32, 2 + 4 + 16, 6},
      {DType::kQ5_1, "Q5_1", 32, 4 + 4 + 16, 7},
      {DType::kQ8_0, "Q8_0", 32, 2 + 32, 8},
      {DType::kQ2K, "Q2_K", 256, 16 + 64 + 4, 10},
      {DType::kQ3K, "Q3_K", 256, 32 + 64 + 12 + 2, 11},
      {DType::kQ4K, "Q4_K", 256, 4 + 12 + 128, 12},
      {DType::kQ5K, "Q5_K", 256, 4 + 12 + 32 + 128, 13},
      {DType::kQ6K, "Q6_K", 256, 128 + 64 + 16 + 2, 14},
  };
  for (const Row& row : rows) {
    const DTypeInfo& info = Info(row.type);
    EXPECT_EQ(info.name, row.name);
    EXPECT_EQ(info.block_elements, row.elements) << row.name;
    EXPECT_EQ(info.block_bytes, row.bytes) << row.name;
    EXPECT_EQ(info.gguf_id, row.gguf) << row.name;
    EXPECT_EQ(IsBlockFormat(row.type), row.elements > 1) << row.name;
  }
}

TEST(DTypeTest, BytesForCountsWholeBlocksOnly) {
  EXPECT_EQ(BytesFor(DType::kF32, 3), 12u);
  EXPECT_EQ(BytesFor(DType::kF32, 0), 0u);
  EXPECT_EQ(BytesFor(DType::kQ4_0, 64), 36u);
  EXPECT_EQ(BytesFor(DType::kQ4_0, 33), std::nullopt);
  EXPECT_EQ(BytesFor(DType::kQ6K, 128), std::nullopt);
  EXPECT_EQ(BytesFor(DType::kF64, UINT64_C(1) << 61), std::nullopt);
  EXPECT_EQ(BytesFor(DType::kU8, UINT64_MAX), UINT64_MAX);
}

TEST(TensorViewTest, CountsElements) {
  TensorView view;
  EXPECT_EQ(view.elements(), 1);
  view.shape = {2, 3, 5};
  EXPECT_EQ(view.elements(), 30);
  view.shape = {2, 0};
  EXPECT_EQ(view.elements(), 0);
}

}  // namespace
}  // namespace ergo
