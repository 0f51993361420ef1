// The tile unit of AMX, as the products use it.
//
// A unit is a type with static functions over eight registers, each of at most 16 rows of at most
// 64 bytes:
//   Configure(shapes), Release()     around every use; the registers belong to the thread
//   Load<kTile>(from, stride)        row r of the register from `from` + r · stride bytes
//   LoadBroadcastRow<kTile>(from)    the same row everywhere
//   DotUnsignedSigned<kC, kA, kB>()  C[m][n] += Σ_k A[m][k] · B[k / 4][4n + k % 4]; the bytes of A
//                                    are unsigned, those of B signed, C is int32 and exact
//   Store<kTile>(to, stride)         the rows, 32-bit words included, as they are
// AmxUnit is the processor's own, for files compiled for AMX. Tests put an emulation in its place
// (emulated_unit_test.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace ergo::kernels {

/// What LDTILECFG reads: the shapes of all registers.
struct alignas(64) TileShapes {
  std::uint8_t palette;
  std::uint8_t start_row;
  std::uint8_t reserved[14];
  std::uint16_t row_bytes[16];
  std::uint8_t rows[16];
};
static_assert(sizeof(TileShapes) == 64);

#if defined(__AMX_INT8__)

/// In assembly: the compilers' intrinsics do not say that they read and write memory.
struct AmxUnit {
  [[gnu::always_inline]] static void Configure(const TileShapes& shapes) {
    __asm__ volatile("ldtilecfg %0" : : "m"(shapes));
  }

  [[gnu::always_inline]] static void Release() { __asm__ volatile("tilerelease"); }

  template <int kTile>
  [[gnu::always_inline]] static void Load(const void* from, std::size_t stride) {
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2"
                     :
                     : "r"(from), "r"(stride), "i"(kTile)
                     : "memory");
  }

  template <int kTile>
  [[gnu::always_inline]] static void LoadBroadcastRow(const std::int32_t* from) {
    Load<kTile>(from, 0);
  }

  template <int kC, int kA, int kB>
  [[gnu::always_inline]] static void DotUnsignedSigned() {
    __asm__ volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
  }

  template <int kTile>
  [[gnu::always_inline]] static void Store(void* to, std::size_t stride) {
    __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)"
                     :
                     : "r"(to), "r"(stride), "i"(kTile)
                     : "memory");
  }
};

#endif

}  // namespace ergo::kernels
