// Sequences whose blocks hold, for each position, a value that tells the tokens up to it: as keys
// and values do, but quickly, and a wrong block is seen at once.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/kv/sequence_cache.h"

namespace ergo::runtime::testing {

/// Without windows.
inline const std::vector<model::KvClass>& TwoClasses() {
  static const std::vector<model::KvClass> kClasses = {
      {{kernels::KvType::kF32, 2, 1, 8}, 0},
      {{kernels::KvType::kF32, 3, 1, 8}, 0},
  };
  return kClasses;
}

/// Two with windows around one without.
inline const std::vector<model::KvClass>& WindowClasses() {
  static const std::vector<model::KvClass> kClasses = {
      {{kernels::KvType::kF32, 2, 1, 8}, 100},
      {{kernels::KvType::kF32, 3, 1, 8}, 0},
      {{kernels::KvType::kF32, 1, 1, 8}, 30},
  };
  return kClasses;
}

struct WrittenSequence {
  std::string name_space;
  std::vector<std::int32_t> tokens;
  SequenceBlocks blocks;
};

class Writer {
 public:
  explicit Writer(SequenceCache& cache) : cache_(cache) {}

  /// Appends `tokens`, step by step; the blocks must be available.
  void Append(WrittenSequence& sequence, std::span<const std::int32_t> tokens) {
    const std::size_t first = sequence.blocks.length;
    sequence.tokens.resize(first);
    sequence.tokens.insert(sequence.tokens.end(), tokens.begin(), tokens.end());
    std::uint64_t value = kStart;
    for (std::size_t p = 0; p < sequence.tokens.size(); ++p) {
      value = Next(value, sequence.tokens[p]);
      if (p < first) continue;
      if ((p - first) % kStep == 0) {
        cache_.Slide(sequence.blocks);
        cache_.Reserve(sequence.blocks, std::min(p + kStep, sequence.tokens.size()));
        sequence.blocks.length = std::min(p + kStep, sequence.tokens.size());
      }
      for (std::size_t c = 0; c < cache_.classes(); ++c) {
        const std::uint64_t own = value + c;
        std::memcpy(Place(sequence.blocks, p, c), &own, sizeof(own));
      }
    }
  }

  /// Whether `blocks` holds what belongs to the first blocks.length of `tokens`, all that later
  /// ones see of it at least.
  bool IsRight(std::span<const std::int32_t> tokens, const SequenceBlocks& blocks) const {
    if (tokens.size() < blocks.length) return false;
    std::uint64_t value = kStart;
    for (std::size_t p = 0; p < blocks.length; ++p) {
      value = Next(value, tokens[p]);
      for (std::size_t c = 0; c < cache_.classes(); ++c) {
        const std::size_t index = p / kernels::kBlockTokens;
        if ((blocks.tables[c][index] == kNoBlock) != (index < blocks.gone[c])) return false;
        if (index < blocks.gone[c]) {
          if (index >= cache_.FirstSeen(c, blocks.length)) return false;
          continue;
        }
        const std::uint64_t own = value + c;
        if (std::memcmp(Place(blocks, p, c), &own, sizeof(own)) != 0) return false;
      }
    }
    return true;
  }

 private:
  static constexpr std::size_t kStep = 64;
  static constexpr std::uint64_t kStart = 0x243f6a8885a308d3;

  static std::uint64_t Next(std::uint64_t value, std::int32_t token) {
    value = (value ^ static_cast<std::uint64_t>(token + 1)) * 0x9e3779b97f4a7c15;
    return value ^ (value >> 29);
  }

  /// Eight bytes of the position, at the end of the block that any layout has room for.
  std::byte* Place(const SequenceBlocks& blocks, std::size_t p, std::size_t c) const {
    const std::size_t bytes = cache_.blocks(c).block_bytes();
    const auto block = static_cast<std::size_t>(blocks.tables[c][p / kernels::kBlockTokens]);
    return cache_.arena(c) + block * bytes + bytes -
           (p % kernels::kBlockTokens + 1) * sizeof(std::uint64_t);
  }

  SequenceCache& cache_;
};

}  // namespace ergo::runtime::testing
