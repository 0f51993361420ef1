// For tests: paths whose processors are rare, with the instructions that matter replaced by plain
// code, so that their layouts and arithmetic are checked everywhere.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/amx_tile.h"
#include "kernels/matmul/impl.h"

namespace ergo::kernels {

/// The tile unit in plain C++, one for each thread. A misuse for which the processor would raise a
/// fault fails the test.
void EmulateConfigure(const TileShapes& shapes);
void EmulateRelease();
void EmulateLoad(int tile, const void* from, std::size_t stride);
void EmulateDot(int c, int a, int b);
void EmulateStore(int tile, void* to, std::size_t stride);

/// See amx_tile.h.
struct EmulatedUnit {
  static void Configure(const TileShapes& shapes) { EmulateConfigure(shapes); }
  static void Release() { EmulateRelease(); }
  template <int kTile>
  static void Load(const void* from, std::size_t stride) {
    EmulateLoad(kTile, from, stride);
  }
  template <int kTile>
  static void LoadBroadcastRow(const std::int32_t* from) {
    EmulateLoad(kTile, from, 0);
  }
  template <int kC, int kA, int kB>
  static void DotUnsignedSigned() {
    EmulateDot(kC, kA, kB);
  }
  template <int kTile>
  static void Store(void* to, std::size_t stride) {
    EmulateStore(kTile, to, stride);
  }
};

/// The AMX path over emulated tiles, with portable and with AVX-512 vectors.
const PathKernels& EmulatedAmxPortable();
const PathKernels& EmulatedAmxAvx512();

/// The AVX-VNNI path over AVX2 with its dot product emulated.
const PathKernels& EmulatedAvxVnni();

}  // namespace ergo::kernels
