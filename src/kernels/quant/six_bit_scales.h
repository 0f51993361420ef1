// The scales and minima of Q4_K and Q5_K: eight of each, 6 bits wide, in 12 bytes.
//
//   byte       7 6   5 4 3 2 1 0            byte        7 6 5 4   3 2 1 0
//   0 … 3      S₄₊ⱼ  scale[j]               8 … 11      M₄₊ⱼ      S₄₊ⱼ
//   4 … 7      M₄₊ⱼ  minimum[j]
//
// j = 0 … 3. The high two bits of scale[4 + j] are the top of byte j, its low four are the low half
// of byte 8 + j; likewise minimum[4 + j] from byte 4 + j and the high half of byte 8 + j.
#pragma once

#include <cstdint>

namespace ergo::kernels {

struct SixBitScales {
  std::uint8_t scale[8];
  std::uint8_t minimum[8];
};

inline SixBitScales UnpackSixBitScales(const std::uint8_t* packed) {
  SixBitScales out;
  for (int j = 0; j < 4; ++j) {
    const unsigned s = packed[j];
    const unsigned m = packed[4 + j];
    const unsigned both = packed[8 + j];
    out.scale[j] = static_cast<std::uint8_t>(s & 63);
    out.minimum[j] = static_cast<std::uint8_t>(m & 63);
    out.scale[4 + j] = static_cast<std::uint8_t>((both & 15) | s >> 6 << 4);
    out.minimum[4 + j] = static_cast<std::uint8_t>(both >> 4 | m >> 6 << 4);
  }
  return out;
}

}  // namespace ergo::kernels
