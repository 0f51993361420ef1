// Q4_0: 32 values, 4 bits each, one scale.
//
// File block, 18 bytes:            value[i] = d · (code[i] − 8)
//   0   d   fp16
//   2   qs  16 bytes               code[i] = qs[i] & 15, code[i + 16] = qs[i] >> 4
//
// Panel block (32 outputs), 576 bytes:
//   0    d[32]  fp16
//   64   4 rows p = 0 … 3 of 32 words; the word of output o is bytes 4p … 4p+3 of its qs, so the
//        low nibbles hold values 4p … 4p+3 and the high ones values 16+4p … 16+4p+3.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/float_bits.h"
#include "kernels/quant/panel.h"
#include "tensor/dtype.h"

namespace ergo::kernels {

struct Q4_0 {
  static constexpr DType kDType = DType::kQ4_0;
  static constexpr int kBlock = 32;
  static constexpr int kGroup = 32;
  static constexpr int kBits = 4;
  static constexpr int kOffset = 8;
  static constexpr bool kHasMinimum = false;
  static constexpr int kPanelBytes = 576;

  struct Block {
    std::uint16_t d;
    std::uint8_t qs[16];
  };
  static_assert(sizeof(Block) == 18);

  static void Decode(const Block& block, float* out) {
    const float d = F16ToF32(block.d);
    for (int i = 0; i < 16; ++i) {
      out[i] = d * static_cast<float>((block.qs[i] & 15) - kOffset);
      out[i + 16] = d * static_cast<float>((block.qs[i] >> 4) - kOffset);
    }
  }

  static void Pack(const PanelRows<Block>& rows, std::uint8_t* panel) {
    for (int o = 0; o < 32; ++o) {
      const Block& block = rows[o];
      std::memcpy(panel + 2 * o, &block.d, 2);
      StoreWords(panel + 64, o, block.qs, 4);
    }
  }

  template <typename V, int kStep>
  [[gnu::always_inline]] static typename V::Bytes Codes(const std::uint8_t* panel, int output) {
    constexpr int kShift = kStep < 4 ? 0 : 4;
    const auto words = LoadWords<V>(panel + 64, kStep & 3, output);
    return ShiftRight<kShift>(words) & V::Bytes::Set(15);
  }

  template <typename V>
  [[gnu::always_inline]] static typename V::F32 Scale(const std::uint8_t* panel, int /*group*/,
                                                      int output) {
    return V::F32::LoadF16(reinterpret_cast<const std::uint16_t*>(panel) + output);
  }
};

}  // namespace ergo::kernels
