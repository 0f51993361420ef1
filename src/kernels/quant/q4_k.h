// Q4_K: 256 values, 4 bits each, in 8 groups of 32 with a 6-bit scale and minimum each.
//
// File block, 144 bytes:           value[32j + l] = (d · scale[j]) · code − dmin · minimum[j]
//   0    d       fp16
//   2    dmin    fp16
//   4    scales  12 bytes          see six_bit_scales.h
//   16   qs      128 bytes         in chunks c of 32 bytes: the low nibble of byte l is value l of
//                                  group 2c, the high one value l of group 2c+1
//
// Panel block (32 outputs), 4736 bytes:
//   0    d[32]           fp16
//   64   −dmin[32]       fp16
//   128  scale[8][32]    bytes
//   384  minimum[8][32]  bytes
//   640  32 rows w of 32 words; the word of output o is bytes 4w … 4w+3 of its qs
#pragma once

#include <cstdint>
#include <cstring>

#include "base/float_bits.h"
#include "kernels/quant/panel.h"
#include "kernels/quant/six_bit_scales.h"
#include "tensor/dtype.h"

namespace ergo::kernels {

struct Q4_K {
  static constexpr DType kDType = DType::kQ4K;
  static constexpr int kBlock = 256;
  static constexpr int kGroup = 32;
  static constexpr int kBits = 4;
  static constexpr int kOffset = 0;
  static constexpr bool kHasMinimum = true;
  static constexpr int kPanelBytes = 4736;

  struct Block {
    std::uint16_t d;
    std::uint16_t dmin;
    std::uint8_t scales[12];
    std::uint8_t qs[128];
  };
  static_assert(sizeof(Block) == 144);

  static void Decode(const Block& block, float* out) {
    const float d = F16ToF32(block.d);
    const float dmin = F16ToF32(block.dmin);
    const SixBitScales scales = UnpackSixBitScales(block.scales);
    for (int j = 0; j < 8; ++j) {
      const float scale = d * static_cast<float>(scales.scale[j]);
      const float minimum = dmin * static_cast<float>(scales.minimum[j]);
      const std::uint8_t* qs = block.qs + 32 * (j / 2);
      for (int l = 0; l < 32; ++l) {
        const int code = qs[l] >> (4 * (j & 1)) & 15;
        out[32 * j + l] = scale * static_cast<float>(code) - minimum;
      }
    }
  }

  static void Pack(const PanelRows<Block>& rows, std::uint8_t* panel) {
    for (int o = 0; o < 32; ++o) {
      const Block& block = rows[o];
      StoreScales(panel, o, block.d, block.dmin, block.scales);
      StoreWords(panel + 640, o, block.qs, 32);
    }
  }

  template <typename V, int kStep>
  [[gnu::always_inline]] static typename V::Bytes Codes(const std::uint8_t* panel, int output) {
    constexpr int kRow = kStep / 16 * 8 + kStep % 8;
    constexpr int kShift = kStep / 8 % 2 * 4;
    return ShiftRight<kShift>(LoadWords<V>(panel + 640, kRow, output)) & V::Bytes::Set(15);
  }

  template <typename V>
  [[gnu::always_inline]] static typename V::F32 Scale(const std::uint8_t* panel, int group,
                                                      int output) {
    return LoadSixBitScale<V>(panel, group, output);
  }

  template <typename V>
  [[gnu::always_inline]] static typename V::F32 Minimum(const std::uint8_t* panel, int group,
                                                        int output) {
    return LoadSixBitMinimum<V>(panel, group, output);
  }
};

}  // namespace ergo::kernels
