// Two ways to know which neighbours merge: a list of merges, or the vocabulary itself.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizer/bpe_merge.h"
#include "tokenizer/vocabulary.h"

namespace ergo::tokenizer {

/// Pair of ids -> rank and merged id, in one flat hash table.
class MergeTable {
 public:
  /// Room for `count` merges.
  void Reserve(std::size_t count) {
    slots_.assign(std::bit_ceil(count + count / 2 + 2), {});  // two at least
    shift_ = 64 - std::countr_zero(slots_.size());
  }

  /// Of merges of the same pair the last counts, as in the reference. At most as many as reserved.
  /// False when too many pairs collide, which only happens on purpose.
  bool Insert(TokenId left, TokenId right, std::uint32_t rank, TokenId merged) {
    const std::uint64_t key = Key(left, right);
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = Place(key);
    for (std::size_t probes = 0; slots_[at].key != kEmpty && slots_[at].key != key; ++probes) {
      if (probes > kMaxProbes) return false;
      at = (at + 1) & mask;
    }
    slots_[at] = {key, rank, merged};
    return true;
  }

  Merge Find(TokenId left, TokenId right) const {
    const std::uint64_t key = Key(left, right);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = Place(key); slots_[at].key != kEmpty; at = (at + 1) & mask) {
      if (slots_[at].key == key) return {slots_[at].rank, slots_[at].merged};
    }
    return {};
  }

 private:
  static constexpr std::size_t kMaxProbes = 4096;
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};  // ids are not negative
  struct Slot {
    std::uint64_t key = kEmpty;
    std::uint32_t rank = 0;
    TokenId merged = -1;
  };

  static std::uint64_t Key(TokenId left, TokenId right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
           static_cast<std::uint32_t>(right);
  }
  std::size_t Place(std::uint64_t key) const {
    return static_cast<std::size_t>((key ^ key >> 29) * 0x9E3779B97F4A7C15ull >> shift_);
  }

  std::vector<Slot> slots_ = std::vector<Slot>(2);
  int shift_ = 63;
};

/// SentencePiece's rule: neighbours merge when their text together is in the vocabulary, the best
/// score first. Among splits of one token the longer left part comes first, as in the merge lists
/// that the reference derives from such vocabularies.
class VocabularyMerges {
 public:
  static constexpr std::size_t kMaxTokens = std::size_t{1} << 24;

  VocabularyMerges() = default;
  /// `ranks[id]`: smaller merges first; equal ranks are allowed. Below kMaxTokens, as are the ids.
  explicit VocabularyMerges(std::vector<std::uint32_t> ranks) : ranks_(std::move(ranks)) {}

  /// `left` and `right` are neighbouring pieces of text that are tokens.
  Merge Find(const Vocabulary& vocabulary, std::string_view both, std::size_t left_bytes) const {
    const TokenId id = vocabulary.FindOrNegative(both);
    if (id < 0) return {};
    const std::uint64_t left = Inverted(both.substr(0, left_bytes));
    const std::uint64_t right = Inverted(both.substr(left_bytes));
    const std::uint64_t rank = ranks_[static_cast<std::size_t>(id)];
    return {rank << 40 | left << 32 | right << 24 | static_cast<std::uint64_t>(id), id};
  }

 private:
  /// 255 less the number of characters.
  static std::uint64_t Inverted(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text) count += (static_cast<std::uint8_t>(c) & 0xC0) != 0x80;
    return 255 - std::min<std::size_t>(count, 255);
  }

  std::vector<std::uint32_t> ranks_;
};

}  // namespace ergo::tokenizer
