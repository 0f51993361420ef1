#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/matmul/impl.h"

namespace ergo::kernels {
namespace {

/// The kKept blocks with the largest magnitudes, and so the coarsest steps; ties go to the first.
struct Coarsest {
  std::array<std::uint32_t, Remainders::kKept> block{};
  std::array<float, Remainders::kKept> largest{};
  std::size_t count = 0;

  void Offer(std::uint32_t candidate, float magnitude) {
    std::size_t at = count;
    while (at > 0 && largest[at - 1] < magnitude) --at;
    if (at == block.size()) return;
    count = std::min(count + 1, block.size());
    for (std::size_t i = count - 1; i > at; --i) {
      block[i] = block[i - 1];
      largest[i] = largest[i - 1];
    }
    block[at] = candidate;
    largest[at] = magnitude;
  }
};

float LargestOf(std::span<const float> values) {
  float largest = 0.0f;
  for (const float x : values) largest = std::max(largest, std::fabs(x));
  return largest;
}

}  // namespace

Remainders::Remainders() : impl_(std::make_unique<Impl>()) {}
Remainders::~Remainders() = default;
Remainders::Remainders(Remainders&&) noexcept = default;
Remainders& Remainders::operator=(Remainders&&) noexcept = default;

void Remainders::Reset(std::size_t rows, std::size_t inputs) {
  impl_->kept = std::min(kKept, inputs / kActBlock);
  impl_->blocks.resize(rows * impl_->kept);
}

void Remainders::SetRow(std::size_t row, std::span<const float> values, Activations& in) {
  in.SetRow(row, values.data());
  Coarsest coarsest;
  for (std::size_t at = 0; at < values.size(); at += kActBlock) {
    coarsest.Offer(static_cast<std::uint32_t>(at / kActBlock),
                   LargestOf(values.subspan(at, kActBlock)));
  }
  constexpr float kRound = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
  for (std::size_t i = 0; i < impl_->kept; ++i) {
    const std::size_t at = coarsest.block[i] * kActBlock;
    const float scale = coarsest.largest[i] / 127.0f;
    const float inverse = coarsest.largest[i] > 1e-30f ? 127.0f / coarsest.largest[i] : 0.0f;
    // What `in` gets are multiples of the scale, so that its own rounding changes none of them.
    float rounded[kActBlock];
    float rest[kActBlock];
    for (std::size_t k = 0; k < kActBlock; ++k) {
      rounded[k] = ((values[at + k] * inverse + kRound) - kRound) * scale;
      rest[k] = values[at + k] - rounded[k];
    }
    in.SetPart(row, at, rounded);
    RemainderBlock& block = impl_->blocks[row * impl_->kept + i];
    block.number = coarsest.block[i];
    ActiveKernels().quantize_row(rest, kActBlock, {block.tile, 1, 0});
  }
}

}  // namespace ergo::kernels
