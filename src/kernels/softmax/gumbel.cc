#include "kernels/softmax/gumbel.h"

#include <cmath>

#include "kernels/simd/elementwise.h"

namespace ergo::kernels {
namespace {

/// SplitMix64: an increment and its finalizer (Steele, Lea and Flood 2014).
std::uint64_t Mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

NoiseKey MakeNoiseKey(std::uint64_t seed, std::uint64_t position) {
  const std::uint64_t key = Mix(Mix(seed) ^ position);
  return {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
}

std::uint64_t DeriveSeed(std::uint64_t seed, std::uint64_t branch) {
  // Another constant than MakeNoiseKey's, so that branches and positions do not meet.
  return Mix(Mix(seed ^ 0x6a09e667f3bcc909u) + branch);
}

// The bits: Wellons' "lowbias32" finalizer, once with each half of the key; gumbel.inc.h has the
// same for vectors.
std::uint32_t NoiseBits(NoiseKey key, std::uint32_t token) {
  const auto round = [](std::uint32_t h) {
    h = (h ^ (h >> 16)) * 0x7feb352du;
    h = (h ^ (h >> 15)) * 0x846ca68bu;
    return h ^ (h >> 16);
  };
  return round(round(token ^ key.first) + key.second);
}

double GumbelNoise(std::uint32_t bits) {
  return -std::log(-std::log((static_cast<double>(bits) + 0.5) * 0x1p-32));
}

std::size_t GumbelArgMax(const float* x, std::size_t n, double scale, NoiseKey key) {
  return Elementwise().gumbel_arg_max(x, n, scale, key);
}

}  // namespace ergo::kernels
