#include "kernels/quant/q4_1.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "kernels/quant/four_floats.h"

namespace ergo::kernels {
namespace {

constexpr float kLargestHalf = 65504.0f;

using Values = std::array<FourFloats, Q4_1::kBlock / 4>;

/// value = d · code + m, both as the file can hold them.
struct Line {
  std::uint16_t d;
  std::uint16_t m;
};

Line RoundLine(float d, float m) {
  return {F32ToF16(std::clamp(d, 0.0f, kLargestHalf)),
          F32ToF16(std::clamp(m, -kLargestHalf, kLargestHalf))};
}

/// The nearest codes on the line; d > 0.
Values NearestCodes(const Values& values, float d, float m) {
  const float inverse = 1.0f / d;
  Values codes;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const FourFloats code = LimitTo((values[i] - m) * inverse + 0.5f, 0.0f, 15.5f);
    codes[i] = Truncate(code);
  }
  return codes;
}

/// The line through the codes with the smallest squared error: d and m. False where it would not
/// rise.
bool FitLine(const Values& values, const Values& codes, float& d, float& m) {
  FourFloats c{}, cc{}, v{}, cv{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    c += codes[i];
    cc += codes[i] * codes[i];
    v += values[i];
    cv += codes[i] * values[i];
  }
  const float mean_code = Sum(c) / Q4_1::kBlock;
  const float variance = Sum(cc) - mean_code * Sum(c);
  const float covariance = Sum(cv) - mean_code * Sum(v);
  if (variance <= 0.0f || covariance <= 0.0f) return false;
  d = covariance / variance;
  m = Sum(v) / Q4_1::kBlock - d * mean_code;
  return true;
}

/// The best line so far, and its codes.
class Best {
 public:
  explicit Best(const Values& values) : values_(values) {}

  void Try(Line line) {
    const float d = F16ToF32(line.d);
    const float m = F16ToF32(line.m);
    const Values codes = d > 0.0f ? NearestCodes(values_, d, m) : Values{};
    FourFloats squares{};
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const FourFloats difference = codes[i] * d + m - values_[i];
      squares += difference * difference;
    }
    const float error = Sum(squares);
    if (found_ && error >= error_) return;
    found_ = true;
    error_ = error;
    line_ = line;
    codes_ = codes;
  }

  void Store(Q4_1::Block& block) const {
    block.d = line_.d;
    block.m = line_.m;
    for (std::size_t i = 0; i < 16; ++i) {
      const auto low = static_cast<unsigned>(codes_[i / 4][i % 4]);
      const auto high = static_cast<unsigned>(codes_[4 + i / 4][i % 4]);
      block.qs[i] = static_cast<std::uint8_t>(low | high << 4);
    }
  }

 private:
  const Values& values_;
  bool found_ = false;
  float error_ = 0.0f;
  Line line_ = {};
  Values codes_ = {};
};

}  // namespace

void Q4_1::Encode(const float* values, Block& block) {
  Values finite;
  std::memcpy(&finite, values, sizeof finite);
  FourFloats lows = FourFloats{} + kLargestHalf;
  FourFloats highs = -lows;
  for (FourFloats& four : finite) {
    four = MakeFinite(four, kLargestHalf);
    lows = four < lows ? four : lows;
    highs = four > highs ? four : highs;
  }
  const float lowest = Smallest(lows);
  const float range = Largest(highs) - lowest;

  Best best(finite);
  best.Try(RoundLine(range / 15.0f, lowest));
  if (range > 15.0f * 0x1p-25f) {  // or d rounds to zero
    Values above;  // sums of products of values near a large common one would cancel
    for (std::size_t i = 0; i < above.size(); ++i) above[i] = finite[i] - lowest;
    // The range in 15 steps, or in 16 with its ends clipped: each guess gives codes, and the codes
    // their best line. More guesses gain next to nothing.
    for (const float steps : {15.0f, 16.0f}) {
      float d = range / steps;
      float m = (range - 15.0f * d) / 2;
      if (FitLine(above, NearestCodes(above, d, m), d, m)) {
        best.Try(RoundLine(d, lowest + m));
      }
    }
  }
  best.Store(block);
}

}  // namespace ergo::kernels
