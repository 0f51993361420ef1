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
using kernels::ShareOrder;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
/// Below e^-60 of the largest, all the tokens of any vocabulary together have no share that shows
/// beside 1 in single precision.
constexpr float kNegligible = -60.0f;

/// Orders as the float does, as an integer; not for NaN.
std::uint32_t OrderedBits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value + 0.0f);  // -0 becomes 0
  return bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
}

std::uint64_t Rank(float value, std::size_t token) {
  return std::uint64_t{OrderedBits(value)} << 32 | ~static_cast<std::uint32_t>(token);
}

bool Before(const Candidate& a, const Candidate& b) { return a.rank > b.rank; }

/// Calls function(i) for the values of blocks whose entry in `blocks` is at least `least`.
template <typename Function>
void ForBlocks(std::span<const float> blocks, float least, std::size_t n,
               const Function& function) {
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    if (!(blocks[block] >= least)) continue;
    const std::size_t end = std::min((block + 1) * kMaximaBlock, n);
    for (std::size_t i = block * kMaximaBlock; i < end; ++i) function(i);
  }
}

}  // namespace

float Candidates::Reset(std::span<const float> logits, double scale) {
  logits_ = logits;
  scale_ = scale;
  listed_ = false;
  FindMaxima();
  shift_ = -kInfinity;
  for (const float value : maxima_) shift_ = std::max(shift_, value);
  return shift_;
}

void Candidates::FindMaxima() {
  maxima_.resize((logits_.size() + kMaximaBlock - 1) / kMaximaBlock);
  kernels::BlockMaxima(logits_.data(), logits_.size(), maxima_.data());
}

/// The rank-th largest maximum of a block: at least `rank` logits are as large. The lowest finite
/// number if there are not so many blocks with a token.
float Candidates::BlockThreshold(std::size_t rank) {
  constexpr float kLowest = std::numeric_limits<float>::lowest();
  if (rank > maxima_.size()) return kLowest;
  scratch_ = maxima_;
  const auto nth = scratch_.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(scratch_.begin(), nth, scratch_.end(), std::greater<>());
  return std::max(*nth, kLowest);
}

Candidate Candidates::Item(std::size_t token) const {
  const float logit = logits_[token];
  const double y = (static_cast<double>(logit) - shift_) * scale_;
  return {Rank(logit, token), logit, std::exp(static_cast<float>(y))};
}

/// Lists the tokens of the row whose logits are at least `least`, which is finite.
void Candidates::Gather(float least) {
  listed_ = true;
  items_.clear();
  ForBlocks(maxima_, least, logits_.size(), [&](std::size_t i) {
    if (logits_[i] >= least) items_.push_back(Item(i));
  });
}

void Candidates::KeepTop(std::size_t k) {
  Gather(BlockThreshold(k));
  if (items_.size() <= k) return;
  const auto nth = items_.begin() + static_cast<std::ptrdiff_t>(k);
  std::nth_element(items_.begin(), nth, items_.end(), Before);
  items_.resize(k);
}

double Candidates::ListMass() const {
  double total = 0.0;
  for (const Candidate& item : items_) total += item.mass;
  return total;
}

/// Keeps the fewest of the largest ranks whose masses reach `mass`; at least one if mass > 0.
void Candidates::KeepMassInList(double mass) {
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
  while (low < high && kept < mass) kept += items_[low++].mass;
  items_.resize(low);
}

/// Narrows the cut at which the tokens above it have `mass`, by passes over the row.
Candidates::Band Candidates::FindBand(const ShareOrder& order, double mass) const {
  constexpr int kPasses = 4;
  Band band{-kInfinity, kInfinity, 0.0};
  float thresholds[kernels::kShareThresholds] = {-1.0f, -3.0f, -6.0f, -12.0f};
  for (int pass = 0; pass < kPasses; ++pass) {
    float masses[kernels::kShareThresholds];
    kernels::MassAbove(logits_.data(), logits_.size(), order, thresholds, masses);
    for (std::size_t t = 0; t < kernels::kShareThresholds; ++t) {
      if (masses[t] >= mass) {
        band.low = thresholds[t];
        break;
      }
      band.high = thresholds[t];
      band.mass_above = masses[t];
    }
    const float from = std::max(band.low, kNegligible);
    const float step = (std::min(band.high, 0.0f) - from) / (kernels::kShareThresholds + 1);
    for (std::size_t t = 0; t < kernels::kShareThresholds; ++t) {
      thresholds[t] = from + step * static_cast<float>(kernels::kShareThresholds - t);
    }
  }
  return band;
}

/// Keeps the fewest tokens of the row, in the order of -|y - center|, whose masses reach `mass`.
void Candidates::KeepMassInRow(float center, double mass) {
  const ShareOrder order{shift_, static_cast<float>(scale_), center};
  Band band = FindBand(order, mass);
  band.low = std::max(band.low, std::numeric_limits<float>::lowest());
  const std::span<const float> before = logits_;
  // Where the row is kept_ itself, the split would overwrite what the band is listed from.
  if (before.data() == kept_.data()) scratch_.assign(before.begin(), before.end());
  const std::span<const float> row = before.data() == kept_.data() ? scratch_ : before;
  kept_.resize(row.size());
  below_.resize(maxima_.size());
  kernels::SplitAt(row.data(), row.size(), order, band.high, kept_.data(), below_.data());
  logits_ = row;
  items_.clear();
  ForBlocks(below_, band.low, row.size(), [&](std::size_t i) {
    const float v = order.Of(row[i]);
    if (!(v >= band.low && v < band.high)) return;
    items_.push_back(Item(i));
    items_.back().rank = Rank(v, i);
  });
  KeepMassInList(mass - band.mass_above);
  for (const Candidate& item : items_) kept_[static_cast<std::size_t>(item.token())] = item.logit;
  logits_ = kept_;
  FindMaxima();
}

void Candidates::KeepTypicalInList(double p) {
  const double total = ListMass();
  const double log_total = std::log(total);
  const auto surprise = [&](const Candidate& item) {
    return log_total - (static_cast<double>(item.logit) - shift_) * scale_;
  };
  double entropy = 0.0;
  for (const Candidate& item : items_) entropy += item.mass / total * surprise(item);
  for (Candidate& item : items_) {
    const double deviation = std::fabs(surprise(item) - entropy);
    item.rank = Rank(-static_cast<float>(deviation), static_cast<std::size_t>(item.token()));
  }
  KeepMassInList(p * total);
  for (Candidate& item : items_) {
    item.rank = Rank(item.logit, static_cast<std::size_t>(item.token()));
  }
}

void Candidates::KeepTypical(double p) {
  if (listed_) return KeepTypicalInList(p);
  const ShareOrder order{shift_, static_cast<float>(scale_), 0.0f};
  const kernels::EntropySums sums = kernels::SumEntropy(logits_.data(), logits_.size(), order);
  // -log p of a token is log(mass) - y, so its distance from the entropy is |y - mean of y|.
  KeepMassInRow(sums.weighted / sums.mass, p * static_cast<double>(sums.mass));
}

/// Most nuclei are small: tries the blocks with the largest values before the whole row.
bool Candidates::KeepSmallNucleus(double mass) {
  for (const std::size_t rank : {std::size_t{24}, std::size_t{384}}) {
    if (rank > maxima_.size()) break;
    Gather(BlockThreshold(rank));
    // The margin covers the rounding of both sums.
    if (ListMass() >= mass * (1.0 + 1e-5)) {
      KeepMassInList(mass);
      return true;
    }
  }
  listed_ = false;
  return false;
}

void Candidates::KeepNucleus(double p) {
  p = std::max(p, std::numeric_limits<double>::min());
  if (listed_) return KeepMassInList(p * ListMass());
  const double total =
      kernels::SumExp(logits_.data(), logits_.size(), shift_, static_cast<float>(scale_));
  if (!KeepSmallNucleus(p * total)) KeepMassInRow(0.0f, p * total);
}

void Candidates::KeepLikely(double min_p) {
  if (!listed_) {
    float largest = -kInfinity;
    for (const float value : maxima_) largest = std::max(largest, value);
    // A little more than what is kept, then exactly.
    const double least = largest + std::log(min_p) / scale_;
    const double margin = 1e-5 * (1.0 + std::fabs(least));
    Gather(static_cast<float>(
        std::max(least - margin, static_cast<double>(std::numeric_limits<float>::lowest()))));
  }
  float best = 0.0f;
  for (const Candidate& item : items_) best = std::max(best, item.mass);
  const double limit = min_p * best;
  std::erase_if(items_, [&](const Candidate& item) { return item.mass < limit; });
}

std::span<const Candidate> Candidates::Sorted() {
  std::sort(items_.begin(), items_.end(), Before);
  return items_;
}

std::int32_t Candidates::Draw(kernels::NoiseKey key) const {
  if (!listed_) {
    const std::size_t token = kernels::GumbelArgMax(logits_.data(), logits_.size(), scale_, key);
    return token < logits_.size() ? static_cast<std::int32_t>(token) : -1;
  }
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
