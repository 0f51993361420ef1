// Four floats in the vector extension that g++ and clang share; see f32_avx512.h. No intrinsics:
// it compiles for every processor.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/float_bits.h"

namespace ergo::kernels::portable {

using FloatVector = float __attribute__((vector_size(16)));
using IntVector = std::int32_t __attribute__((vector_size(16)));

struct F32 {
  static constexpr std::size_t kLanes = 4;
  FloatVector v;

  template <typename Function>
  static F32 Each(Function function) {
    F32 out;
    for (std::size_t i = 0; i < kLanes; ++i) out.v[i] = function(i);
    return out;
  }

  static F32 Zero() { return Set(0.0f); }
  static F32 Set(float x) { return {FloatVector{x, x, x, x}}; }
  static F32 Load(const float* p) {
    F32 out;
    std::memcpy(&out.v, p, sizeof out.v);
    return out;
  }
  static F32 LoadPart(const float* p, std::size_t n) {
    return Each([&](std::size_t i) { return i < n ? p[i] : 0.0f; });
  }
  static F32 LoadF16(const std::uint16_t* p) {
    return Each([&](std::size_t i) { return F16ToF32(p[i]); });
  }
  static F32 LoadBf16(const std::uint16_t* p) {
    return Each([&](std::size_t i) { return Bf16ToF32(p[i]); });
  }
  void Store(float* p) const { std::memcpy(p, &v, sizeof v); }
  void StorePart(float* p, std::size_t n) const { std::memcpy(p, &v, n * sizeof(float)); }
  void StoreI8(std::int8_t* p) const {
    for (std::size_t i = 0; i < kLanes; ++i) {
      p[i] = static_cast<std::int8_t>(std::clamp(std::nearbyintf(v[i]), -128.0f, 127.0f));
    }
  }
  void StoreI16(std::int16_t* p) const {
    for (std::size_t i = 0; i < kLanes; ++i) {
      p[i] = static_cast<std::int16_t>(std::clamp(std::nearbyintf(v[i]), -32768.0f, 32767.0f));
    }
  }

  friend F32 operator+(F32 a, F32 b) { return {a.v + b.v}; }
  friend F32 operator-(F32 a, F32 b) { return {a.v - b.v}; }
  friend F32 operator*(F32 a, F32 b) { return {a.v * b.v}; }
  friend F32 operator/(F32 a, F32 b) { return {a.v / b.v}; }
};

/// Product and sum each rounded: without FMA hardware a fused one would cost a library call.
inline F32 Fma(F32 a, F32 b, F32 c) { return a * b + c; }
inline F32 Max(F32 a, F32 b) { return {a.v > b.v ? a.v : b.v}; }
inline F32 Min(F32 a, F32 b) { return {a.v < b.v ? a.v : b.v}; }
inline F32 Abs(F32 a) {
  return F32::Each([&](std::size_t i) { return std::fabs(a.v[i]); });
}
inline F32 Sqrt(F32 a) {
  return F32::Each([&](std::size_t i) { return std::sqrt(a.v[i]); });
}
inline F32 RoundNearest(F32 a) {
  return F32::Each([&](std::size_t i) { return std::nearbyintf(a.v[i]); });
}
inline F32 ScaleByPower(F32 a, F32 n) {
  return F32::Each([&](std::size_t i) {
    const auto bits = static_cast<std::uint32_t>(static_cast<int>(n.v[i]) + 127) << 23;
    return a.v[i] * std::bit_cast<float>(bits);
  });
}
inline F32 Floor(F32 a) {
  return F32::Each([&](std::size_t i) { return std::floor(a.v[i]); });
}
inline F32 Fraction(F32 a) { return a - Floor(a); }
inline F32 ScaleByFloor(F32 a, F32 n) { return ScaleByPower(a, Max(Floor(n), F32::Set(-125.0f))); }
inline F32 WhereLess(F32 a, F32 b, F32 yes, F32 no) { return {a.v < b.v ? yes.v : no.v}; }
inline F32 SwapPairs(F32 a) {
  return F32::Each([&](std::size_t i) { return a.v[i ^ 1]; });
}
/// Lane i gets lane i ^ kDistance.
template <int kDistance>
inline F32 Swapped(F32 a) {
  static_assert(kDistance == 1 || kDistance == 2);
  return F32::Each([&](std::size_t i) { return a.v[i ^ kDistance]; });
}
inline float Sum(F32 a) { return (a.v[0] + a.v[2]) + (a.v[1] + a.v[3]); }
inline float Largest(F32 a) { return std::max(std::max(a.v[0], a.v[1]), std::max(a.v[2], a.v[3])); }

}  // namespace ergo::kernels::portable
