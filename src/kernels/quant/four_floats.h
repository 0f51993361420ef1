// Four floats, as g++ and clang know them on every processor: whole models are quantized while they
// load, outside of the kernels' code paths.
#pragma once

namespace ergo::kernels {

using FourFloats = float __attribute__((vector_size(16)));
using FourInts = int __attribute__((vector_size(16)));

inline FourFloats LimitTo(FourFloats x, float low, float high) {
  const FourFloats lows = FourFloats{} + low;
  const FourFloats highs = FourFloats{} + high;
  x = x < lows ? lows : x;
  return x > highs ? highs : x;
}

/// Finite values for any: NaN becomes 0, the others saturate at ±limit.
inline FourFloats MakeFinite(FourFloats x, float limit) {
  return LimitTo(x == x ? x : FourFloats{}, -limit, limit);
}

/// Towards zero, for magnitudes below 2^31.
inline FourFloats Truncate(FourFloats x) {
  return __builtin_convertvector(__builtin_convertvector(x, FourInts), FourFloats);
}

inline float Sum(FourFloats x) { return (x[0] + x[2]) + (x[1] + x[3]); }

inline float Smallest(FourFloats x) {
  const float a = x[0] < x[2] ? x[0] : x[2];
  const float b = x[1] < x[3] ? x[1] : x[3];
  return a < b ? a : b;
}
inline float Largest(FourFloats x) { return -Smallest(-x); }

}  // namespace ergo::kernels
