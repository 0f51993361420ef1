// Q8_0: 32 values, 8 bits each, one scale.
//
// File block, 34 bytes:            value[i] = d · qs[i]
//   0   d   fp16
//   2   qs  32 bytes, signed
//
// Panel block (32 outputs), 1088 bytes:
//   0    d[32]  fp16
//   64   8 rows g = 0 … 7 of 32 words; the word of output o is bytes 4g … 4g+3 of its qs, each
//        with its top bit flipped: code = qs + 128 as an unsigned byte.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/float_bits.h"
#include "kernels/quant/panel.h"
#include "tensor/dtype.h"

namespace ergo::kernels {

struct Q8_0 {
  static constexpr DType kDType = DType::kQ8_0;
  static constexpr int kBlock = 32;
  static constexpr int kGroup = 32;
  static constexpr int kBits = 8;
  static constexpr int kOffset = 128;
  static constexpr bool kHasMinimum = false;
  static constexpr int kPanelBytes = 1088;

  struct Block {
    std::uint16_t d;
    std::int8_t qs[32];
  };
  static_assert(sizeof(Block) == 34);

  static void Decode(const Block& block, float* out) {
    const float d = F16ToF32(block.d);
    for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(block.qs[i]) * d;
  }

  /// Quantizes 32 values: d is the largest magnitude over 127, rounded to fp16, and codes are
  /// rounded to nearest. For magnitudes up to 8e6 the error is at most d · (1/2 + 127/2048), of
  /// which the second term only near the largest; larger ones saturate, NaN becomes 0.
  static void Encode(const float* values, Block& block);

  static void Pack(const PanelRows<Block>& rows, std::uint8_t* panel) {
    for (int o = 0; o < 32; ++o) {
      const Block& block = rows[o];
      std::uint8_t codes[32];
      for (int i = 0; i < 32; ++i) codes[i] = static_cast<std::uint8_t>(block.qs[i]) ^ 0x80u;
      std::memcpy(panel + 2 * o, &block.d, 2);
      StoreWords(panel + 64, o, codes, 8);
    }
  }

  template <typename V, int kStep>
  [[gnu::always_inline]] static typename V::Bytes Codes(const std::uint8_t* panel, int output) {
    return LoadWords<V>(panel + 64, kStep, output);
  }

  template <typename V>
  [[gnu::always_inline]] static typename V::F32 Scale(const std::uint8_t* panel, int /*group*/,
                                                      int output) {
    return V::F32::LoadF16(reinterpret_cast<const std::uint16_t*>(panel) + output);
  }
};

}  // namespace ergo::kernels
