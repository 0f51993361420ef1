// For the tests of the number formats: a panel block taken apart through what the kernels use.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "kernels/quant/formats.h"

namespace ergo::kernels {

/// Room for one panel block of 32 outputs.
struct UnpackedBlock {
  std::uint8_t* codes;  ///< [kBlock][32]
  float* scales;        ///< [kBlock / kGroup][32]
  float* minima;        ///< the same; 0 where the format has none
};

/// One for each code path; false when it is not built for this processor family.
bool UnpackPortable(DType dtype, const std::uint8_t* panel, const UnpackedBlock& out);
bool UnpackAvx2(DType dtype, const std::uint8_t* panel, const UnpackedBlock& out);
bool UnpackAvx512(DType dtype, const std::uint8_t* panel, const UnpackedBlock& out);

/// Not inlined: one function of all steps takes compilers and sanitizers minutes.
template <typename V, typename Format>
[[gnu::noinline]] void UnpackStep(const std::uint8_t* panel, const UnpackedBlock& out, auto step,
                                  int output) {
  constexpr int kLanes = static_cast<int>(V::kLanes);
  std::uint8_t bytes[4 * kLanes];
  Format::template Codes<V, decltype(step)::value>(panel, output).Store(bytes);
  for (int lane = 0; lane < kLanes; ++lane) {
    for (int b = 0; b < 4; ++b) {
      out.codes[32 * (4 * step + b) + output + lane] = bytes[4 * lane + b];
    }
  }
}

template <typename V, typename Format>
void UnpackFormat(const std::uint8_t* panel, const UnpackedBlock& out) {
  for (int output = 0; output < 32; output += static_cast<int>(V::kLanes)) {
    [&]<int... kSteps>(std::integer_sequence<int, kSteps...>) {
      (UnpackStep<V, Format>(panel, out, std::integral_constant<int, kSteps>{}, output), ...);
    }(std::make_integer_sequence<int, Format::kBlock / 4>{});
    for (int group = 0; group < Format::kBlock / Format::kGroup; ++group) {
      const int at = 32 * group + output;
      Format::template Scale<V>(panel, group, output).Store(out.scales + at);
      if constexpr (Format::kHasMinimum) {
        Format::template Minimum<V>(panel, group, output).Store(out.minima + at);
      } else {
        V::F32::Zero().Store(out.minima + at);
      }
    }
  }
}

template <typename V>
bool UnpackAs(DType dtype, const std::uint8_t* panel, const UnpackedBlock& out) {
  return VisitFormat(dtype, [&]<typename Format>(Format) { UnpackFormat<V, Format>(panel, out); });
}

}  // namespace ergo::kernels
