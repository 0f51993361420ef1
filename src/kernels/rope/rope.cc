#include "kernels/rope/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "kernels/simd/elementwise.h"

namespace ergo::kernels {
namespace {

constexpr std::size_t kRadix = 64;  ///< of the digits that a position is cut into
constexpr std::size_t kLevels = 4;  ///< digits that have a table: positions below 16.7 million
constexpr double kTwoPi = 2.0 * std::numbers::pi;
constexpr std::size_t kMostDims = 65536;

tl::unexpected<Error> Bad(const std::string& what) {
  return Fail(what, "rope", "the model's configuration is damaged or not supported");
}

bool Positive(double value) { return std::isfinite(value) && value > 0.0; }

Status Check(const RopeConfig& c) {
  using Type = RopeConfig::Type;
  if (c.rotary_dims == 0 || c.rotary_dims % 2 != 0 || c.rotary_dims > kMostDims) {
    return Bad("rotary dimensions " + std::to_string(c.rotary_dims) +
               " are not a small even number");
  }
  if (!Positive(c.theta)) return Bad("theta is not a positive number");
  if (!c.freq_factors.empty() && c.freq_factors.size() != c.rotary_dims / 2) {
    return Bad(std::to_string(c.freq_factors.size()) + " frequency factors for " +
               std::to_string(c.rotary_dims / 2) + " frequencies");
  }
  for (const float factor : c.freq_factors) {
    if (!Positive(factor)) return Bad("a frequency factor is not a positive number");
  }
  if (!std::isfinite(c.attention_factor) || c.attention_factor < 0.0) {
    return Bad("the attention factor is negative or not finite");
  }
  if (c.type == Type::kDefault) return {};
  if (!Positive(c.factor)) return Bad("the scaling factor is not a positive number");
  if (c.type == Type::kLinear) return {};
  if (c.original_context == 0) return Bad("the original context length is missing");
  if (c.type == Type::kDynamic && c.rotary_dims == 2) {
    return Bad("dynamic scaling needs more than 2 rotary dimensions");
  }
  if (c.type == Type::kDynamic && c.factor < 1.0) return Bad("the scaling factor is below 1");
  if (c.type == Type::kLlama3 &&
      !(Positive(c.low_freq_factor) && std::isfinite(c.high_freq_factor) &&
        c.high_freq_factor > c.low_freq_factor)) {
    return Bad("the high frequency factor is not above the low one");
  }
  if (c.type == Type::kYarn) {
    if (c.theta == 1.0) return Bad("YaRN needs a theta other than 1");
    if (!Positive(c.beta_fast) || !Positive(c.beta_slow)) return Bad("a YaRN beta is not positive");
    if (!std::isfinite(c.mscale) || !std::isfinite(c.mscale_all_dim)) {
      return Bad("a YaRN mscale is not finite");
    }
  }
  return {};
}

/// θ^(-2i/d) for every pair.
std::vector<double> Unscaled(double theta, std::size_t dims) {
  std::vector<double> out(dims / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(dims));
  }
  return out;
}

double DynamicTheta(const RopeConfig& c) {
  const double dims = static_cast<double>(c.rotary_dims);
  const double length = static_cast<double>(std::max(c.context, c.original_context));
  const double ratio = length / static_cast<double>(c.original_context);
  return c.theta * std::pow(c.factor * ratio - (c.factor - 1.0), dims / (dims - 2.0));
}

/// High frequencies stay, low ones are divided by the factor, those between are mixed linearly.
void ScaleYarn(const RopeConfig& c, std::vector<double>& frequencies) {
  const double dims = static_cast<double>(c.rotary_dims);
  const auto dimension = [&](double rotations) {
    const double wavelength = static_cast<double>(c.original_context) / (rotations * kTwoPi);
    return dims * std::log(wavelength) / (2.0 * std::log(c.theta));
  };
  double low = dimension(c.beta_fast);
  double high = dimension(c.beta_slow);
  if (c.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, dims - 1.0);
  if (low == high) high += 0.001;
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double scaled = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] *= scaled / c.factor + (1.0 - scaled);
  }
}

double YarnAttentionFactor(const RopeConfig& c) {
  const auto scale = [&](double mscale) {
    return c.factor <= 1.0 ? 1.0 : 0.1 * mscale * std::log(c.factor) + 1.0;
  };
  if (c.mscale != 0.0 && c.mscale_all_dim != 0.0) return scale(c.mscale) / scale(c.mscale_all_dim);
  return scale(1.0);
}

void ScaleLlama3(const RopeConfig& c, std::vector<double>& frequencies) {
  const double context = static_cast<double>(c.original_context);
  for (double& frequency : frequencies) {
    const double wavelength = kTwoPi / frequency;
    if (wavelength < context / c.high_freq_factor) continue;
    if (wavelength > context / c.low_freq_factor) {
      frequency /= c.factor;
      continue;
    }
    const double smooth =
        (context / wavelength - c.low_freq_factor) / (c.high_freq_factor - c.low_freq_factor);
    frequency *= (1.0 - smooth) / c.factor + smooth;
  }
}

}  // namespace

Result<Rope> Rope::Create(const RopeConfig& config) {
  if (Status status = Check(config); !status) return Fail(std::move(status));
  using Type = RopeConfig::Type;
  Rope rope;
  rope.interleaved_ = config.interleaved;
  rope.frequencies_ = Unscaled(config.type == Type::kDynamic ? DynamicTheta(config) : config.theta,
                               config.rotary_dims);
  switch (config.type) {
    case Type::kDefault:
    case Type::kDynamic:
      break;
    case Type::kLinear:
      for (double& frequency : rope.frequencies_) frequency /= config.factor;
      break;
    case Type::kYarn:
      ScaleYarn(config, rope.frequencies_);
      rope.attention_factor_ = YarnAttentionFactor(config);
      break;
    case Type::kLlama3:
      ScaleLlama3(config, rope.frequencies_);
      break;
  }
  if (config.attention_factor > 0.0) rope.attention_factor_ = config.attention_factor;
  for (std::size_t i = 0; i < config.freq_factors.size(); ++i) {
    rope.frequencies_[i] /= config.freq_factors[i];
  }
  for (const double frequency : rope.frequencies_) {
    if (!std::isfinite(frequency)) return Bad("a frequency is not finite");
  }
  rope.FillTables();
  return rope;
}

void Rope::FillTables() {
  const std::size_t half = frequencies_.size();
  tables_.resize(kLevels * kRadix * 2 * half);
  double* entry = tables_.data();
  double unit = 1.0;
  for (std::size_t level = 0; level < kLevels; ++level, unit *= kRadix) {
    for (std::size_t digit = 0; digit < kRadix; ++digit, entry += 2 * half) {
      for (std::size_t i = 0; i < half; ++i) {
        const double angle = static_cast<double>(digit) * unit * frequencies_[i];
        entry[i] = std::cos(angle);
        entry[half + i] = std::sin(angle);
      }
    }
  }
}

void Rope::Angles(std::size_t position, float* cos_sin) const {
  const std::size_t half = frequencies_.size();
  const double* digits[kLevels];
  std::size_t used = 0;
  std::size_t rest = position;
  for (std::size_t level = 0; level < kLevels; ++level, rest /= kRadix) {
    const std::size_t digit = rest % kRadix;
    if (digit != 0) digits[used++] = tables_.data() + (level * kRadix + digit) * 2 * half;
  }
  if (used == 0) digits[used++] = tables_.data();
  const double above = static_cast<double>(rest) * std::pow(kRadix, kLevels);
  for (std::size_t i = 0; i < half; ++i) {
    double c = digits[0][i];
    double s = digits[0][half + i];
    const auto turn = [&](double by_c, double by_s) {
      const double turned = c * by_c - s * by_s;
      s = s * by_c + c * by_s;
      c = turned;
    };
    for (std::size_t k = 1; k < used; ++k) turn(digits[k][i], digits[k][half + i]);
    if (rest != 0) turn(std::cos(above * frequencies_[i]), std::sin(above * frequencies_[i]));
    cos_sin[i] = static_cast<float>(c * attention_factor_);
    cos_sin[half + i] = static_cast<float>(s * attention_factor_);
  }
}

void ApplyRope(const float* cos_sin, std::size_t rotary_dims, bool interleaved,
               const RopeHeads& heads) {
  const ElementwiseKernels& kernels = Elementwise();
  (interleaved ? kernels.rotate_pairs : kernels.rotate_halves)(cos_sin, rotary_dims / 2, heads);
}

}  // namespace ergo::kernels
