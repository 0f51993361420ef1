// What Q4_K and Q5_K share: eight scales and eight minima, 6 bits wide, in 12 bytes of a file
// block, and the head of the panel block that they are unpacked to.
//
// File, for j = 0 … 3:   byte j       scale[j], and the high two bits of scale[j + 4]
//                        byte 4 + j   minimum[j], and the high two bits of minimum[j + 4]
//                        byte 8 + j   the low four bits of scale[j + 4] and of minimum[j + 4]
//        (each line from the low end of the byte)
//
// Panel: 0    d[32]           fp16
//        64   −dmin[32]       fp16
//        128  scale[8][32]    bytes
//        384  minimum[8][32]  bytes
#pragma once

#include <cstdint>
#include <cstring>

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
    const unsigned low = packed[8 + j];
    out.scale[j] = static_cast<std::uint8_t>(s & 63);
    out.minimum[j] = static_cast<std::uint8_t>(m & 63);
    out.scale[4 + j] = static_cast<std::uint8_t>((low & 15) | s >> 6 << 4);
    out.minimum[4 + j] = static_cast<std::uint8_t>(low >> 4 | m >> 6 << 4);
  }
  return out;
}

/// Fills one output of the head of a panel block from the fields of a file block.
inline void StoreScales(std::uint8_t* panel, int output, std::uint16_t d, std::uint16_t dmin,
                        const std::uint8_t* packed) {
  const auto minus_dmin = static_cast<std::uint16_t>(dmin ^ 0x8000u);
  std::memcpy(panel + 2 * output, &d, 2);
  std::memcpy(panel + 64 + 2 * output, &minus_dmin, 2);
  const SixBitScales scales = UnpackSixBitScales(packed);
  for (int j = 0; j < 8; ++j) {
    panel[128 + 32 * j + output] = scales.scale[j];
    panel[384 + 32 * j + output] = scales.minimum[j];
  }
}

template <typename V>
[[gnu::always_inline]] inline typename V::F32 LoadSixBitScale(const std::uint8_t* panel, int group,
                                                              int output) {
  const auto d = V::F32::LoadF16(reinterpret_cast<const std::uint16_t*>(panel) + output);
  return d * V::LoadU8(panel + 128 + 32 * group + output);
}

/// −dmin · minimum
template <typename V>
[[gnu::always_inline]] inline typename V::F32 LoadSixBitMinimum(const std::uint8_t* panel,
                                                                int group, int output) {
  const auto minus_dmin =
      V::F32::LoadF16(reinterpret_cast<const std::uint16_t*>(panel + 64) + output);
  return minus_dmin * V::LoadU8(panel + 384 + 32 * group + output);
}

}  // namespace ergo::kernels
