// Eight lanes of four bytes in plain C++; see i8_avx512.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/simd/f32_portable.h"

namespace ergo::kernels::portable {

struct I32 {
  std::int32_t v[8];

  static I32 Set(std::int32_t x) {
    I32 out;
    for (std::int32_t& lane : out.v) lane = x;
    return out;
  }
  static I32 Zero() { return Set(0); }
  static I32 Load(const void* p) {
    I32 out;
    std::memcpy(out.v, p, sizeof out.v);
    return out;
  }
  void Store(void* p) const { std::memcpy(p, v, sizeof v); }
};

struct Bytes {
  static constexpr std::size_t kLanes = 8;
  std::uint32_t v[8];

  template <typename Function>
  static Bytes Each(Function function) {
    Bytes out;
    for (std::size_t i = 0; i < kLanes; ++i) out.v[i] = function(i);
    return out;
  }
  static Bytes Load(const std::uint8_t* p) {
    Bytes out;
    std::memcpy(out.v, p, sizeof out.v);
    return out;
  }
  static Bytes Set(std::uint8_t x) {
    return Each([&](std::size_t) { return x * 0x01010101u; });
  }
  static Bytes Broadcast4(const std::int8_t* p) {
    std::uint32_t word;
    std::memcpy(&word, p, 4);
    return Each([&](std::size_t) { return word; });
  }
  void Store(std::uint8_t* p) const { std::memcpy(p, v, sizeof v); }

  friend Bytes operator&(Bytes a, Bytes b) {
    return Each([&](std::size_t i) { return a.v[i] & b.v[i]; });
  }
  friend Bytes operator|(Bytes a, Bytes b) {
    return Each([&](std::size_t i) { return a.v[i] | b.v[i]; });
  }
  friend Bytes operator^(Bytes a, Bytes b) {
    return Each([&](std::size_t i) { return a.v[i] ^ b.v[i]; });
  }
};

template <int kBits>
inline Bytes ShiftRight(Bytes a) {
  return Bytes::Each([&](std::size_t i) { return a.v[i] >> kBits; });
}
template <int kBits>
inline Bytes ShiftLeft(Bytes a) {
  return Bytes::Each([&](std::size_t i) { return a.v[i] << kBits; });
}
inline Bytes OrMasked(Bytes a, Bytes b, Bytes mask) { return a | (b & mask); }
inline Bytes Subtract(Bytes a, Bytes b) {
  return Bytes::Each([&](std::size_t i) {
    std::uint32_t out = 0;
    for (int s = 0; s < 32; s += 8) out |= (((a.v[i] >> s) - (b.v[i] >> s)) & 0xFFu) << s;
    return out;
  });
}

template <int kBits>
inline I32 Dot(I32 sum, Bytes codes, Bytes values) {
  for (std::size_t i = 0; i < Bytes::kLanes; ++i) {
    for (int s = 0; s < 32; s += 8) {
      sum.v[i] += static_cast<std::int32_t>(codes.v[i] >> s & 0xFF) *
                  static_cast<std::int8_t>(values.v[i] >> s & 0xFF);
    }
  }
  return sum;
}

inline F32 ToF32(I32 a) {
  return F32::Each([&](std::size_t i) { return static_cast<float>(a.v[i]); });
}

struct Vec {
  using F32 = portable::F32;
  using I32 = portable::I32;
  using Bytes = portable::Bytes;
  static constexpr std::size_t kLanes = 8;

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
