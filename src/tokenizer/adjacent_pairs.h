// Where a text without words may be cut without changing its ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "tokenizer/vocabulary.h"

namespace ergo::tokenizer {

/// The pairs of characters that stand side by side in some token. A merge can only join characters
/// that do, so between all others a text falls into parts that the merging treats alone. A set of
/// bits by hash: it may report a pair too many, which only costs a cut.
class AdjacentPairs {
 public:
  AdjacentPairs() = default;
  explicit AdjacentPairs(const Vocabulary& vocabulary) : bits_(kBits / 64) {
    for (std::size_t id = 0; id < vocabulary.size(); ++id) {
      const std::string_view piece = vocabulary.Piece(static_cast<TokenId>(id));
      std::uint32_t previous = kNone;
      for (std::size_t i = 0; i < piece.size();) {
        const Utf8Char c = DecodeUtf8(piece.substr(i));
        if (previous != kNone) {
          const std::size_t bit = Bit(previous, c.code_point);
          bits_[bit / 64] |= std::uint64_t{1} << bit % 64;
        }
        previous = c.code_point;
        i += c.bytes;
      }
    }
  }

  bool empty() const { return bits_.empty(); }

  bool MayMeet(std::uint32_t left, std::uint32_t right) const {
    const std::size_t bit = Bit(left, right);
    return (bits_[bit / 64] >> bit % 64 & 1) != 0;
  }

 private:
  static constexpr int kBitsLog2 = 21;  // 256 KiB
  static constexpr std::size_t kBits = std::size_t{1} << kBitsLog2;
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  static std::size_t Bit(std::uint32_t left, std::uint32_t right) {
    const std::uint64_t key = static_cast<std::uint64_t>(left) << 21 | right;
    return static_cast<std::size_t>(key * 0x9E3779B97F4A7C15ull >> (64 - kBitsLog2));
  }

  std::vector<std::uint64_t> bits_;
};

}  // namespace ergo::tokenizer
