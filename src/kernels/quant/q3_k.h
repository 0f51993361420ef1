// Q3_K: 256 values, 3 bits each, in 16 groups of 16 with a 6-bit scale each.
//
// File block, 110 bytes:           value[i] = (d · (scale[i / 16] − 32)) · (code[i] − 4)
//   0    hmask   32 bytes          bit 2 of code[i] is bit i / 32 of hmask[i % 32]
//   32   qs      64 bytes          for half h = i / 128, quarter q = i / 32 % 4 and l = i % 32: the
//                                  low bits of code[i] are bits 2q and 2q + 1 of qs[32h + l]
//   96   scales  12 bytes          scale[j], low four bits: nibbles of bytes 0 … 7, low ones for
//                                  j < 8, high ones for byte j − 8; high two bits: bits 2·(j / 4)
//                                  and 2·(j / 4) + 1 of byte 8 + j % 4
//   108  d       fp16
//
// Panel block (32 outputs), 3648 bytes:
//   0    d[32]         fp16
//   64   scale[16][32] bytes, signed, 32 subtracted
//   576  8 rows w of 32 words; the word of output o is bytes 4w … 4w+3 of its hmask
//   1600 16 rows w of 32 words; the same of its qs
#pragma once

#include <cstdint>
#include <cstring>

#include "base/float_bits.h"
#include "kernels/quant/panel.h"
#include "tensor/dtype.h"

namespace ergo::kernels {

struct Q3_K {
  static constexpr DType kDType = DType::kQ3K;
  static constexpr int kBlock = 256;
  static constexpr int kGroup = 16;
  static constexpr int kBits = 3;
  static constexpr int kOffset = 4;
  static constexpr bool kHasMinimum = false;
  static constexpr int kPanelBytes = 3648;

  struct Block {
    std::uint8_t hmask[32];
    std::uint8_t qs[64];
    std::uint8_t scales[12];
    std::uint16_t d;
  };
  static_assert(sizeof(Block) == 110);

  /// Scale j = 0 … 15 without its offset: -32 … 31.
  static int GroupScale(const Block& block, int j) {
    const int low = block.scales[j % 8] >> (4 * (j / 8)) & 15;
    const int high = block.scales[8 + j % 4] >> (2 * (j / 4)) & 3;
    return (low | high << 4) - 32;
  }

  static void Decode(const Block& block, float* out) {
    const float d = F16ToF32(block.d);
    for (int i = 0; i < 256; ++i) {
      const int low = block.qs[i / 128 * 32 + i % 32] >> (2 * (i / 32 % 4)) & 3;
      const int high = block.hmask[i % 32] >> (i / 32) & 1;
      const float scale = d * static_cast<float>(GroupScale(block, i / 16));
      out[i] = scale * static_cast<float>((low | high << 2) - kOffset);
    }
  }

  static void Pack(const PanelRows<Block>& rows, std::uint8_t* panel) {
    for (int o = 0; o < 32; ++o) {
      const Block& block = rows[o];
      std::memcpy(panel + 2 * o, &block.d, 2);
      for (int j = 0; j < 16; ++j) {
        panel[64 + 32 * j + o] = static_cast<std::uint8_t>(GroupScale(block, j));
      }
      StoreWords(panel + 576, o, block.hmask, 8);
      StoreWords(panel + 1600, o, block.qs, 16);
    }
  }

  template <typename V, int kStep>
  [[gnu::always_inline]] static typename V::Bytes Codes(const std::uint8_t* panel, int output) {
    constexpr int kRow = kStep / 32 * 8 + kStep % 8;
    constexpr int kShift = kStep / 8 % 4 * 2;
    const auto low = ShiftRight<kShift>(LoadWords<V>(panel + 1600, kRow, output));
    const auto high = MoveBit<kStep / 8, 2>(LoadWords<V>(panel + 576, kStep % 8, output));
    return OrMasked(low & V::Bytes::Set(3), high, V::Bytes::Set(4));
  }

  template <typename V>
  [[gnu::always_inline]] static typename V::F32 Scale(const std::uint8_t* panel, int group,
                                                      int output) {
    const auto d = V::F32::LoadF16(reinterpret_cast<const std::uint16_t*>(panel) + output);
    return d * V::LoadI8(panel + 64 + 32 * group + output);
  }
};

}  // namespace ergo::kernels
