#include "kernels/quant/q8_0.h"

#include <cstddef>

#include "kernels/quant/four_floats.h"

namespace ergo::kernels {

void Q8_0::Encode(const float* values, Block& block) {
  constexpr float kLargestHalf = 65504.0f;
  constexpr float kRound = 12582912.0f;  // 1.5 · 2^23: the adder rounds to whole numbers
  FourFloats finite[kBlock / 4];
  std::memcpy(finite, values, sizeof finite);
  FourFloats magnitudes{};
  for (FourFloats& four : finite) {
    four = MakeFinite(four, 127.0f * kLargestHalf);
    const FourFloats magnitude = four < FourFloats{} ? -four : four;
    magnitudes = magnitude > magnitudes ? magnitude : magnitudes;
  }
  const float largest = Largest(magnitudes);
  block.d = F32ToF16(largest / 127.0f);
  // Subnormal scales are so coarse that rounding one down can lose the largest code.
  if (largest > 127.5f * F16ToF32(block.d)) ++block.d;
  const float inverse = block.d == 0 ? 0.0f : 1.0f / F16ToF32(block.d);
  for (std::size_t i = 0; i < kBlock; i += 4) {
    const FourFloats codes = LimitTo(finite[i / 4] * inverse, -127.0f, 127.0f) + kRound - kRound;
    for (std::size_t k = 0; k < 4; ++k) block.qs[i + k] = static_cast<std::int8_t>(codes[k]);
  }
}

}  // namespace ergo::kernels
