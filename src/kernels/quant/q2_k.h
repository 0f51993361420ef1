// Q2_K: 256 values, 2 bits each, in 16 groups of 16 with a 4-bit scale and minimum each.
//
// File block, 84 bytes:            value[i] = (d · scale[i / 16]) · code[i] − dmin · minimum[i /
// 16]
//   0    scales  16 bytes          scale in the low nibble, minimum in the high one
//   16   qs      64 bytes          for half h = i / 128, quarter q = i / 32 % 4 and l = i % 32:
//                                  code[i] is bits 2q and 2q + 1 of qs[32h + l]
//   80   d       fp16
//   82   dmin    fp16
//
// Panel block (32 outputs), 2688 bytes:
//   0    d[32]           fp16
//   64   −dmin[32]       fp16
//   128  scales[16][32]  bytes, as in the file
//   640  16 rows w of 32 words; the word of output o is bytes 4w … 4w+3 of its qs
#pragma once

#include <cstdint>
#include <cstring>

#include "base/float_bits.h"
#include "kernels/quant/panel.h"
#include "tensor/dtype.h"

namespace ergo::kernels {

struct Q2_K {
  static constexpr DType kDType = DType::kQ2K;
  static constexpr int kBlock = 256;
  static constexpr int kGroup = 16;
  static constexpr int kBits = 2;
  static constexpr int kOffset = 0;
  static constexpr bool kHasMinimum = true;
  static constexpr int kPanelBytes = 2688;

  struct Block {
    std::uint8_t scales[16];
    std::uint8_t qs[64];
    std::uint16_t d;
    std::uint16_t dmin;
  };
  static_assert(sizeof(Block) == 84);

  static void Decode(const Block& block, float* out) {
    const float d = F16ToF32(block.d);
    const float dmin = F16ToF32(block.dmin);
    for (int i = 0; i < 256; ++i) {
      const int scales = block.scales[i / 16];
      const int code = block.qs[i / 128 * 32 + i % 32] >> (2 * (i / 32 % 4)) & 3;
      const float scale = d * static_cast<float>(scales & 15);
      const float minimum = dmin * static_cast<float>(scales >> 4);
      out[i] = scale * static_cast<float>(code) - minimum;
    }
  }

  static void Pack(const PanelRows<Block>& rows, std::uint8_t* panel) {
    for (int o = 0; o < 32; ++o) {
      const Block& block = rows[o];
      const auto minus_dmin = static_cast<std::uint16_t>(block.dmin ^ 0x8000u);
      std::memcpy(panel + 2 * o, &block.d, 2);
      std::memcpy(panel + 64 + 2 * o, &minus_dmin, 2);
      for (int j = 0; j < 16; ++j) panel[128 + 32 * j + o] = block.scales[j];
      StoreWords(panel + 640, o, block.qs, 16);
    }
  }

  template <typename V, int kStep>
  [[gnu::always_inline]] static typename V::Bytes Codes(const std::uint8_t* panel, int output) {
    constexpr int kRow = kStep / 32 * 8 + kStep % 8;
    constexpr int kShift = kStep / 8 % 4 * 2;
    return ShiftRight<kShift>(LoadWords<V>(panel + 640, kRow, output)) & V::Bytes::Set(3);
  }

  template <typename V>
  [[gnu::always_inline]] static typename V::F32 Scale(const std::uint8_t* panel, int group,
                                                      int output) {
    const auto d = V::F32::LoadF16(reinterpret_cast<const std::uint16_t*>(panel) + output);
    return d * V::LoadLow4(panel + 128 + 32 * group + output);
  }

  template <typename V>
  [[gnu::always_inline]] static typename V::F32 Minimum(const std::uint8_t* panel, int group,
                                                        int output) {
    const auto minus_dmin =
        V::F32::LoadF16(reinterpret_cast<const std::uint16_t*>(panel + 64) + output);
    return minus_dmin * V::LoadHigh4(panel + 128 + 32 * group + output);
  }
};

}  // namespace ergo::kernels
