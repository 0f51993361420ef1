// Sampling by the Gumbel-max method: the largest of logit + noise is a draw from the softmax.
//
// The noise of a token depends on (seed, position, token id) alone: a 64-bit key is mixed from seed
// and position (SplitMix64's finalizer), and 32 bits from key and id (two rounds of a 32-bit
// finalizer, one half of the key before each). The same integers on every machine and path.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ergo::kernels {

struct NoiseKey {
  std::uint32_t first;
  std::uint32_t second;
};

NoiseKey MakeNoiseKey(std::uint64_t seed, std::uint64_t position);

/// A seed for branch `branch` of a sequence with `seed`.
std::uint64_t DeriveSeed(std::uint64_t seed, std::uint64_t branch);

/// 32 bits, uniform over ids and keys.
std::uint32_t NoiseBits(NoiseKey key, std::uint32_t token);

/// -log(-log u), u = (bits + 1/2) / 2^32: from -3.13 to 22.88.
double GumbelNoise(std::uint32_t bits);

/// Index of the largest x[i] · scale + noise of token i, the first of equal ones; scale > 0. -inf
/// and NaN never win. If x holds +inf the first of them wins; n if no value can win.
std::size_t GumbelArgMax(const float* x, std::size_t n, double scale, NoiseKey key);

}  // namespace ergo::kernels
