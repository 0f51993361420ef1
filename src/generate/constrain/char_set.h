// Sets of characters, and how they are spelled in bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ergo::generate::constrain {

/// Code points `first` to `last`, both included.
struct CharRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

inline constexpr std::uint32_t kMaxCodePoint = 0x10FFFF;

/// A set of Unicode scalar values: surrogates are never part of it.
class CharSet {
 public:
  CharSet() = default;
  static CharSet Of(std::uint32_t first, std::uint32_t last);
  static CharSet All() { return Of(0, kMaxCodePoint); }

  /// Adds a range, cut to what a code point may be.
  void Add(std::uint32_t first, std::uint32_t last);
  void Add(std::uint32_t code_point) { Add(code_point, code_point); }
  void Add(const CharSet& other);

  CharSet Complement() const;
  CharSet Intersect(const CharSet& other) const;
  CharSet Without(const CharSet& other) const { return Intersect(other.Complement()); }
  bool Contains(std::uint32_t code_point) const;
  bool empty() const { return ranges_.empty(); }
  std::size_t count() const;  ///< of characters

  /// Sorted, neither overlapping nor adjacent.
  const std::vector<CharRange>& ranges() const { return ranges_; }

  bool operator==(const CharSet& other) const;

 private:
  std::vector<CharRange> ranges_;
};

/// Bytes from `first` to `last`, both included.
struct ByteRange {
  std::uint8_t first = 0;
  std::uint8_t last = 0;
};

/// One to four byte ranges in a row: every combination of them is one character in UTF-8.
struct ByteSequence {
  std::array<ByteRange, 4> bytes{};
  std::size_t size = 0;
};

/// UTF-8 of all the characters of a set, each exactly once.
std::vector<ByteSequence> Utf8Sequences(const CharSet& set);

}  // namespace ergo::generate::constrain
