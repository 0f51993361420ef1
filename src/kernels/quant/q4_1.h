// Q4_1: 32 values, 4 bits each, one scale and one minimum.
//
// File block, 20 bytes:            value[i] = d · code[i] + m
//   0   d   fp16
//   2   m   fp16
//   4   qs  16 bytes               code[i] = qs[i] & 15, code[i + 16] = qs[i] >> 4
//
// Panel block (32 outputs), 640 bytes:
//   0    d[32]  fp16
//   64   m[32]  fp16
//   128  4 rows p = 0 … 3 of 32 words; the word of output o is bytes 4p … 4p+3 of its qs, so the
//        low nibbles hold values 4p … 4p+3 and the high ones values 16+4p … 16+4p+3.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/float_bits.h"
#include "kernels/quant/panel.h"
#include "tensor/dtype.h"

namespace ergo::kernels {

struct Q4_1 {
  static constexpr DType kDType = DType::kQ4_1;
  static constexpr int kBlock = 32;  ///< values in a file block
  static constexpr int kGroup = 32;  ///< values that share a scale
  static constexpr int kBits = 4;    ///< codes are below 2^kBits
  static constexpr int kOffset = 0;  ///< value = scale · (code − kOffset) + minimum
  static constexpr bool kHasMinimum = true;
  static constexpr int kPanelBytes = 640;  ///< for kBlock inputs of 32 outputs

  struct Block {
    std::uint16_t d;
    std::uint16_t m;
    std::uint8_t qs[16];
  };
  static_assert(sizeof(Block) == 20);

  static void Decode(const Block& block, float* out) {
    const float d = F16ToF32(block.d);
    const float m = F16ToF32(block.m);
    for (int i = 0; i < 16; ++i) {
      out[i] = d * static_cast<float>(block.qs[i] & 15) + m;
      out[i + 16] = d * static_cast<float>(block.qs[i] >> 4) + m;
    }
  }

  /// Quantizes 32 values: of three lines (the range in 15 steps, and the least-squares fits to the
  /// codes of two spacings), each rounded to fp16, the one with the smallest squared error.
  /// Values beyond ±65504 saturate, NaN becomes 0.
  static void Encode(const float* values, Block& block);

  /// One panel block from the same block column of 32 rows.
  static void Pack(const PanelRows<Block>& rows, std::uint8_t* panel) {
    for (int o = 0; o < 32; ++o) {
      const Block& block = rows[o];
      std::memcpy(panel + 2 * o, &block.d, 2);
      std::memcpy(panel + 64 + 2 * o, &block.m, 2);
      StoreWords(panel + 128, o, block.qs, 4);
    }
  }

  /// Codes of values 4·kStep … 4·kStep+3 of the block, for the outputs that start at `output`.
  template <typename V, int kStep>
  [[gnu::always_inline]] static typename V::Bytes Codes(const std::uint8_t* panel, int output) {
    constexpr int kShift = kStep < 4 ? 0 : 4;
    const auto words = LoadWords<V>(panel + 128, kStep & 3, output);
    return ShiftRight<kShift>(words) & V::Bytes::Set(15);
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
