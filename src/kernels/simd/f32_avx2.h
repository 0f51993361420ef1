// Eight floats; see f32_avx512.h. Include between begin_avx2.h and end.h.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace ergo::kernels::avx2 {

inline __m256i PartMask(std::size_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

struct F32 {
  static constexpr std::size_t kLanes = 8;
  __m256 v;

  static F32 Zero() { return {_mm256_setzero_ps()}; }
  static F32 Set(float x) { return {_mm256_set1_ps(x)}; }
  static F32 Load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static F32 LoadPart(const float* p, std::size_t n) {
    return {_mm256_maskload_ps(p, PartMask(n))};
  }
  static F32 LoadF16(const std::uint16_t* p) {
    return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
  }
  static F32 LoadBf16(const std::uint16_t* p) {
    const __m256i wide =
        _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(wide, 16))};
  }
  void Store(float* p) const { _mm256_storeu_ps(p, v); }
  void StorePart(float* p, std::size_t n) const { _mm256_maskstore_ps(p, PartMask(n), v); }
  void StoreI8(std::int8_t* p) const {
    const __m256i wide = _mm256_cvtps_epi32(v);
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
  }
  void StoreI16(std::int16_t* p) const {
    const __m256i wide = _mm256_cvtps_epi32(v);
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(p),
        _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1)));
  }
};

// At namespace scope: g++ does not give the target to friends that are defined in a class.
inline F32 operator+(F32 a, F32 b) { return {_mm256_add_ps(a.v, b.v)}; }
inline F32 operator-(F32 a, F32 b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline F32 operator*(F32 a, F32 b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline F32 operator/(F32 a, F32 b) { return {_mm256_div_ps(a.v, b.v)}; }

inline F32 Fma(F32 a, F32 b, F32 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline F32 Max(F32 a, F32 b) { return {_mm256_max_ps(a.v, b.v)}; }
inline F32 Min(F32 a, F32 b) { return {_mm256_min_ps(a.v, b.v)}; }
inline F32 Abs(F32 a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
inline F32 Sqrt(F32 a) { return {_mm256_sqrt_ps(a.v)}; }
inline F32 RoundNearest(F32 a) {
  return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline F32 ScaleByPower(F32 a, F32 n) {
  const __m256i exponent =
      _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127)), 23);
  return {_mm256_mul_ps(a.v, _mm256_castsi256_ps(exponent))};
}
inline F32 Fraction(F32 a) { return {_mm256_sub_ps(a.v, _mm256_floor_ps(a.v))}; }
inline F32 ScaleByFloor(F32 a, F32 n) {
  return ScaleByPower(a, Max({_mm256_floor_ps(n.v)}, F32::Set(-125.0f)));
}
inline F32 WhereLess(F32 a, F32 b, F32 yes, F32 no) {
  return {_mm256_blendv_ps(no.v, yes.v, _mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ))};
}
inline F32 SwapPairs(F32 a) { return {_mm256_permute_ps(a.v, 0xB1)}; }
/// Lane i gets lane i ^ kDistance.
template <int kDistance>
inline F32 Swapped(F32 a) {
  static_assert(kDistance == 1 || kDistance == 2 || kDistance == 4);
  if constexpr (kDistance == 1) return {_mm256_permute_ps(a.v, 0xB1)};
  if constexpr (kDistance == 2) return {_mm256_permute_ps(a.v, 0x4E)};
  return {_mm256_permute2f128_ps(a.v, a.v, 1)};
}
inline float Sum(F32 a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
inline float Largest(F32 a) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

}  // namespace ergo::kernels::avx2
