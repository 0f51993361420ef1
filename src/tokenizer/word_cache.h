// Ids of words seen lately.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "tokenizer/tokenizer.h"

namespace ergo::tokenizer {

/// A direct-mapped table of fixed size for one thread, shared by all tokenizers that the thread
/// uses. Holds short words with few ids only; a newer word takes the place of an older one.
class WordCache {
 public:
  static constexpr std::size_t kMaxWord = 32;  // bytes
  static constexpr std::size_t kMaxIds = 6;

  /// One cache line. The key of a word of up to 32 bytes: loads that overlap where it is short,
  /// which together with its size determine it.
  struct alignas(64) Slot {
    std::uint64_t key[4];
    std::uint32_t owner;
    std::uint8_t size;
    std::uint8_t count;
    TokenId ids[kMaxIds];
  };
  static_assert(sizeof(Slot) == 64);

  WordCache() : slots_(new Slot[kSlots]()) {}

  /// The slot of a word; `*hit` says whether it holds its ids, otherwise its key is set and the
  /// caller stores them. `owner` (not 0) tells tokenizers apart. 0 < word.size() <= kMaxWord.
  Slot& Find(std::uint32_t owner, std::string_view word, bool* hit) {
    std::uint64_t key[4];
    LoadKey(word, key);
    const auto size = static_cast<std::uint8_t>(word.size());
    std::uint64_t hash = (key[0] ^ owner) * 0x9E3779B97F4A7C15ull;
    hash = (std::rotl(hash, 29) ^ key[1] ^ size) * 0xD6E8FEB86659FD93ull;
    if (size > 16) {
      hash = (std::rotl(hash, 29) ^ key[2]) * 0x9E3779B97F4A7C15ull;
      hash = (std::rotl(hash, 29) ^ key[3]) * 0xD6E8FEB86659FD93ull;
    }
    Slot& slot = slots_[hash >> (64 - kSlotBits)];
    const std::uint64_t different = (slot.key[0] ^ key[0]) | (slot.key[1] ^ key[1]) |
                                    (slot.key[2] ^ key[2]) | (slot.key[3] ^ key[3]) |
                                    (slot.owner ^ owner) |
                                    static_cast<std::uint64_t>(slot.size ^ size);
    *hit = different == 0;
    if (!*hit) {
      std::memcpy(slot.key, key, sizeof key);
      slot.owner = 0;
      slot.size = size;
    }
    return slot;
  }

  static void Store(Slot* slot, std::uint32_t owner, std::span<const TokenId> ids) {
    if (ids.size() > kMaxIds) return;
    slot->owner = owner;
    slot->count = static_cast<std::uint8_t>(ids.size());
    std::copy(ids.begin(), ids.end(), slot->ids);
  }

 private:
  static constexpr int kSlotBits = 15;
  static constexpr std::size_t kSlots = std::size_t{1} << kSlotBits;  // 2 MiB

  template <typename T>
  static std::uint64_t Load(const char* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }

  static void LoadKey(std::string_view word, std::uint64_t* key) {
    const char* at = word.data();
    const std::size_t n = word.size();
    key[2] = key[3] = 0;
    if (n >= 16) {
      key[0] = Load<std::uint64_t>(at);
      key[1] = Load<std::uint64_t>(at + 8);
      key[2] = Load<std::uint64_t>(at + n - 16);
      key[3] = Load<std::uint64_t>(at + n - 8);
    } else if (n >= 8) {
      key[0] = Load<std::uint64_t>(at);
      key[1] = Load<std::uint64_t>(at + n - 8);
    } else if (n >= 4) {
      key[0] = Load<std::uint32_t>(at) | Load<std::uint32_t>(at + n - 4) << 32;
      key[1] = 0;
    } else {
      key[0] = Load<std::uint8_t>(at) | Load<std::uint8_t>(at + n / 2) << 8 |
               Load<std::uint8_t>(at + n - 1) << 16;
      key[1] = 0;
    }
  }

  std::unique_ptr<Slot[]> slots_;
};

}  // namespace ergo::tokenizer
