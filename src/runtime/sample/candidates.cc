#include "runtime/sample/candidates.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

#include "kernels/softmax/softmax.h"

namespace ergo::runtime {
namespace {

using kernels::kMaximaBlock;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Orders as the float does, as an integer; not for NaN.
std::uint32_t OrderedBits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value + 0.0f);  // -0 becomes 0
  return bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
}

std::uint64_t Rank(float value, std::size_t token) {
  return std::uint64_t{OrderedBits(value)} << 32 | ~static_cast<std::uint32_t>(token);
}

bool Before(const Candidate& a, const Candidate& b) { return a.rank > b.rank; }

}  // namespace

float Candidates::Reset(std::span<const float> logits, double scale) {
  logits_ = logits;
  scale_ = scale;
  items_.clear();
  maxima_.resize((logits.size() + kMaximaBlock - 1) / kMaximaBlock);
  kernels::BlockMaxima(logits.data(), logits.size(), maxima_.data());
  largest_ = -kInfinity;
  for (const float value : maxima_) largest_ = std::max(largest_, value);
  return largest_;
}

void Candidates::Gather(float least) {
  items_.clear();
  least = std::max(least, std::numeric_limits<float>::lowest());
  for (std::size_t block = 0; block < maxima_.size(); ++block) {
    if (maxima_[block] < least) continue;
    const std::size_t first = block * kMaximaBlock;
    const std::size_t end = std::min(first + kMaximaBlock, logits_.size());
    for (std::size_t i = first; i < end; ++i) {
      const float logit = logits_[i];
      if (!(logit >= least)) continue;
      const double below = (static_cast<double>(logit) - largest_) * scale_;
      items_.push_back({Rank(logit, i), logit, std::exp(static_cast<float>(below))});
    }
  }
}

/// The rank-th largest maximum of a block: at least `rank` logits are as large. -inf if there are
/// not so many blocks.
float Candidates::BlockThreshold(std::size_t rank) {
  if (rank > maxima_.size()) return -kInfinity;
  ordered_ = maxima_;
  const auto nth = ordered_.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(ordered_.begin(), nth, ordered_.end(), std::greater<>());
  return *nth;
}

void Candidates::GatherTop(std::size_t k) {
  Gather(k == 0 ? kInfinity : BlockThreshold(k));
  if (items_.size() <= k) return;
  std::nth_element(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(k), items_.end(),
                   Before);
  items_.resize(k);
}

void Candidates::GatherAll() {
  // 2^22 tokens at e^-60 are 4e-20 of the whole: far below the spacing of shares near 1.
  constexpr double kNegligible = 60.0;
  Gather(static_cast<float>(largest_ - kNegligible / scale_));
}

void Candidates::GatherNucleus(double p) {
  const double total =
      kernels::SumExp(logits_.data(), logits_.size(), largest_, static_cast<float>(scale_));
  // Most nuclei are small: try the blocks with the largest values before the whole row.
  for (const std::size_t rank : {std::size_t{24}, std::size_t{384}}) {
    const float least = BlockThreshold(rank);
    if (least == -kInfinity) break;
    Gather(least);
    // The margin covers the rounding of both sums.
    if (TotalMass() >= (p + 1e-5) * total) return KeepMass(p * total);
  }
  GatherAll();
  KeepMass(p * TotalMass());
}

void Candidates::GatherLikely(double min_p) {
  const double least = largest_ + std::log(min_p) / scale_;
  // A little more than that, then exactly.
  Gather(static_cast<float>(least - 1e-5 * (1.0 + std::fabs(least))));
  KeepLikely(min_p);
}

double Candidates::TotalMass() const {
  double total = 0.0;
  for (const Candidate& item : items_) total += item.mass;
  return total;
}

/// Keeps the fewest of the largest ranks whose masses reach `mass`; at least one.
void Candidates::KeepMass(double mass) {
  const auto at = [&](std::size_t i) { return items_.begin() + static_cast<std::ptrdiff_t>(i); };
  std::size_t low = 0;  // these are kept, and their mass is in `kept`
  std::size_t high = items_.size();
  double kept = 0.0;
  while (high - low > 32) {
    const std::size_t middle = low + (high - low) / 2;
    std::nth_element(at(low), at(middle), at(high), Before);
    double half = 0.0;
    for (std::size_t i = low; i < middle; ++i) half += items_[i].mass;
    if (kept + half >= mass) {
      high = middle;
    } else {
      kept += half;
      low = middle;
    }
  }
  std::sort(at(low), at(high), Before);
  while (low < high && (low == 0 || kept < mass)) kept += items_[low++].mass;
  items_.resize(low);
}

void Candidates::KeepTypical(double p) {
  const double total = TotalMass();
  const double log_total = std::log(total);
  const auto surprise = [&](const Candidate& item) {
    return log_total - (static_cast<double>(item.logit) - largest_) * scale_;
  };
  double entropy = 0.0;
  for (const Candidate& item : items_) entropy += item.mass / total * surprise(item);
  for (Candidate& item : items_) {
    const double deviation = std::fabs(surprise(item) - entropy);
    item.rank = Rank(-static_cast<float>(deviation), static_cast<std::size_t>(item.token()));
  }
  KeepMass(p * total);
  for (Candidate& item : items_) {
    item.rank = Rank(item.logit, static_cast<std::size_t>(item.token()));
  }
}

void Candidates::KeepNucleus(double p) { KeepMass(p * TotalMass()); }

void Candidates::KeepLikely(double min_p) {
  float best = 0.0f;
  for (const Candidate& item : items_) best = std::max(best, item.mass);
  const double least = min_p * best;
  std::erase_if(items_, [&](const Candidate& item) { return item.mass < least; });
}

void Candidates::Sort() { std::sort(items_.begin(), items_.end(), Before); }

std::int32_t Candidates::Draw(kernels::NoiseKey key) const {
  std::int32_t winner = -1;
  double best = -std::numeric_limits<double>::infinity();
  for (const Candidate& item : items_) {
    const std::int32_t token = item.token();
    const double plain = item.logit * scale_;
    const std::uint32_t bits = kernels::NoiseBits(key, static_cast<std::uint32_t>(token));
    // Noise is at most -log(1 - u) <= (leading ones of the bits + 1) · log 2.
    const double most = 0.6931472 * (std::countl_one(bits) + 1);
    if (plain + most < best) continue;
    const double score = plain + kernels::GumbelNoise(bits);
    if (score > best || (score == best && token < winner)) {
      best = score;
      winner = token;
    }
  }
  return winner;
}

}  // namespace ergo::runtime
