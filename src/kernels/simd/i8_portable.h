// Four lanes of four bytes; see i8_avx512.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/simd/f32_portable.h"

namespace ergo::kernels::portable {

using WordVector = std::uint32_t __attribute__((vector_size(16)));

struct I32 {
  IntVector v;

  static I32 Set(std::int32_t x) { return {IntVector{x, x, x, x}}; }
  static I32 Zero() { return Set(0); }
  static I32 Load(const void* p) {
    I32 out;
    std::memcpy(&out.v, p, sizeof out.v);
    return out;
  }
  void Store(void* p) const { std::memcpy(p, &v, sizeof v); }
};

struct Bytes {
  static constexpr std::size_t kLanes = 4;
  WordVector v;

  static Bytes Load(const std::uint8_t* p) {
    Bytes out;
    std::memcpy(&out.v, p, sizeof out.v);
    return out;
  }
  static Bytes Words(std::uint32_t word) { return {WordVector{word, word, word, word}}; }
  static Bytes Set(std::uint8_t x) { return Words(x * 0x01010101u); }
  static Bytes Broadcast4(const std::int8_t* p) {
    std::uint32_t word;
    std::memcpy(&word, p, 4);
    return Words(word);
  }
  void Store(std::uint8_t* p) const { std::memcpy(p, &v, sizeof v); }

  friend Bytes operator&(Bytes a, Bytes b) { return {a.v & b.v}; }
  friend Bytes operator|(Bytes a, Bytes b) { return {a.v | b.v}; }
  friend Bytes operator^(Bytes a, Bytes b) { return {a.v ^ b.v}; }
};

template <int kBits>
inline Bytes ShiftRight(Bytes a) {
  return {a.v >> kBits};
}
template <int kBits>
inline Bytes ShiftLeft(Bytes a) {
  return {a.v << kBits};
}
inline Bytes OrMasked(Bytes a, Bytes b, Bytes mask) { return a | (b & mask); }
/// Byte-wise: the top bits are kept apart, so that nothing is borrowed across bytes.
inline Bytes Subtract(Bytes a, Bytes b) {
  const WordVector top = Bytes::Words(0x80808080u).v;
  return {((a.v | top) - (b.v & ~top)) ^ ((a.v ^ ~b.v) & top)};
}

/// Byte number kByte of each lane, with its sign or without.
template <int kByte>
inline IntVector SignedByte(Bytes a) {
  return reinterpret_cast<IntVector>(a.v << (24 - 8 * kByte)) >> 24;
}
template <int kByte>
inline IntVector UnsignedByte(Bytes a) {
  return reinterpret_cast<IntVector>(a.v >> (8 * kByte) & Bytes::Words(255).v);
}

template <int kBits>
inline I32 Dot(I32 sum, Bytes codes, Bytes values) {
  return {sum.v + UnsignedByte<0>(codes) * SignedByte<0>(values) +
          UnsignedByte<1>(codes) * SignedByte<1>(values) +
          UnsignedByte<2>(codes) * SignedByte<2>(values) +
          UnsignedByte<3>(codes) * SignedByte<3>(values)};
}

inline Bytes RoundToBytes(const F32* x) {
  std::uint8_t bytes[4 * F32::kLanes];
  for (std::size_t i = 0; i < sizeof bytes; ++i) {
    bytes[i] = static_cast<std::uint8_t>(std::nearbyintf(x[i / F32::kLanes].v[i % F32::kLanes]));
  }
  return Bytes::Load(bytes);
}

inline F32 ToF32(I32 a) { return {__builtin_convertvector(a.v, FloatVector)}; }

/// Sums of the first and of the last 16 of 32 numbers.
struct HalfSums {
  std::int32_t first;
  std::int32_t last;
};
inline HalfSums SumHalves(const std::int8_t* q) {
  HalfSums sums = {0, 0};
  for (int i = 0; i < 16; ++i) {
    sums.first += q[i];
    sums.last += q[16 + i];
  }
  return sums;
}

struct Vec {
  using F32 = portable::F32;
  using I32 = portable::I32;
  using Bytes = portable::Bytes;
  static constexpr std::size_t kLanes = 4;

  static F32 LoadU8(const std::uint8_t* p) {
    return F32::Each([&](std::size_t i) { return static_cast<float>(p[i]); });
  }
  static F32 LoadI8(const std::uint8_t* p) {
    return F32::Each(
        [&](std::size_t i) { return static_cast<float>(static_cast<std::int8_t>(p[i])); });
  }
  static F32 LoadLow4(const std::uint8_t* p) {
    return F32::Each([&](std::size_t i) { return static_cast<float>(p[i] & 15); });
  }
  static F32 LoadHigh4(const std::uint8_t* p) {
    return F32::Each([&](std::size_t i) { return static_cast<float>(p[i] >> 4); });
  }
};

}  // namespace ergo::kernels::portable
