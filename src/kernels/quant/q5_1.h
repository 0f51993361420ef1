// Q5_1: 32 values, 5 bits each, one scale and one minimum.
//
// File block, 24 bytes:            value[i] = d · code[i] + m
//   0   d   fp16
//   2   m   fp16
//   4   qh  4 bytes                bit 4 of code[i] is bit i of this little-endian word
//   8   qs  16 bytes               low four bits: code[i] of qs[i] & 15, code[i + 16] of qs[i] >> 4
//
// Panel block (32 outputs), 768 bytes:
//   0    d[32]   fp16
//   64   m[32]   fp16
//   128  qh[32]  words; byte b, bit g is bit 4 of value 4g+b
//   256  4 rows p = 0 … 3 of 32 words; the word of output o is bytes 4p … 4p+3 of its qs, so the
//        low nibbles hold values 4p … 4p+3 and the high ones values 16+4p … 16+4p+3.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/float_bits.h"
#include "kernels/quant/panel.h"
#include "tensor/dtype.h"

namespace ergo::kernels {

struct Q5_1 {
  static constexpr DType kDType = DType::kQ5_1;
  static constexpr int kBlock = 32;
  static constexpr int kGroup = 32;
  static constexpr int kBits = 5;
  static constexpr int kOffset = 0;
  static constexpr bool kHasMinimum = true;
  static constexpr int kPanelBytes = 768;

  struct Block {
    std::uint16_t d;
    std::uint16_t m;
    std::uint8_t qh[4];
    std::uint8_t qs[16];
  };
  static_assert(sizeof(Block) == 24);

  static void Decode(const Block& block, float* out) {
    const float d = F16ToF32(block.d);
    const float m = F16ToF32(block.m);
    std::uint32_t high;
    std::memcpy(&high, block.qh, 4);
    for (int i = 0; i < 16; ++i) {
      const std::uint32_t low_code = (block.qs[i] & 15u) | (high >> i & 1) << 4;
      const std::uint32_t high_code = (block.qs[i] >> 4u) | (high >> (i + 16) & 1) << 4;
      out[i] = d * static_cast<float>(low_code) + m;
      out[i + 16] = d * static_cast<float>(high_code) + m;
    }
  }

  static void Pack(const PanelRows<Block>& rows, std::uint8_t* panel) {
    for (int o = 0; o < 32; ++o) {
      const Block& block = rows[o];
      std::uint32_t high;
      std::memcpy(&high, block.qh, 4);
      high = FifthBitsByByte(high);
      std::memcpy(panel + 2 * o, &block.d, 2);
      std::memcpy(panel + 64 + 2 * o, &block.m, 2);
      std::memcpy(panel + 128 + 4 * o, &high, 4);
      StoreWords(panel + 256, o, block.qs, 4);
    }
  }

  template <typename V, int kStep>
  [[gnu::always_inline]] static typename V::Bytes Codes(const std::uint8_t* panel, int output) {
    constexpr int kShift = kStep < 4 ? 0 : 4;
    const auto low = ShiftRight<kShift>(LoadWords<V>(panel + 256, kStep & 3, output));
    const auto high = MoveBit<kStep, 4>(LoadWords<V>(panel + 128, 0, output));
    return OrMasked(low & V::Bytes::Set(15), high, V::Bytes::Set(16));
  }

  template <typename V>
  [[gnu::always_inline]] static typename V::F32 Scale(const std::uint8_t* panel, int /*group*/,
                                                      int output) {
    return V::F32::LoadF16(reinterpret_cast<const std::uint16_t*>(panel) + output);
  }

  template <typename V>
  [[gnu::always_inline]] static typename V::F32 Minimum(const std::uint8_t* panel, int /*group*/,
                                                        int output) {
    return V::F32::LoadF16(reinterpret_cast<const std::uint16_t*>(panel + 64) + output);
  }
};

}  // namespace ergo::kernels
