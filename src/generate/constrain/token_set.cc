#include "generate/constrain/token_set.h"

#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace ergo::generate::constrain {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();
/// Sets with fewer than one of so many tokens are lists.
constexpr std::size_t kSparse = 64;
/// Up to so many tokens of 64 are handled one by one.
constexpr int kFew = 10;

constexpr std::size_t kBlock = 4096;
constexpr std::array<float, kBlock> kForbiddenBlock = [] {
  std::array<float, kBlock> block{};
  block.fill(kForbidden);
  return block;
}();

/// For each byte of a set's bits: eight words, of ones where the bit is set.
constexpr std::array<std::array<std::uint32_t, 8>, 256> kSpread = [] {
  std::array<std::array<std::uint32_t, 8>, 256> spread{};
  for (std::size_t byte = 0; byte < spread.size(); ++byte) {
    for (std::size_t bit = 0; bit < 8; ++bit) {
      spread[byte][bit] = ((byte >> bit) & 1) != 0 ? 0xFFFFFFFF : 0;
    }
  }
  return spread;
}();

template <typename Visit>
void ForEachBit(std::span<const std::uint64_t> words, const Visit& visit) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (std::uint64_t rest = words[i]; rest != 0; rest &= rest - 1) {
      visit(64 * i + static_cast<std::size_t>(std::countr_zero(rest)));
    }
  }
}

/// Copies of a block that stays in the nearest cache take a fraction of a loop's time.
void ForbidRun(float* logits, std::size_t count) {
  for (; count > kBlock; count -= kBlock, logits += kBlock) {
    std::memcpy(logits, kForbiddenBlock.data(), sizeof(kForbiddenBlock));
  }
  std::memcpy(logits, kForbiddenBlock.data(), count * sizeof(float));
}

/// Forbids those of 64 tokens whose bits are not set.
void ForbidIn(std::uint64_t allowed, float* logits) {
  if (std::popcount(~allowed) <= kFew) {
    for (std::uint64_t rest = ~allowed; rest != 0; rest &= rest - 1) {
      logits[std::countr_zero(rest)] = kForbidden;
    }
    return;
  }
  constexpr auto kBits = std::bit_cast<std::uint32_t>(kForbidden);
  for (std::size_t i = 0; i < 8; ++i, logits += 8) {
    const auto& spread = kSpread[(allowed >> (8 * i)) & 0xFF];
    std::array<std::uint32_t, 8> bits{};
    std::memcpy(bits.data(), logits, sizeof(bits));
    for (std::size_t k = 0; k < 8; ++k) bits[k] = (bits[k] & spread[k]) | (kBits & ~spread[k]);
    std::memcpy(logits, bits.data(), sizeof(bits));
  }
}

}  // namespace

bool TokenSet::Contains(TokenId id) const {
  if (id < 0) return false;
  if (bits.empty()) return std::binary_search(ids.begin(), ids.end(), id);
  const auto i = static_cast<std::size_t>(id);
  return i / 64 < bits.size() && ((bits[i / 64] >> (i % 64)) & 1) != 0;
}

void TokenSet::ApplyList(std::span<float> logits) const {
  std::vector<float> kept;
  kept.reserve(ids.size());
  for (const TokenId id : ids) {
    const auto i = static_cast<std::size_t>(id);
    kept.push_back(i < logits.size() ? logits[i] : kForbidden);
  }
  ForbidRun(logits.data(), logits.size());
  for (std::size_t k = 0; k < ids.size(); ++k) {
    const auto i = static_cast<std::size_t>(ids[k]);
    if (i < logits.size()) logits[i] = kept[k];
  }
}

void TokenSet::Apply(std::span<float> logits) const {
  if (bits.empty()) return ApplyList(logits);
  const std::size_t whole = std::min(bits.size(), logits.size() / 64);
  for (std::size_t word = 0; word < whole; ++word) {
    if (bits[word] == ~std::uint64_t{0}) continue;
    std::size_t empty = word;
    while (empty < whole && bits[empty] == 0) ++empty;
    if (empty == word) {
      ForbidIn(bits[word], logits.data() + 64 * word);
    } else {
      ForbidRun(logits.data() + 64 * word, 64 * (empty - word));
      word = empty - 1;
    }
  }
  for (std::size_t i = 64 * whole; i < logits.size(); ++i) {
    if (!Contains(static_cast<TokenId>(i))) logits[i] = kForbidden;
  }
}

void TokenBits::Clear() {
  ForEachBit(touched_, [this](std::size_t word) { words_[word] = 0; });
  std::fill(touched_.begin(), touched_.end(), 0);
}

void TokenBits::Add(const TokenSet& set) {
  Add(set.ids);
  for (std::size_t i = 0; i < set.bits.size(); ++i) words_[i] |= set.bits[i];
  if (set.bits.empty()) return;
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    const std::size_t words = std::min<std::size_t>(64, words_.size() - 64 * i);
    touched_[i] = ~std::uint64_t{0} >> (64 - words);
  }
}

TokenSet TokenBits::Take() const {
  const std::size_t most = 64 * words_.size() / kSparse;
  std::size_t count = 0;
  ForEachBit(touched_, [&](std::size_t word) {
    // A set that is clearly not sparse need not be counted to its end.
    if (count <= most) count += static_cast<std::size_t>(std::popcount(words_[word]));
  });
  TokenSet set;
  if (count > most) {
    set.bits = words_;
    return set;
  }
  set.ids.reserve(count);
  ForEachBit(touched_, [&](std::size_t word) {
    ForEachBit(std::span(words_).subspan(word, 1),
               [&](std::size_t bit) { set.ids.push_back(static_cast<TokenId>(64 * word + bit)); });
  });
  return set;
}

}  // namespace ergo::generate::constrain
