// Sixteen floats. One of three headers with the same operations (f32_avx2.h, f32_portable.h): an
// algorithm is written once over F32 and compiled for each path. Include between begin_avx512.h
// and end.h.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace ergo::kernels::avx512 {

struct F32 {
  static constexpr std::size_t kLanes = 16;
  __m512 v;

  static F32 Zero() { return {_mm512_setzero_ps()}; }
  static F32 Set(float x) { return {_mm512_set1_ps(x)}; }
  static F32 Load(const float* p) { return {_mm512_loadu_ps(p)}; }
  /// The first n < kLanes values; the other lanes are 0 and are not read.
  static F32 LoadPart(const float* p, std::size_t n) {
    return {_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p)};
  }
  /// Half-precision values.
  static F32 LoadF16(const std::uint16_t* p) {
    return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
  }
  static F32 LoadBf16(const std::uint16_t* p) {
    const __m512i wide =
        _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(wide, 16))};
  }
  void Store(float* p) const { _mm512_storeu_ps(p, v); }
  void StorePart(float* p, std::size_t n) const {
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), v);
  }
  /// Rounded to nearest even and saturated to int8.
  void StoreI8(std::int8_t* p) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(v)));
  }
  /// Likewise to int16.
  void StoreI16(std::int16_t* p) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(v)));
  }
};

// At namespace scope: g++ does not give the target to friends that are defined in a class.
inline F32 operator+(F32 a, F32 b) { return {_mm512_add_ps(a.v, b.v)}; }
inline F32 operator-(F32 a, F32 b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline F32 operator*(F32 a, F32 b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline F32 operator/(F32 a, F32 b) { return {_mm512_div_ps(a.v, b.v)}; }

inline F32 Fma(F32 a, F32 b, F32 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline F32 Max(F32 a, F32 b) { return {_mm512_max_ps(a.v, b.v)}; }
inline F32 Min(F32 a, F32 b) { return {_mm512_min_ps(a.v, b.v)}; }
inline F32 Abs(F32 a) { return {_mm512_abs_ps(a.v)}; }
inline F32 Sqrt(F32 a) { return {_mm512_sqrt_ps(a.v)}; }
inline F32 RoundNearest(F32 a) {
  return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
/// a · 2^n for integral n in the range of normal exponents.
inline F32 ScaleByPower(F32 a, F32 n) { return {_mm512_scalef_ps(a.v, n.v)}; }
/// a - floor(a); 0 for numbers that are too large to have a fraction.
inline F32 Fraction(F32 a) { return {_mm512_reduce_ps(a.v, _MM_FROUND_TO_NEG_INF)}; }
/// a · 2^floor(n), n < 126; tiny or 0 for n < -125.
inline F32 ScaleByFloor(F32 a, F32 n) { return {_mm512_scalef_ps(a.v, n.v)}; }
/// Lane by lane a < b ? yes : no; a NaN is not less.
inline F32 WhereLess(F32 a, F32 b, F32 yes, F32 no) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ), no.v, yes.v)};
}
/// Lanes 1, 0, 3, 2, …
inline F32 SwapPairs(F32 a) { return {_mm512_permute_ps(a.v, 0xB1)}; }
/// Lane i gets lane i ^ kDistance.
template <int kDistance>
inline F32 Swapped(F32 a) {
  static_assert(kDistance == 1 || kDistance == 2 || kDistance == 4 || kDistance == 8);
  if constexpr (kDistance == 1) return {_mm512_permute_ps(a.v, 0xB1)};
  if constexpr (kDistance == 2) return {_mm512_permute_ps(a.v, 0x4E)};
  if constexpr (kDistance == 4) return {_mm512_shuffle_f32x4(a.v, a.v, 0xB1)};
  return {_mm512_shuffle_f32x4(a.v, a.v, 0x4E)};
}
inline float Sum(F32 a) { return _mm512_reduce_add_ps(a.v); }
inline float Largest(F32 a) { return _mm512_reduce_max_ps(a.v); }

}  // namespace ergo::kernels::avx512
