// The emulated tile unit, after the definitions of LDTILECFG, TILELOADD, TDPBUSD and TILESTORED in
// Intel's Software Developer's Manual.
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "kernels/matmul/emulated_paths_test.h"

namespace ergo::kernels {
namespace {

struct Register {
  int rows = 0;
  int row_bytes = 0;
  std::uint8_t data[16][64] = {};
};

struct Unit {
  bool configured = false;
  std::array<Register, 8> registers;
};

Unit& OfThread() {
  static thread_local Unit unit;
  return unit;
}

Register& At(int tile) {
  Unit& unit = OfThread();
  EXPECT_TRUE(unit.configured);
  EXPECT_GT(unit.registers[static_cast<std::size_t>(tile)].rows, 0) << "tile " << tile;
  return unit.registers[static_cast<std::size_t>(tile)];
}

}  // namespace

void EmulateConfigure(const TileShapes& shapes) {
  ASSERT_EQ(shapes.palette, 1);
  ASSERT_EQ(shapes.start_row, 0);
  for (const std::uint8_t byte : shapes.reserved) ASSERT_EQ(byte, 0);
  Unit& unit = OfThread();
  unit = {};
  unit.configured = true;
  for (std::size_t t = 0; t < 16; ++t) {
    if (t >= 8) {
      ASSERT_EQ(shapes.rows[t], 0);
      ASSERT_EQ(shapes.row_bytes[t], 0);
      continue;
    }
    ASSERT_LE(shapes.rows[t], 16);
    ASSERT_LE(shapes.row_bytes[t], 64);
    ASSERT_EQ(shapes.rows[t] == 0, shapes.row_bytes[t] == 0);
    unit.registers[t].rows = shapes.rows[t];
    unit.registers[t].row_bytes = shapes.row_bytes[t];
  }
}

void EmulateRelease() { OfThread() = {}; }

void EmulateLoad(int tile, const void* from, std::size_t stride) {
  Register& to = At(tile);
  std::memset(to.data, 0, sizeof to.data);
  const auto* bytes = static_cast<const std::uint8_t*>(from);
  for (int r = 0; r < to.rows; ++r) {
    std::memcpy(to.data[r], bytes + static_cast<std::size_t>(r) * stride,
                static_cast<std::size_t>(to.row_bytes));
  }
}

void EmulateDot(int c, int a, int b) {
  Register& sums = At(c);
  const Register& left = At(a);
  const Register& right = At(b);
  ASSERT_TRUE(c != a && c != b && a != b);
  ASSERT_EQ(sums.rows, left.rows);
  ASSERT_EQ(sums.row_bytes, right.row_bytes);
  ASSERT_EQ(left.row_bytes, 4 * right.rows);
  for (int m = 0; m < sums.rows; ++m) {
    std::int32_t row[16];
    std::memcpy(row, sums.data[m], sizeof row);
    for (int k = 0; k < right.rows; ++k) {
      for (int n = 0; n < sums.row_bytes / 4; ++n) {
        for (int byte = 0; byte < 4; ++byte) {
          row[n] += std::int32_t{left.data[m][4 * k + byte]} *
                    static_cast<std::int8_t>(right.data[k][4 * n + byte]);
        }
      }
    }
    std::memcpy(sums.data[m], row, sizeof row);
  }
}

void EmulateStore(int tile, void* to, std::size_t stride) {
  const Register& from = At(tile);
  auto* bytes = static_cast<std::uint8_t*>(to);
  for (int r = 0; r < from.rows; ++r) {
    std::memcpy(bytes + static_cast<std::size_t>(r) * stride, from.data[r],
                static_cast<std::size_t>(from.row_bytes));
  }
}

}  // namespace ergo::kernels
