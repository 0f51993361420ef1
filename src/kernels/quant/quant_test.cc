#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "kernels/quant/formats.h"
#include "kernels/quant/unpack_test.h"
#include "kernels/simd/i8_portable.h"

namespace ergo::kernels {

bool UnpackPortable(DType dtype, const std::uint8_t* panel, const UnpackedBlock& out) {
  return UnpackAs<portable::Vec>(dtype, panel, out);
}

namespace {

/// What tools/make_quant_fixtures.py wrote.
template <typename Format>
struct Golden {
  std::vector<typename Format::Block> blocks;
  std::vector<float> values;
};

template <typename Format>
Golden<Format> ReadGolden() {
  const std::string path = std::string(ERGO_SOURCE_DIR) + "/tests/golden/quant/" +
                           std::string(Info(Format::kDType).name) + ".bin";
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  std::uint32_t count = 0;
  Golden<Format> golden;
  if (bytes.size() < sizeof count) return golden;
  std::memcpy(&count, bytes.data(), sizeof count);
  const std::size_t block_bytes = count * sizeof(typename Format::Block);
  const std::size_t value_bytes = count * Format::kBlock * sizeof(float);
  if (bytes.size() != sizeof count + block_bytes + value_bytes) return golden;
  golden.blocks.resize(count);
  golden.values.resize(count * Format::kBlock);
  std::memcpy(golden.blocks.data(), bytes.data() + sizeof count, block_bytes);
  std::memcpy(golden.values.data(), bytes.data() + sizeof count + block_bytes, value_bytes);
  return golden;
}

std::uint32_t Bits(float x) { return std::bit_cast<std::uint32_t>(x); }

template <typename... Formats>
testing::Types<Formats...> AsTestTypes(TypeList<Formats...>);

struct FormatName {
  template <typename Format>
  static std::string GetName(int) {
    return std::string(Info(Format::kDType).name);
  }
};

template <typename Format>
class QuantTest : public ::testing::Test {};
TYPED_TEST_SUITE(QuantTest, decltype(AsTestTypes(BlockFormats{})), FormatName);

TYPED_TEST(QuantTest, AgreesWithTheTableOfTypes) {
  const DTypeInfo& info = Info(TypeParam::kDType);
  EXPECT_EQ(info.block_elements, TypeParam::kBlock);
  EXPECT_EQ(info.block_bytes, sizeof(typename TypeParam::Block));
  EXPECT_EQ(TypeParam::kBlock % TypeParam::kGroup, 0);
  // Small panels are the point: at most half a bit per weight over the file.
  EXPECT_LE(TypeParam::kPanelBytes, 32 * (info.block_bytes + TypeParam::kBlock / 16));
}

TYPED_TEST(QuantTest, DecodesTheGoldenBlocksBitForBit) {
  const Golden<TypeParam> golden = ReadGolden<TypeParam>();
  ASSERT_GE(golden.blocks.size(), 24u);
  std::vector<float> out(TypeParam::kBlock);
  for (std::size_t b = 0; b < golden.blocks.size(); ++b) {
    TypeParam::Decode(golden.blocks[b], out.data());
    for (int i = 0; i < TypeParam::kBlock; ++i) {
      ASSERT_EQ(Bits(out[i]), Bits(golden.values[b * TypeParam::kBlock + i]))
          << "block " << b << " value " << i << ": " << out[i];
    }
  }
}

/// Takes a panel of 24 rows, every other block of memory, apart on one path.
template <typename Format, typename Unpack>
void ExpectPanelEqualsDecode(Unpack unpack) {
  constexpr int kRows = 24;
  const std::vector<typename Format::Block> golden = ReadGolden<Format>().blocks;
  ASSERT_GE(golden.size(), std::size_t{kRows});
  std::vector<typename Format::Block> blocks(2 * kRows);
  for (int r = 0; r < kRows; ++r) {
    blocks[2 * r] = golden[r];
    std::memset(&blocks[2 * r + 1], 0x5A, sizeof blocks[0]);
  }
  std::vector<std::uint8_t> panel(Format::kPanelBytes);  // exact: sanitizers see any excess
  Format::Pack(PanelRows<typename Format::Block>(blocks.data(), 2, kRows), panel.data());

  constexpr int kGroups = Format::kBlock / Format::kGroup;
  std::vector<std::uint8_t> codes(32 * Format::kBlock);
  std::vector<float> scales(32 * kGroups);
  std::vector<float> minima(32 * kGroups);
  ASSERT_TRUE(unpack(Format::kDType, panel.data(),
                     UnpackedBlock{codes.data(), scales.data(), minima.data()}));
  std::vector<float> expected(Format::kBlock);
  for (int o = 0; o < 32; ++o) {
    Format::Decode(golden[o < kRows ? o : kRows - 1], expected.data());
    for (int i = 0; i < Format::kBlock; ++i) {
      const int code = codes[32 * i + o];
      ASSERT_LT(code, 1 << Format::kBits);
      const int at = 32 * (i / Format::kGroup) + o;
      const float product = scales[at] * static_cast<float>(code - Format::kOffset);
      const float value = Format::kHasMinimum ? product + minima[at] : product;
      ASSERT_EQ(Bits(value), Bits(expected[i])) << "output " << o << " value " << i;
    }
  }
}

TYPED_TEST(QuantTest, PortablePanelHoldsTheSameValues) {
  ExpectPanelEqualsDecode<TypeParam>(UnpackPortable);
}

TYPED_TEST(QuantTest, Avx2PanelHoldsTheSameValues) {
  if (!CanRun(CpuPath::kAvx2)) GTEST_SKIP() << "this processor has no AVX2";
  ExpectPanelEqualsDecode<TypeParam>(UnpackAvx2);
}

TYPED_TEST(QuantTest, Avx512PanelHoldsTheSameValues) {
  if (!CanRun(CpuPath::kAvx512)) GTEST_SKIP() << "this processor has no AVX-512 with VNNI";
  ExpectPanelEqualsDecode<TypeParam>(UnpackAvx512);
}

TEST(BlockFormats, AreSortedAndFoundByType) {
  std::vector<std::string_view> names;
  ForEachFormat([&]<typename Format>(Format) {
    names.push_back(Info(Format::kDType).name);
    DType found = DType::kBool;
    EXPECT_TRUE(VisitFormat(Format::kDType, [&]<typename Found>(Found) { found = Found::kDType; }));
    EXPECT_EQ(found, Format::kDType);
  });
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  // Every block format that a file may hold is in the list.
  std::size_t in_files = 0;
  for (std::uint32_t id = 0; id < 64; ++id) {
    const auto dtype = DTypeFromGguf(id);
    in_files += dtype && IsBlockFormat(*dtype);
  }
  EXPECT_EQ(names.size(), in_files);
  EXPECT_FALSE(VisitFormat(DType::kF32, [](auto) { FAIL(); }));
}

}  // namespace
}  // namespace ergo::kernels
