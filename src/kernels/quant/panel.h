// What all number formats share: how the rows of a panel are reached while packing, and how words
// of codes lie in it.
//
// A panel block holds the same block column of 32 outputs (rows of the matrix). Its codes are rows
// of 128 bytes: one word of four bytes for each output, so that a vector of 16 or 8 words is what
// an int8 product of 16 or 8 outputs reads. kStep counts the fours of values along a block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ergo::kernels {

/// The same block column of the 32 rows of a panel. Rows past the end of the matrix repeat the
/// last one: their results are never stored.
template <typename Block>
class PanelRows {
 public:
  PanelRows(const Block* first, std::size_t stride_blocks, int rows)
      : first_(first), stride_(stride_blocks), rows_(rows) {}

  const Block& operator[](int output) const {
    const int row = output < rows_ ? output : rows_ - 1;
    return first_[static_cast<std::size_t>(row) * stride_];
  }

 private:
  const Block* first_;
  std::size_t stride_;
  int rows_;
};

/// Puts words 0 … words-1 of `from` into consecutive rows of a panel, at one output.
inline void StoreWords(std::uint8_t* rows, int output, const std::uint8_t* from, int words) {
  for (int w = 0; w < words; ++w) std::memcpy(rows + 128 * w + 4 * output, from + 4 * w, 4);
}

/// Moves bit 4g+b of a word to bit g of its byte b: from one bit a value to one byte for each of
/// the four values of a step.
inline std::uint32_t FifthBitsByByte(std::uint32_t bits) {
  std::uint32_t out = 0;
  for (int b = 0; b < 4; ++b) {  // gather every fourth bit: by pairs, by fours, by eight
    std::uint32_t byte = bits >> b & 0x11111111u;
    byte = (byte | byte >> 3) & 0x03030303u;
    byte = (byte | byte >> 6) & 0x000F000Fu;
    byte = (byte | byte >> 12) & 0xFFu;
    out |= byte << (8 * b);
  }
  return out;
}

/// The words of row `row` for the outputs that start at `output`.
template <typename V>
[[gnu::always_inline]] inline typename V::Bytes LoadWords(const std::uint8_t* rows, int row,
                                                          int output) {
  return V::Bytes::Load(rows + 128 * row + 4 * output);
}

/// Moves bit kFrom of every byte to bit kTo; what the other bits become is to be masked off.
template <int kFrom, int kTo, typename Bytes>
[[gnu::always_inline]] inline Bytes MoveBit(Bytes bytes) {
  if constexpr (kFrom >= kTo) {
    return ShiftRight<kFrom - kTo>(bytes);
  } else {
    return ShiftLeft<kTo - kFrom>(bytes);
  }
}

}  // namespace ergo::kernels
