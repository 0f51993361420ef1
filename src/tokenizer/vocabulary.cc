#include "tokenizer/vocabulary.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <limits>

#include "base/utf8.h"

namespace ergo::tokenizer {
namespace {

constexpr std::uint64_t kMul1 = 0x9E3779B97F4A7C15ull;
constexpr std::uint64_t kMul2 = 0xD6E8FEB86659FD93ull;

template <typename T>
std::uint64_t Load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

std::uint64_t Fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// Entries that a chain of probes may visit before the table counts as attacked.
constexpr std::size_t kMaxProbes = 4096;

}  // namespace

std::uint64_t HashBytes(std::string_view bytes) {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t hash = kMul1 ^ left;
  while (left > 16) {
    hash = Fold(hash ^ Load<std::uint64_t>(at), kMul2 ^ Load<std::uint64_t>(at + 8));
    at += 16;
    left -= 16;
  }
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  if (left >= 8) {
    a = Load<std::uint64_t>(at);
    b = Load<std::uint64_t>(at + left - 8);
  } else if (left >= 4) {
    a = Load<std::uint32_t>(at);
    b = Load<std::uint32_t>(at + left - 4);
  } else if (left > 0) {
    a = Load<std::uint8_t>(at) | Load<std::uint8_t>(at + left / 2) << 8 |
        Load<std::uint8_t>(at + left - 1) << 16;
  }
  return Fold(hash ^ a, kMul2 ^ b ^ hash >> 32);
}

Result<Vocabulary> Vocabulary::Build(const std::vector<Entry>& entries, const std::string& where) {
  Vocabulary v;
  std::size_t bytes = 0;
  TokenId last = -1;
  for (const Entry& entry : entries) {
    if (entry.id < 0) return Fail(fmt::format("token id {} is below zero", entry.id), where);
    bytes += entry.text.size();
    last = std::max(last, entry.id);
  }
  const std::size_t ids = static_cast<std::size_t>(last) + 1;
  if (ids > entries.size() * 16 + 65536) {
    return Fail(fmt::format("token id {} in a vocabulary of {} strings", last, entries.size()),
                where, "the file is damaged; fetch it again");
  }
  if (bytes > std::numeric_limits<std::uint32_t>::max()) {
    return Fail("strings of the vocabulary are over 4 GiB", where);
  }
  v.arena_.reserve(bytes);
  constexpr std::uint32_t kUnset = std::numeric_limits<std::uint32_t>::max();
  v.offsets_.assign(ids, kUnset);
  v.lengths_.assign(ids, 0);
  const std::size_t capacity = std::bit_ceil(entries.size() + entries.size() / 2 + 1);
  v.table_.assign(capacity, {});
  const std::size_t mask = capacity - 1;
  for (const Entry& entry : entries) {
    const auto id = static_cast<std::size_t>(entry.id);
    if (v.offsets_[id] != kUnset) {
      return Fail(fmt::format("token id {} stands for two strings", id), where);
    }
    v.offsets_[id] = static_cast<std::uint32_t>(v.arena_.size());
    v.lengths_[id] = static_cast<std::uint32_t>(entry.text.size());
    v.arena_.append(entry.text);
    if (entry.text.empty()) continue;
    const std::uint64_t hash = HashBytes(entry.text);
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    std::size_t at = hash & mask;
    for (std::size_t probes = 0; v.table_[at].id >= 0; at = (at + 1) & mask, ++probes) {
      if (v.table_[at].tag == tag && v.Piece(v.table_[at].id) == entry.text) {
        return Fail(fmt::format("tokens {} and {} are the same string {}", v.table_[at].id, id,
                                QuoteForMessage(entry.text, 40)),
                    where, "the file is damaged; fetch it again");
      }
      if (probes > kMaxProbes) return Fail("strings of the vocabulary collide", where);
    }
    v.table_[at] = {tag, entry.id};
  }
  for (std::uint32_t& offset : v.offsets_) {
    if (offset == kUnset) offset = 0;
  }
  return v;
}

TokenId Vocabulary::FindOrNegative(std::string_view text) const {
  if (table_.empty() || text.empty()) return -1;
  const std::uint64_t hash = HashBytes(text);
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  const std::size_t mask = table_.size() - 1;
  for (std::size_t at = hash & mask; table_[at].id >= 0; at = (at + 1) & mask) {
    if (table_[at].tag == tag && Piece(table_[at].id) == text) return table_[at].id;
  }
  return -1;
}

}  // namespace ergo::tokenizer
