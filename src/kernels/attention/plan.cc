#include "kernels/attention/plan.h"

#include <algorithm>
#include <numeric>

#include "kernels/attention/attention.h"

namespace ergo::kernels {
namespace {

/// Parts for each thread, where there is enough to do: their costs are estimates.
constexpr std::size_t kPartsPerThread = 8;

std::size_t BlockCount(const SequenceRows& sequence) {
  return (sequence.first_position + sequence.rows + kBlockTokens - 1) / kBlockTokens;
}

/// By blocks, like words in a dictionary.
bool ComesBefore(const SequenceRows& a, const SequenceRows& b) {
  if (a.blocks == b.blocks) return BlockCount(a) < BlockCount(b);
  return std::lexicographical_compare(a.blocks, a.blocks + BlockCount(a), b.blocks,
                                      b.blocks + BlockCount(b));
}

/// Blocks that a row sees.
std::size_t BlocksSeen(std::size_t position, std::size_t window) {
  const std::size_t end = position + 1;
  const std::size_t begin = window != 0 && end > window ? end - window : 0;
  return (end + kBlockTokens - 1) / kBlockTokens - begin / kBlockTokens;
}

}  // namespace

void AttentionPlan::Make(std::span<const SequenceRows> sequences, const Shape& shape) {
  shape_ = shape;
  Order(sequences);
  Cut();
}

void AttentionPlan::Order(std::span<const SequenceRows> sequences) {
  order_.resize(sequences.size());
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
    return ComesBefore(sequences[a], sequences[b]);
  });
  rows_.clear();
  for (const std::size_t s : order_) {
    const SequenceRows& sequence = sequences[s];
    for (std::size_t i = 0; i < sequence.rows; ++i) {
      rows_.push_back({sequence.blocks, sequence.first_position + i, sequence.first_row + i});
    }
  }
}

void AttentionPlan::Cut() {
  std::size_t total = 0;
  for (const Row& row : rows_) total += shape_.group * BlocksSeen(row.position, shape_.window);
  const std::size_t wanted =
      shape_.threads <= 1
          ? 1
          : (static_cast<std::size_t>(shape_.threads) * kPartsPerThread + shape_.kv_heads - 1) /
                shape_.kv_heads;
  const std::size_t target = total / wanted;

  parts_.clear();
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    const std::size_t seen = BlocksSeen(rows_[row].position, shape_.window);
    // A row that is more than a part is split: its halves read the same keys and values, but from
    // a cache.
    const std::size_t whole = seen * shape_.group > target ? (shape_.group + 1) / 2 : shape_.group;
    const std::size_t each = std::min(whole, kMostVectors);
    for (std::size_t head = 0; head < shape_.group; head += each) {
      const std::size_t begin = row * shape_.group + head;
      const std::size_t count = std::min(each, shape_.group - head);
      const bool fits = !parts_.empty() &&
                        parts_.back().end + count - parts_.back().begin <= kMostVectors &&
                        parts_.back().cost + seen * count <= target;
      if (!fits) parts_.push_back({begin, begin, 0});
      parts_.back().end = begin + count;
      parts_.back().cost += seen * count;
    }
  }
  std::stable_sort(parts_.begin(), parts_.end(),
                   [](const Part& a, const Part& b) { return a.cost > b.cost; });
}

}  // namespace ergo::kernels
