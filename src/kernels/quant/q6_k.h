// Q6_K: 256 values, 6 bits each, in 16 groups of 16 with a signed 8-bit scale each.
//
// File block, 210 bytes:           value[i] = (d · scales[i / 16]) · (code[i] − 32)
//   0    ql      128 bytes         low four bits
//   128  qh      64 bytes          high two bits
//   192  scales  16 bytes, signed
//   208  d       fp16
// For half h = i / 128, quarter q = i / 32 % 4 and l = i % 32:
//   low(i)  = ql[64h + 32·(q & 1) + l], its low nibble for q < 2, its high one otherwise
//   high(i) = bits 2q and 2q + 1 of qh[32h + l]
//
// Panel block (32 outputs), 6720 bytes:
//   0     d[32]           fp16
//   64    scales[16][32]  bytes, signed
//   576   32 rows w of 32 words; the word of output o is bytes 4w … 4w+3 of its ql
//   4672  16 rows w of 32 words; the same of its qh
#pragma once

#include <cstdint>
#include <cstring>

#include "base/float_bits.h"
#include "kernels/quant/panel.h"
#include "tensor/dtype.h"

namespace ergo::kernels {

struct Q6_K {
  static constexpr DType kDType = DType::kQ6K;
  static constexpr int kBlock = 256;
  static constexpr int kGroup = 16;
  static constexpr int kBits = 6;
  static constexpr int kOffset = 32;
  static constexpr bool kHasMinimum = false;
  static constexpr int kPanelBytes = 6720;

  struct Block {
    std::uint8_t ql[128];
    std::uint8_t qh[64];
    std::int8_t scales[16];
    std::uint16_t d;
  };
  static_assert(sizeof(Block) == 210);

  static void Decode(const Block& block, float* out) {
    const float d = F16ToF32(block.d);
    for (int i = 0; i < 256; ++i) {
      const int half = i / 128;
      const int quarter = i / 32 % 4;
      const int l = i % 32;
      const int low = block.ql[64 * half + 32 * (quarter & 1) + l] >> (4 * (quarter >> 1)) & 15;
      const int high = block.qh[32 * half + l] >> (2 * quarter) & 3;
      const int group = i / 16;
      const float scale = d * static_cast<float>(block.scales[group]);
      out[i] = scale * static_cast<float>((low | high << 4) - kOffset);
    }
  }

  static void Pack(const PanelRows<Block>& rows, std::uint8_t* panel) {
    for (int o = 0; o < 32; ++o) {
      const Block& block = rows[o];
      std::memcpy(panel + 2 * o, &block.d, 2);
      for (int j = 0; j < 16; ++j) std::memcpy(panel + 64 + 32 * j + o, block.scales + j, 1);
      StoreWords(panel + 576, o, block.ql, 32);
      StoreWords(panel + 4672, o, block.qh, 16);
    }
  }

  template <typename V, int kStep>
  [[gnu::always_inline]] static typename V::Bytes Codes(const std::uint8_t* panel, int output) {
    constexpr int kHalf = kStep / 32;
    constexpr int kQuarter = kStep / 8 % 4;
    constexpr int kLowRow = 16 * kHalf + 8 * (kQuarter & 1) + kStep % 8;
    constexpr int kLowShift = 4 * (kQuarter >> 1);
    const auto low = ShiftRight<kLowShift>(LoadWords<V>(panel + 576, kLowRow, output));
    const auto high =
        MoveBit<2 * kQuarter, 4>(LoadWords<V>(panel + 4672, 8 * kHalf + kStep % 8, output));
    return OrMasked(low & V::Bytes::Set(15), high, V::Bytes::Set(0x30));
  }

  template <typename V>
  [[gnu::always_inline]] static typename V::F32 Scale(const std::uint8_t* panel, int group,
                                                      int output) {
    const auto d = V::F32::LoadF16(reinterpret_cast<const std::uint16_t*>(panel) + output);
    return d * V::LoadI8(panel + 64 + 32 * group + output);
  }
};

}  // namespace ergo::kernels
