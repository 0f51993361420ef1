// Sixteen lanes of four bytes: one output's four consecutive weights in a lane. One of three
// headers with the same operations (i8_avx2.h, i8_portable.h). Include between begin_avx512.h and
// end.h, after f32_avx512.h.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/simd/f32_avx512.h"

namespace ergo::kernels::avx512 {

struct I32 {
  __m512i v;

  static I32 Zero() { return {_mm512_setzero_si512()}; }
  static I32 Set(std::int32_t x) { return {_mm512_set1_epi32(x)}; }
  static I32 Load(const void* p) { return {_mm512_loadu_si512(p)}; }
  void Store(void* p) const { _mm512_storeu_si512(p, v); }
};

struct Bytes {
  static constexpr std::size_t kLanes = 16;  ///< of four bytes
  __m512i v;

  static Bytes Load(const std::uint8_t* p) { return {_mm512_loadu_si512(p)}; }
  static Bytes Set(std::uint8_t x) { return {_mm512_set1_epi8(static_cast<char>(x))}; }
  /// The same four bytes in every lane.
  static Bytes Broadcast4(const std::int8_t* p) {
    std::int32_t word;
    __builtin_memcpy(&word, p, 4);
    return {_mm512_set1_epi32(word)};
  }
  void Store(std::uint8_t* p) const { _mm512_storeu_si512(p, v); }
};

// At namespace scope: g++ does not give the target to friends that are defined in a class.
inline Bytes operator&(Bytes a, Bytes b) { return {_mm512_and_si512(a.v, b.v)}; }
inline Bytes operator|(Bytes a, Bytes b) { return {_mm512_or_si512(a.v, b.v)}; }
inline Bytes operator^(Bytes a, Bytes b) { return {_mm512_xor_si512(a.v, b.v)}; }

/// Shifts of whole lanes: bits cross bytes, so mask afterwards.
template <int kBits>
inline Bytes ShiftRight(Bytes a) {
  if constexpr (kBits == 0) return a;
  return {_mm512_srli_epi32(a.v, kBits)};
}
template <int kBits>
inline Bytes ShiftLeft(Bytes a) {
  if constexpr (kBits == 0) return a;
  return {_mm512_slli_epi32(a.v, kBits)};
}
/// a | (b & mask)
inline Bytes OrMasked(Bytes a, Bytes b, Bytes mask) {
  return {_mm512_ternarylogic_epi32(a.v, b.v, mask.v, 0xF8)};
}
/// Byte-wise difference.
inline Bytes Subtract(Bytes a, Bytes b) { return {_mm512_sub_epi8(a.v, b.v)}; }

/// sum + Σ of four products per lane, exact; `codes` are unsigned and below 2^kBits.
template <int kBits>
inline I32 Dot(I32 sum, Bytes codes, Bytes values) {
  return {_mm512_dpbusd_epi32(sum.v, codes.v, values.v)};
}

/// Four vectors of numbers in [0, 255], rounded to nearest even, in order.
inline Bytes RoundToBytes(const F32* x) {
  const __m512i low = _mm512_packus_epi32(_mm512_cvtps_epi32(x[0].v), _mm512_cvtps_epi32(x[1].v));
  const __m512i high = _mm512_packus_epi32(_mm512_cvtps_epi32(x[2].v), _mm512_cvtps_epi32(x[3].v));
  // Packing goes by quarters: word i of them came from vector i % 4, quarter i / 4.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return {_mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high))};
}

inline F32 ToF32(I32 a) { return {_mm512_cvtepi32_ps(a.v)}; }

/// Sums of the first and of the last 16 of 32 numbers.
struct HalfSums {
  std::int32_t first;
  std::int32_t last;
};
/// Sums of absolute differences want unsigned numbers; the 16 times 128 are taken back.
inline std::int32_t SumOf16(const std::int8_t* q) {
  const __m128i values = _mm_loadu_si128(reinterpret_cast<const __m128i*>(q));
  const __m128i sums =
      _mm_sad_epu8(_mm_xor_si128(values, _mm_set1_epi8(-128)), _mm_setzero_si128());
  return _mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_unpackhi_epi64(sums, sums))) - 2048;
}
/// Loads of what StoreI8 stored, so that they need not wait for the cache.
inline HalfSums SumHalves(const std::int8_t* q) { return {SumOf16(q), SumOf16(q + 16)}; }

/// What the number formats are written over.
struct Vec {
  using F32 = avx512::F32;
  using I32 = avx512::I32;
  using Bytes = avx512::Bytes;
  static constexpr std::size_t kLanes = 16;

  /// kLanes bytes, widened.
  static F32 LoadU8(const std::uint8_t* p) { return {_mm512_cvtepi32_ps(Widen(p))}; }
  static F32 LoadI8(const std::uint8_t* p) {
    return {_mm512_cvtepi32_ps(
        _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
  }
  /// The low and the high halves of kLanes bytes.
  static F32 LoadLow4(const std::uint8_t* p) {
    return {_mm512_cvtepi32_ps(_mm512_and_si512(Widen(p), _mm512_set1_epi32(15)))};
  }
  static F32 LoadHigh4(const std::uint8_t* p) {
    return {_mm512_cvtepi32_ps(_mm512_srli_epi32(Widen(p), 4))};
  }

 private:
  static __m512i Widen(const std::uint8_t* p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
};

}  // namespace ergo::kernels::avx512
