// Eight lanes of four bytes; see i8_avx512.h. Include between begin_avx2.h and end.h.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/simd/f32_avx2.h"

namespace ergo::kernels::avx2 {

struct I32 {
  __m256i v;

  static I32 Zero() { return {_mm256_setzero_si256()}; }
  static I32 Set(std::int32_t x) { return {_mm256_set1_epi32(x)}; }
  static I32 Load(const void* p) { return {_mm256_loadu_si256(static_cast<const __m256i*>(p))}; }
  void Store(void* p) const { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
};

struct Bytes {
  static constexpr std::size_t kLanes = 8;
  __m256i v;

  static Bytes Load(const std::uint8_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
  }
  static Bytes Set(std::uint8_t x) { return {_mm256_set1_epi8(static_cast<char>(x))}; }
  static Bytes Broadcast4(const std::int8_t* p) {
    std::int32_t word;
    __builtin_memcpy(&word, p, 4);
    return {_mm256_set1_epi32(word)};
  }
  void Store(std::uint8_t* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
};

// At namespace scope: g++ does not give the target to friends that are defined in a class.
inline Bytes operator&(Bytes a, Bytes b) { return {_mm256_and_si256(a.v, b.v)}; }
inline Bytes operator|(Bytes a, Bytes b) { return {_mm256_or_si256(a.v, b.v)}; }
inline Bytes operator^(Bytes a, Bytes b) { return {_mm256_xor_si256(a.v, b.v)}; }

template <int kBits>
inline Bytes ShiftRight(Bytes a) {
  if constexpr (kBits == 0) return a;
  return {_mm256_srli_epi32(a.v, kBits)};
}
template <int kBits>
inline Bytes ShiftLeft(Bytes a) {
  if constexpr (kBits == 0) return a;
  return {_mm256_slli_epi32(a.v, kBits)};
}
inline Bytes OrMasked(Bytes a, Bytes b, Bytes mask) { return a | (b & mask); }
inline Bytes Subtract(Bytes a, Bytes b) { return {_mm256_sub_epi8(a.v, b.v)}; }

/// vpmaddubsw saturates pairs at 2^15, so 8-bit codes are taken as 7 bits and a top bit.
template <int kBits>
inline I32 Dot(I32 sum, Bytes codes, Bytes values) {
  const __m256i ones = _mm256_set1_epi16(1);
  if constexpr (kBits < 8) {
    const __m256i pairs = _mm256_maddubs_epi16(codes.v, values.v);
    return {_mm256_add_epi32(sum.v, _mm256_madd_epi16(pairs, ones))};
  } else {
    const __m256i low = _mm256_and_si256(codes.v, _mm256_set1_epi8(0x7F));
    const __m256i top = _mm256_and_si256(_mm256_srli_epi16(codes.v, 7), _mm256_set1_epi8(1));
    const __m256i low_pairs = _mm256_maddubs_epi16(low, values.v);
    const __m256i top_pairs = _mm256_maddubs_epi16(top, values.v);
    const __m256i total = _mm256_add_epi32(_mm256_madd_epi16(low_pairs, ones),
                                           _mm256_madd_epi16(top_pairs, _mm256_set1_epi16(128)));
    return {_mm256_add_epi32(sum.v, total)};
  }
}

inline Bytes RoundToBytes(const F32* x) {
  const __m256i low = _mm256_packus_epi32(_mm256_cvtps_epi32(x[0].v), _mm256_cvtps_epi32(x[1].v));
  const __m256i high = _mm256_packus_epi32(_mm256_cvtps_epi32(x[2].v), _mm256_cvtps_epi32(x[3].v));
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  return {_mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order)};
}

inline F32 ToF32(I32 a) { return {_mm256_cvtepi32_ps(a.v)}; }

/// Sums of the first and of the last 16 of 32 numbers.
struct HalfSums {
  std::int32_t first;
  std::int32_t last;
};
/// Sums of absolute differences want unsigned numbers; the 16 times 128 are taken back.
inline std::int32_t SumOf16(const std::int8_t* q) {
  const __m128i low = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(q));
  const __m128i high = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(q + 8));
  const __m128i values = _mm_unpacklo_epi64(low, high);
  const __m128i sums =
      _mm_sad_epu8(_mm_xor_si128(values, _mm_set1_epi8(-128)), _mm_setzero_si128());
  return _mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_unpackhi_epi64(sums, sums))) - 2048;
}
/// Loads of what StoreI8 stored, so that they need not wait for the cache.
inline HalfSums SumHalves(const std::int8_t* q) { return {SumOf16(q), SumOf16(q + 16)}; }

struct Vec {
  using F32 = avx2::F32;
  using I32 = avx2::I32;
  using Bytes = avx2::Bytes;
  static constexpr std::size_t kLanes = 8;

  static F32 LoadU8(const std::uint8_t* p) { return {_mm256_cvtepi32_ps(Widen(p))}; }
  static F32 LoadI8(const std::uint8_t* p) {
    return {_mm256_cvtepi32_ps(
        _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))))};
  }
  static F32 LoadLow4(const std::uint8_t* p) {
    return {_mm256_cvtepi32_ps(_mm256_and_si256(Widen(p), _mm256_set1_epi32(15)))};
  }
  static F32 LoadHigh4(const std::uint8_t* p) {
    return {_mm256_cvtepi32_ps(_mm256_srli_epi32(Widen(p), 4))};
  }

 private:
  static __m256i Widen(const std::uint8_t* p) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
};

}  // namespace ergo::kernels::avx2
