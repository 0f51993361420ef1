// The strings of a vocabulary and their ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tokenizer/tokenizer.h"

namespace ergo::tokenizer {

/// Hash of a short string. Not meant to withstand chosen collisions: a table that meets too many
/// of them refuses the vocabulary instead (Vocabulary::Build).
std::uint64_t HashBytes(std::string_view bytes);

/// What GGUF calls the type of a token; the same numbers.
enum class TokenType : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

/// Immutable. Strings lie in one arena, ids in one flat hash table: loading is linear with few
/// allocations, a lookup is one probe and one comparison.
class Vocabulary {
 public:
  struct Entry {
    std::string_view text;
    TokenId id;
  };

  Vocabulary() = default;

  /// Ids need not be dense, but the largest may not be absurd for the number of entries. Empty
  /// strings are kept as pieces and can't be found. Errors: an id below zero, given twice or out of
  /// proportion; a string given twice. `where` names the place for messages.
  static Result<Vocabulary> Build(const std::vector<Entry>& entries, const std::string& where);

  std::optional<TokenId> Find(std::string_view text) const {
    const TokenId id = FindOrNegative(text);
    return id < 0 ? std::nullopt : std::optional<TokenId>(id);
  }
  /// -1 when there is none.
  TokenId FindOrNegative(std::string_view text) const;

  /// Empty out of range and for ids that nothing uses.
  std::string_view Piece(TokenId id) const {
    if (id < 0 || static_cast<std::size_t>(id) >= size()) return {};
    const auto i = static_cast<std::size_t>(id);
    return std::string_view(arena_).substr(offsets_[i], lengths_[i]);
  }

  std::size_t size() const { return lengths_.size(); }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    TokenId id = -1;
  };

  std::string arena_;
  std::vector<std::uint32_t> offsets_;
  std::vector<std::uint32_t> lengths_;
  std::vector<Slot> table_;  ///< a power of two, at most two thirds full
};

}  // namespace ergo::tokenizer
